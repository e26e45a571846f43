/** An endpoint, and its lanes: the way to one model with one credential: its announced windows, what is on its way, and who waits. */

import { boundedDelayMs } from '../../../core/errors.ts';
import type { Attempt, Target } from '../../../core/model/model.ts';
import type { RateLimit } from '../../../core/model/provider.ts';
import { nameOf } from '../../calls/target.ts';
import { type AdaptiveSlots, adaptiveSlots } from './adaptive-slots.ts';
import { type FairQueue, fairQueue, newTurns, type TurnsByRank } from './fair-queue.ts';
import { add, type MutableWeight, NO_WEIGHT, type Weight } from './weight.ts';
import { type StatedWindow, Window } from './window.ts';

/** One attempt that was let go, until it has ended. A class: see docs/decisions/objects-of-a-call.md. */
export class Passage {
  readonly attempt: Attempt;
  readonly sentAt: number;
  /** Undefined while the lane has no windows. */
  weight: Weight | undefined;
  endedBefore: Weight = NO_WEIGHT;
  /** Its answers that stated limits: one for each request that it is sent in. */
  statements = 0;
  previous: Passage | undefined;
  next: Passage | undefined = undefined;

  constructor(attempt: Attempt, sentAt: number, weight: Weight | undefined, previous: Passage | undefined) {
    this.attempt = attempt;
    this.sentAt = sentAt;
    this.weight = weight;
    this.previous = previous;
  }
}

/** A provider in a region. */
export interface Endpoint {
  readonly name: string;
  readonly turns: TurnsByRank;
  readonly slots: AdaptiveSlots;
  used: number;
  /** The lanes with a queue. */
  readonly waiting: Set<Lane>;
  /** When the timer fires, in monotonic milliseconds; Infinity: there is none. */
  timerAt: number;
  cancelTimer: (() => void) | undefined;
}

export const newEndpoint = (name: string): Endpoint => ({
  name,
  turns: newTurns(),
  slots: adaptiveSlots(),
  used: 0,
  waiting: new Set(),
  timerAt: Number.POSITIVE_INFINITY,
  cancelTimer: undefined,
});

export interface Lane {
  readonly endpoint: Endpoint;
  readonly target: Target;
  readonly name: string;
  readonly queue: FairQueue;
  /** Undefined: nothing was announced. */
  windows: Window[] | undefined;
  readonly sent: MutableWeight;
  readonly ended: MutableWeight;
  inFlight: number;
  /** When the last attempt was let go, in monotonic milliseconds; -Infinity: never. */
  usedAt: number;
  /** A list of links, because a Set costs twice as much at every attempt. */
  last: Passage | undefined;
  /** Somebody was told that attempts wait. */
  isTold: boolean;
  /** What the provider was taken to count for one token of an estimate when all was weighed. */
  ratio: number;
  /** The monotonic moment until which everybody in the queue can wait, as far as it was looked at. */
  spilledTo: number;
  readonly model: ModelLanes;
  /** Of how much there surely is room (room.ts). */
  readonly sure: SureRoom;
  /** It is among those that may have no room. */
  isPaced: boolean;
}

/** A lower bound of the room in windows before which nobody waits, so that those with plenty are not looked through for each call. */
export interface SureRoom {
  requests: number;
  /** Of either kind. */
  tokens: number;
  /** Until when it holds if nothing else happens, in monotonic milliseconds; -Infinity: it must be found anew. */
  until: number;
}

const newSureRoom = (): SureRoom => ({ requests: 0, tokens: 0, until: Number.NEGATIVE_INFINITY });

/** The lanes of one model at an endpoint, one for each credential. */
export interface ModelLanes {
  readonly endpoint: Endpoint;
  readonly lanes: Lane[];
  /** Of how much there surely is room in each of them. */
  readonly sure: SureRoom;
  /** One of the lanes is that of other models too, which cannot tell this one what changes. */
  sharesLane: boolean;
}

export const newModelLanes = (endpoint: Endpoint): ModelLanes => ({
  endpoint,
  lanes: [],
  sure: newSureRoom(),
  sharesLane: false,
});

const MAX_WINDOWS = 16;

export const newLane = (model: ModelLanes, target: Target): Lane => ({
  endpoint: model.endpoint,
  target,
  name: nameOf(target),
  queue: fairQueue(model.endpoint.turns),
  windows: undefined,
  sent: { ...NO_WEIGHT },
  ended: { ...NO_WEIGHT },
  inFlight: 0,
  usedAt: Number.NEGATIVE_INFINITY,
  last: undefined,
  isTold: false,
  ratio: 1,
  spilledTo: Number.POSITIVE_INFINITY,
  model,
  sure: newSureRoom(),
  isPaced: false,
});

/** Something was taken, stated or weighed anew, or somebody waits: its room must be looked at again. */
export function forgetRoom({ sure, model }: Lane): void {
  sure.until = Number.NEGATIVE_INFINITY;
  model.sure.until = Number.NEGATIVE_INFINITY;
}

export function begin(lane: Lane, attempt: Attempt, weight: Weight | undefined, now: number): Passage {
  const { windows, last } = lane;
  const passage = new Passage(attempt, now, weight, last);
  if (last !== undefined) last.next = passage;
  lane.last = passage;
  lane.inFlight += 1;
  lane.usedAt = now;
  if (windows === undefined || weight === undefined) return passage;
  passage.endedBefore = { ...lane.ended };
  add(lane.sent, weight);
  forgetRoom(lane);
  for (const window of windows) window.take(weight, now);
  return passage;
}

