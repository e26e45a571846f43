/**
 * All endpoints and lanes: finds those of a target, lets attempts go or wait, and tells what is held back. The layer
 * (limiter.ts), the choice of targets and of credentials (retry.ts) and the explanation ask it.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Config } from '../../../core/config.ts';
import { PolyphonyError } from '../../../core/errors.ts';
import type { Attempt, ModelRequest, Target } from '../../../core/model/model.ts';
import { timeLeftMs } from '../../../core/model/time-left.ts';
import { withCredential } from '../../calls/target.ts';
import type { GatewayEvents } from '../../gateway-events.ts';
import type { Deployment, Registry } from '../../routing/registry.ts';
import { leave, type Pump, pump } from './endpoint.ts';
import { type Endpoint, hasRoom, isWhole, type Lane, newEndpoint, newLane, roomAt } from './lane.ts';
import { LONGEST_WAIT_MS, noRoom } from './refusals.ts';
import { mostOf, NO_WEIGHT, ONE_REQUEST, ratioOf, type Weight, weightOf } from './weight.ts';

export interface PacerParts {
  readonly clock: Clock;
  readonly config: () => Config;
  readonly registry: () => Registry;
  readonly events?: GatewayEvents;
}

export interface Pacer extends Pump {
  laneOf(target: Target): Lane;
  find(target: Target): Deployment | undefined;
  configuredSlots(endpoint: Endpoint): number;
  leastSlots(): number;
  /** Limits that endpoints announce are kept. */
  keepsLimits(): boolean;
  /** True once any endpoint has announced a limit. */
  announces(): boolean;
  /** The lane has windows, and something of them may be used. */
  announced(lane: Lane): void;
  /** What the attempt takes of limits, at the target. */
  weigh(attempt: Attempt, target: Target): Weight;
  /** What the provider is taken to count for one token of an estimate. */
  ratioOf(target: Target): number;
  /** When the lane of the target has room for the attempt, in epoch milliseconds. */
  roomAt(attempt: Attempt, target: Target): number;
  /** False: all announced limits have all of their room, or there are none. */
  mayWait(): boolean;
  /** Milliseconds that a request would wait, for each deployment where it would; undefined: nowhere. Of several credentials the one that can send first counts. */
  waits(asked: WaitsAsked): Waits | undefined;
  changed(endpoint: Endpoint): void;
  tell: GatewayEvents['tell'] | undefined;
  /** Everything that waits fails. */
  close(): void;
}

export type Waits = ReadonlyMap<Deployment, number>;

export interface WaitsAsked {
  readonly request: ModelRequest;
  /** The credentials that may be used, and for how long their endpoint asked to leave each alone. */
  readonly waysOf: (
    deployment: Deployment,
  ) => readonly { readonly label: string | undefined; readonly restMs: number }[];
  /** Those with a credential that is left alone. */
  readonly resting: readonly Deployment[];
}

const DEFAULT_SLOTS = 64;
const LEAST_SLOTS = 4;
/** Behind the one request that tries whether a window is full again, until it is answered. */
const TRIAL_MS = 1000;
/** Names of models that their provider does not list come from callers: above so many, those of an endpoint share a lane. */
const MAX_LANES = 4096;

export function createPacer({ clock, config, registry, events }: PacerParts): Pacer {
  const endpoints = new Map<string, Endpoint>();
  const byName = new Map<string, Lane>();
  /** A cache: targets are made once and kept. */
  const byTarget = new WeakMap<Target, Lane>();
  let announces = false;
  /** The lanes with windows of which something may be used: the only ones that may have no room. */
  const paced = new Set<Lane>();
  const find = (target: Target): Deployment | undefined => registry().find(target);
  const laneFor = (target: Target): Lane => {
    const { provider, region, model, credential = '' } = target;
    const place = region === undefined ? provider : `${provider}@${region}`;
    const endpoint = keptIn(endpoints, place, () => newEndpoint(place));
    const key = `${place}\n${byName.size < MAX_LANES ? `${model}\n${credential}` : ''}`;
    const known = byName.get(`${place}\n${model}\n${credential}`);
    const lane = known ?? keptIn(byName, key, () => newLane(endpoint, target));
    byTarget.set(target, lane);
    return lane;
  };
  const configuredSlots = ({ name }: Endpoint): number => {
    const provider = name.includes('@') ? name.slice(0, name.indexOf('@')) : name;
    return config().concurrency?.[provider] ?? registry().providers.get(provider)?.concurrency ?? DEFAULT_SLOTS;
  };
  const pacer: Pacer = {
    clock,
    find,
    configuredSlots,
    laneOf: (target) => byTarget.get(target) ?? laneFor(target),
    leastSlots: () => config().throttle?.leastConcurrency ?? LEAST_SLOTS,
    keepsLimits: () => config().throttle?.announced !== false,
    announces: () => announces,
    announced(lane) {
      announces = true;
      paced.add(lane);
    },
    slotsOf: (endpoint, now) => endpoint.slots.of(configuredSlots(endpoint), now),
    weigh: ({ request }, target) => weightOf(request, find(target), clock.now()),
    ratioOf: (target) => ratioOf(find(target), clock.now()),
    roomAt(attempt, target) {
      const lane = pacer.laneOf(target);
      const nowMs = clock.now();
      if (lane.windows === undefined) return nowMs;
      const now = clock.monotonic();
      return nowMs + roomAt(lane, pacer.weigh(attempt, target), waitingIn(lane), now) - now;
    },
    mayWait: () => paced.size > 0,
    waits: (asked) => waitsAt(pacer, paced, (target) => byTarget.get(target), asked),
    blocked: (lane, at) => spill(lane, at, clock),
    changed: (endpoint) => pump(endpoint, pacer),
    tell: events?.tell,
    close() {
      const error = new PolyphonyError('cancelled', 'The gateway was closed while the call waited to be sent.');
      for (const { queue } of byName.values()) for (const waiter of queue.waiters()) waiter.giveUp(error);
    },
  };
  return pacer;
}

