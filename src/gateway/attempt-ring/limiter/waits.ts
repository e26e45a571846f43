/**
 * What one call would wait for at each target, found when it is asked for: room in the announced limits, and a free slot.
 *
 * A lane is looked through only where it is not known that it surely has room (room.ts), and the queue of an endpoint only while all of
 * its slots are taken.
 */
import type { Call, ModelRequest, Target } from '../../../core/model/model.ts';
import { callStateOf } from '../../calls/call-state.ts';
import { withCredential } from '../../calls/target.ts';
import type { Waits } from '../../routing/negotiation.ts';
import type { Deployment } from '../../routing/registry.ts';
import type { Pump } from './endpoint.ts';
import { isNested, rankOf, tenantOf } from './fair-queue.ts';
import type { Endpoint, Lane, ModelLanes } from './lane.ts';
import { hasRoom, roomAt, surelyFits, surelyFitsIn } from './room.ts';
import { mostOf, NO_WEIGHT, ONE_REQUEST, type Sized, type Weight, weightOf } from './weight.ts';

export interface WaitsAsked {
  readonly call: Call;
  /** As it is sent. */
  readonly request: ModelRequest;
  /** The credentials that may be used, and for how long their endpoint asked to leave each alone. */
  readonly waysOf: (
    deployment: Deployment,
  ) => readonly { readonly label: string | undefined; readonly restMs: number }[];
  /** The ids of providers with a credential that is left alone. @default none */
  readonly resting: ReadonlySet<string> | undefined;
}

/** Behind the one request that tries whether a window is full again, until it is answered. */
const TRIAL_MS = 1000;

/** A class: see docs/decisions/objects-of-a-call.md. */
export class CallWaits implements Waits {
  readonly #pacer: Pick<Pump, 'clock' | 'slotsOf'>;
  readonly #full: ReadonlySet<Endpoint>;
  readonly #lanesOf: (target: Target) => ModelLanes;
  /** In a lane that is not known nothing was announced. */
  readonly #laneOf: (target: Target) => Lane | undefined;
  readonly #asked: WaitsAsked;
  readonly #sized: Sized;
  readonly #now: number;
  readonly #nowMs: number;
  /** By endpoint: many targets share one. */
  #answers: Map<Endpoint, number> | undefined;

  constructor(
    pacer: Pick<Pump, 'clock' | 'slotsOf'>,
    full: ReadonlySet<Endpoint>,
    lanesOf: (target: Target) => ModelLanes,
    laneOf: (target: Target) => Lane | undefined,
    asked: WaitsAsked,
  ) {
    this.#pacer = pacer;
    this.#full = full;
    this.#lanesOf = lanesOf;
    this.#laneOf = laneOf;
    const { call, request } = asked;
    this.#asked = asked;
    this.#sized = { request, size: callStateOf(call).needs(request).size };
    this.#now = pacer.clock.monotonic();
    this.#nowMs = pacer.clock.now();
  }

  /** Of several credentials the one that can send first counts. */
  limitsMs(deployment: Deployment): number {
    const { resting, waysOf } = this.#asked;
    const { target } = deployment;
    const model = this.#lanesOf(target);
    const isResting = resting?.has(target.provider) === true;
    // Nothing was sent there yet.
    if (model.lanes.length === 0 && !isResting) return 0;
    const most = mostOf(this.#sized, deployment, this.#nowMs);
    if (!isResting && this.#isClear(model, most)) return 0;
    let least = Number.POSITIVE_INFINITY;
    for (const { label, restMs } of waysOf(deployment)) {
      const lane = this.#laneOf(withCredential(target, label));
      const waitMs = lane === undefined ? restMs : Math.max(restMs, this.#waitIn(lane, deployment, most));
      if (waitMs === 0) return 0;
      if (waitMs < least) least = waitMs;
    }
    return least === Number.POSITIVE_INFINITY ? 0 : least;
  }

  answersBefore({ target }: Deployment): number {
    if (this.#full.size === 0) return 0;
    const { endpoint } = this.#lanesOf(target);
    if (!this.#full.has(endpoint)) return 0;
    this.#answers ??= new Map();
    const known = this.#answers.get(endpoint);
    if (known !== undefined) return known;
    const found = this.#answersOf(endpoint);
    this.#answers.set(endpoint, found);
    return found;
  }

  /** Every lane of the model has room, whatever the credential. A single one is looked at by those that may be used. */
  #isClear(model: ModelLanes, most: Weight): boolean {
    if (surelyFits(model, most, this.#now)) return true;
    const { lanes } = model;
    return lanes.length > 1 && lanes.every((lane) => lane.windows === undefined || this.#sendsAtOnce(lane, most));
  }

  #sendsAtOnce(lane: Lane, weight: Weight): boolean {
    if (surelyFitsIn(lane, weight, this.#now)) return true;
    return lane.queue.length === 0 && hasRoom(lane, weight, this.#now);
  }

  /** Milliseconds. The prompt is counted only where its bounds do not say whether there is room. */
  #waitIn(lane: Lane, deployment: Deployment, most: Weight): number {
    if (lane.windows === undefined || this.#sendsAtOnce(lane, most)) return 0;
    const now = this.#now;
    const least = most.requests === 1 ? ONE_REQUEST : { ...NO_WEIGHT, requests: most.requests };
    const fitsMost = lane.queue.length > 0 && hasRoom(lane, most, now);
    const isClear = fitsMost || !hasRoom(lane, least, now);
    const weight = isClear ? most : weightOf(this.#sized, deployment, this.#nowMs);
    const isFree = isClear ? fitsMost : hasRoom(lane, weight, now);
    if (isFree && lane.queue.length === 0) return 0;
    const waitMs = roomAt(lane, weight, waitingIn(lane), now) - now;
    return waitMs > 0 || isFree ? waitMs : TRIAL_MS;
  }

  /** The slots are left one after the other: with all of them taken, each time an answer takes, as many are as there are. */
  #answersOf(endpoint: Endpoint): number {
    const { call } = this.#asked;
    const slots = this.#pacer.slotsOf(endpoint, this.#now);
    if (endpoint.used < slots) return 0;
    if (isNested(call.purpose) && callStateOf(call).holds(endpoint)) return 0;
    return (waitingBefore(endpoint, call, this.#now) + 1) / slots;
  }
}

/** How many that wait get a slot before the call. Those who wait for room in announced limits do not contend for one. */
function waitingBefore({ waiting }: Endpoint, call: Call, now: number): number {
  if (waiting.size === 0) return 0;
  const rank = rankOf(call);
  const tenant = tenantOf(call);
  let before = 0;
  for (const lane of waiting) {
    const head = lane.queue.head();
    if (head !== undefined && hasRoom(lane, head.waiter.weight, now)) before += lane.queue.ahead(rank, tenant).requests;
  }
  return before;
}

export const waitingIn = ({ queue }: Lane): Weight =>
  queue.length === 0 ? NO_WEIGHT : queue.ahead(Number.MAX_SAFE_INTEGER, '');