export function end(lane: Lane, passage: Passage, wasSent: boolean, now: number): void {
  unlink(lane, passage);
  lane.inFlight -= 1;
  forgetRoom(lane);
  const { weight } = passage;
  if (lane.windows === undefined || weight === undefined) return;
  for (const window of lane.windows) window.advance(now);
  if (!wasSent) {
    add(lane.sent, weight, -1);
    for (const window of lane.windows) window.giveBack(weight);
    return;
  }
  add(lane.ended, weight);
  if (passage.statements === 0) forget(lane, lane.windows);
}

/** Those that are not announced any more, of which the last answer named none. */
function forget(lane: Lane, silent: readonly Window[]): void {
  const kept = lane.windows?.filter((window) => !silent.includes(window) || !window.unstated());
  if (kept?.length === lane.windows?.length) return;
  lane.windows = kept?.length === 0 ? undefined : kept;
  if (lane.windows !== undefined) return;
  // The next announcement counts from what is then on its way.
  Object.assign(lane.sent, NO_WEIGHT);
  Object.assign(lane.ended, NO_WEIGHT);
  for (let passage = lane.last; passage !== undefined; passage = passage.previous) passage.weight = undefined;
}

function unlink(lane: Lane, passage: Passage): void {
  const { previous, next } = passage;
  if (previous !== undefined) previous.next = next;
  if (next === undefined) lane.last = previous;
  else next.previous = previous;
  // It would keep all that came after it from being collected with the young.
  passage.previous = undefined;
  passage.next = undefined;
}

/** Reads what the endpoint states with an answer. Nothing that it says can throw here. */
export function stated(
  lane: Lane,
  passage: Passage,
  limits: unknown,
  weigh: (attempt: Attempt) => Weight,
  now: number,
): void {
  const read = readable(limits);
  if (read.length === 0) return;
  forgetRoom(lane);
  if (lane.windows === undefined) weighAll(lane, weigh);
  lane.windows ??= [];
  const { windows } = lane;
  const { weight = NO_WEIGHT } = passage;
  passage.statements += 1;
  const isWhole = passage.statements >= weight.requests;
  const counted = {
    requests: Math.min(passage.statements, weight.requests),
    ...(isWhole ? tokensOf(weight) : NO_TOKENS),
  };
  const stating = { sentAt: passage.sentAt, endedBefore: passage.endedBefore, counted };
  const used = new Set<Window>();
  for (const one of read) {
    const same = windows.filter((window) => !used.has(window) && window.is(one));
    const known = same.find(({ limit }) => limit === one.limit) ?? same[0];
    const window = known ?? new Window(one, stating, lane, now);
    used.add(window);
    if (known === undefined) windows.push(window);
    else known.stated(one, stating, now);
  }
  if (windows.length > used.size)
    forget(
      lane,
      windows.filter((window) => !used.has(window)),
    );
  if (windows.length > MAX_WINDOWS) windows.splice(0, windows.length - MAX_WINDOWS);
}

const NO_TOKENS = { input: 0, output: 0 };
const tokensOf = ({ input, output }: Weight): typeof NO_TOKENS => ({ input, output });

/** From the first statement on, everything that is on its way counts. */
function weighAll(lane: Lane, weigh: (attempt: Attempt) => Weight): void {
  for (let passage = lane.last; passage !== undefined; passage = passage.previous) {
    passage.weight = weigh(passage.attempt);
    add(lane.sent, passage.weight);
  }
  lane.queue.weigh(weigh);
}

/** A ratio that moved less is within the margin of a weight. */
const REWEIGHED_AT = 0.1;

/**
 * What was learned of how the provider counts holds for all that is on its way and all that waits, not only for what comes. Once
 * the ratio is learned, it hardly moves, so this seldom looks at the queue.
 */
export function reweigh(lane: Lane, ratio: number, weigh: (attempt: Attempt) => Weight): void {
  const { windows } = lane;
  if (Math.abs(ratio / lane.ratio - 1) < REWEIGHED_AT || windows === undefined) return;
  lane.ratio = ratio;
  forgetRoom(lane);
  for (let passage = lane.last; passage !== undefined; passage = passage.previous) {
    const before = passage.weight;
    if (before === undefined) continue;
    const { requests } = before;
    const { input, output } = weigh(passage.attempt);
    const less = { requests: 0, input: before.input - input, output: before.output - output };
    passage.weight = { requests, input, output };
    add(lane.sent, less, -1);
    for (const window of windows) window.giveBack(less);
  }
  lane.queue.weigh(weigh);
}

/** Providers are plugins, so what they report is not trusted. A limit without what is left of it cannot be kept. */
function readable(limits: unknown): readonly StatedWindow[] {
  if (!Array.isArray(limits)) return [];
  const read: StatedWindow[] = [];
  for (const limit of limits.slice(0, MAX_WINDOWS) as readonly (Partial<RateLimit> | null)[]) {
    const remaining = countOf(limit?.remaining);
    if (limit === null || remaining === undefined) continue;
    const { kind, counts } = limit;
    if (kind !== 'requests' && kind !== 'tokens') continue;
    read.push({
      kind,
      counts: counts === 'input' || counts === 'output' ? counts : undefined,
      limit: countOf(limit.limit),
      remaining,
      resetMs: boundedDelayMs(limit.resetMs),
      windowMs: boundedDelayMs(limit.windowMs),
    });
  }
  return read;
}

const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;

/** Turns: a request, or a thousand tokens where the endpoint counts tokens. */
export function costOf({ windows }: Lane, { requests, input, output }: Weight): number {
  const countsTokens = windows?.some(({ kind }) => kind === 'tokens') === true;
  return countsTokens ? Math.max(requests, (input + output) / 1000) : requests;
}