function keptIn<T>(all: Map<string, T>, key: string, make: () => T): T {
  const known = all.get(key);
  if (known !== undefined) return known;
  const made = make();
  all.set(key, made);
  return made;
}

const waitingIn = ({ queue }: Lane): Weight =>
  queue.length === 0 ? NO_WEIGHT : queue.ahead(Number.MAX_SAFE_INTEGER, '');

/** In a lane that is not known nothing was announced. */
type LaneOf = (target: Target) => Lane | undefined;

function waitsAt(pacer: Pacer, paced: Set<Lane>, laneOf: LaneOf, asked: WaitsAsked): Waits | undefined {
  const now = pacer.clock.monotonic();
  const nowMs = pacer.clock.now();
  let waits: Map<Deployment, number> | undefined;
  const look = (deployment: Deployment): void => {
    let least = Number.POSITIVE_INFINITY;
    for (const { label, restMs } of asked.waysOf(deployment)) {
      const lane = laneOf(withCredential(deployment.target, label));
      const waitMs =
        lane === undefined ? restMs : Math.max(restMs, waitIn(lane, deployment, asked.request, now, nowMs));
      if (waitMs < least) least = waitMs;
    }
    if (least === 0 || least === Number.POSITIVE_INFINITY) return;
    waits ??= new Map();
    waits.set(deployment, least);
  };
  for (const lane of paced) {
    if (isWhole(lane, now)) paced.delete(lane);
    else {
      const deployment = pacer.find(lane.target);
      if (deployment === undefined || waits?.has(deployment) === true) continue;
      if (lane.queue.length > 0 || !hasRoom(lane, mostOf(asked.request, deployment, nowMs), now)) look(deployment);
    }
  }
  for (const deployment of asked.resting) if (waits?.has(deployment) !== true) look(deployment);
  return waits;
}

/** Milliseconds. The prompt is counted only where its bounds do not say whether there is room. */
function waitIn(lane: Lane, deployment: Deployment, request: ModelRequest, now: number, nowMs: number): number {
  if (lane.windows === undefined) return 0;
  const most = mostOf(request, deployment, nowMs);
  const least = most.requests === 1 ? ONE_REQUEST : { ...NO_WEIGHT, requests: most.requests };
  const isClear = hasRoom(lane, most, now) || !hasRoom(lane, least, now);
  const weight = isClear ? most : weightOf(request, deployment, nowMs);
  const isFree = hasRoom(lane, weight, now);
  if (isFree && lane.queue.length === 0) return 0;
  const waitMs = roomAt(lane, weight, waitingIn(lane), now) - now;
  return waitMs > 0 || isFree ? waitMs : TRIAL_MS;
}

/**
 * Those try elsewhere at once who would wait beyond their deadline, or for more than an hour since they came. Whoever can wait until
 * a moment can wait until an earlier one: only a later one than before is a reason to look at all of them again.
 */
function spill(lane: Lane, at: number, clock: Clock): void {
  if (at <= lane.spilledTo) return;
  lane.spilledTo = at;
  const waitMs = at - clock.monotonic();
  for (const waiter of lane.queue.waiters()) {
    const isTooLate = timeLeftMs(waiter.attempt, clock) <= waitMs;
    if (isTooLate || at - waiter.since > LONGEST_WAIT_MS) waiter.giveUp(noRoom(waiter.attempt, waitMs));
  }
  if (lane.queue.length === 0) leave(lane);
}
