/**
 * All endpoints and lanes: finds those of a target, lets attempts go or wait, and tells what is held back. The layer
 * (limiter.ts), the choice of targets and of credentials (retry.ts) and the explanation ask it.
 */
import type { Clock } from '../../../core/clock.ts';
import type { Config } from '../../../core/config.ts';
import { PolyphonyError } from '../../../core/errors.ts';
import type { Attempt, Target } from '../../../core/model/model.ts';
import { timeLeftMs } from '../../../core/model/time-left.ts';
import { callStateOf } from '../../calls/call-state.ts';
import type { GatewayEvents } from '../../gateway-events.ts';
import type { Waits } from '../../routing/negotiation.ts';
import type { Deployment, Registry } from '../../routing/registry.ts';
import { leave, type Pump, pump } from './endpoint.ts';
import { type Endpoint, forgetRoom, type Lane, type ModelLanes, newEndpoint, newLane, newModelLanes } from './lane.ts';
import { LONGEST_WAIT_MS, noRoom } from './refusals.ts';
import { PacedLanes, roomAt } from './room.ts';
import { CallWaits, type WaitsAsked, waitingIn } from './waits.ts';
import { ratioOf, type Weight, weightOf } from './weight.ts';

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
  /** All slots of the endpoint are taken, or were: others may have to wait for one. */
  filled(endpoint: Endpoint): void;
  /** False: every endpoint has a free slot, and all announced limits have all of their room, or there are none. */
  mayWait(): boolean;
  /** What a call would wait for, found for each deployment when it is asked for. */
  waits(asked: WaitsAsked): Waits;
  changed(endpoint: Endpoint): void;
  tell: GatewayEvents['tell'] | undefined;
  /** Everything that waits fails. */
  close(): void;
}

const DEFAULT_SLOTS = 64;
const LEAST_SLOTS = 4;
/** Names of models that their provider does not list come from callers: above so many, those of an endpoint share a lane. */
const MAX_LANES = 4096;
/** Likewise: the models of which somebody asked whether they have room. */
const MAX_MODELS = 16_384;

export function createPacer({ clock, config, registry, events }: PacerParts): Pacer {
  const endpoints = new Map<string, Endpoint>();
  const byName = new Map<string, Lane>();
  /** A cache: targets are made once and kept. */
  const byTarget = new WeakMap<Target, Lane>();
  let announces = false;
  /** The lanes with windows of which something may be used: the only ones that may have no room. */
  const paced = new PacedLanes();
  /** Those without a free slot, and some that have one again. */
  const full = new Set<Endpoint>();
  const models = new Map<string, ModelLanes>();
  const byDeployed = new WeakMap<Target, ModelLanes>();
  const find = (target: Target): Deployment | undefined => registry().find(target);
  const endpointOf = (place: string): Endpoint => keptIn(endpoints, place, () => newEndpoint(place));
  const lanesFor = (target: Target): ModelLanes => {
    const place = placeOf(target);
    const key = `${place}\n${models.size < MAX_MODELS ? target.model : ''}`;
    const known = models.get(`${place}\n${target.model}`);
    return known ?? keptIn(models, key, () => newModelLanes(endpointOf(place)));
  };
  const lanesOf = (target: Target): ModelLanes => {
    const before = byDeployed.get(target);
    if (before !== undefined) return before;
    const found = lanesFor(target);
    byDeployed.set(target, found);
    return found;
  };
  const laneFor = (target: Target): Lane => {
    const { model, credential = '' } = target;
    const place = placeOf(target);
    const key = `${place}\n${byName.size < MAX_LANES ? `${model}\n${credential}` : ''}`;
    const known = byName.get(laneName(target));
    const all = lanesFor(target);
    const lane = known ?? keptIn(byName, key, () => newLane(all, target));
    if (lane.model !== all) all.sharesLane = true;
    if (!all.lanes.includes(lane)) all.lanes.push(lane);
    forgetRoom(lane);
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
    filled: (endpoint) => void full.add(endpoint),
    slotsOf: (endpoint, now) => endpoint.slots.of(configuredSlots(endpoint), now),
    weigh(attempt, target) {
      const { request } = attempt;
      const { size } = callStateOf(attempt).needs(request);
      return weightOf({ request, size }, find(target), clock.now());
    },
    ratioOf: (target) => ratioOf(find(target), clock.now()),
    roomAt(attempt, target) {
      const lane = pacer.laneOf(target);
      const nowMs = clock.now();
      if (lane.windows === undefined) return nowMs;
      const now = clock.monotonic();
      return nowMs + roomAt(lane, pacer.weigh(attempt, target), waitingIn(lane), now) - now;
    },
    mayWait() {
      if (paced.size === 0 && full.size === 0) return false;
      const now = clock.monotonic();
      paced.dropOne(now);
      for (const endpoint of full) if (endpoint.used < pacer.slotsOf(endpoint, now)) full.delete(endpoint);
      return paced.size > 0 || full.size > 0;
    },
    waits: (asked) =>
      new CallWaits(pacer, full, lanesOf, (target) => byTarget.get(target) ?? byName.get(laneName(target)), asked),
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

const laneName = (target: Target): string => `${placeOf(target)}\n${target.model}\n${target.credential ?? ''}`;

const placeOf = ({ provider, region }: Target): string => (region === undefined ? provider : `${provider}@${region}`);

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
