/**
 * One limit that an endpoint announces, as a lower bound of what is left of it.
 *
 * W1. An answer says what was left when the endpoint handled its request. Every request that had ended before this one was
 *     sent is counted in that. All others (sent later, or still on their way) may not be, so they are deducted. Of several
 *     answers the highest such bound counts: each of them is true, in whatever order they were handled and arrive.
 * W2. What is left is never assumed to be more than the latest answer says, because others may use the same key.
 * W3. The end of the window lies between sending plus reset and arrival plus reset. An answer that was handled later says that less
 *     is left, and a bucket is full later by what it took: so the end is the latest that the answer says that says the least. A
 *     reset that lies later than that moves it.
 * W4. At its end a window is full again, less what is on its way. The first time this is only tried, with one request: some
 *     endpoints name the moment in which one more request fits. Its answer decides whether later windows begin full.
 *     While an answer is on its way that may tell of a window which nothing was heard of, no further one is assumed behind it.
 * W5. A limit that refills all the time (a bucket) is recognised by two pairs of answers that agree on the same rate,
 *     (limit − remaining) ÷ reset, at levels that differ by a factor of two. It then refills at 98 % of the lower of these rates,
 *     with one less missing, because endpoints round what remains down.
 * W6. A window that has ended and that the next three answers do not name is forgotten.
 * W7. A request that is larger than the whole limit is sent when the limit is full.
 */
import { type Counted, partOf, type Weight } from './weight.ts';

/** A statement with a number of what is left; times in milliseconds. */
export interface StatedWindow extends Counted {
  readonly limit: number | undefined;
  readonly remaining: number;
  readonly resetMs: number | undefined;
  readonly windowMs: number | undefined;
}

/** The attempt whose answer the statement came with. */
export interface Stating {
  /** Monotonic milliseconds. */
  readonly sentAt: number;
  /** What had ended of everything that was sent when it was sent. */
  readonly endedBefore: Weight;
  /** The part of its own weight that the statement includes. */
  readonly counted: Weight;
}

/** All that was sent at this lane since it has windows, and what of it has ended. */
export interface Traffic {
  readonly sent: Weight;
  readonly ended: Weight;
}

const WITHOUT_RESET_MS = 60_000;
const RATE_AGREEMENT = 0.1;
const RATE_MARGIN = 0.98;
/** A reset of full seconds is believed to a second: ratios of shorter ones say nothing. */
const COARSE_MS = 10_000;
/** Of fewer, the rounding says more than the rate. */
const LEAST_MISSING = 8;
const PAIRS = 2;
const SILENT_ANSWERS = 3;

interface Level {
  readonly missing: number;
  readonly resetMs: number;
}

export class Window {
  readonly #kind: Counted;
  readonly #windowMs: number | undefined;
  readonly #traffic: Traffic;
  #silent = 0;
  #limit: number;
  #room: number;
  #earliestEnd: number;
  #end: number;
  /** The least that an answer about this end said to be left. */
  #leastStated: number;
  #began = Number.NEGATIVE_INFINITY;
  /** No answer has confirmed the end yet. */
  #isAssumed = false;
  /** Its longest reset so far. */
  #periodMs: number;
  /** Undefined until one request was tried after an end. */
  #beginsFull: boolean | undefined;
  #isTrial = false;
  /** Per millisecond, of a bucket. */
  #rate: number | undefined;
  #refilledAt: number;
  #level: Level | undefined;
  #pairs = 0;

  constructor(stated: StatedWindow, stating: Stating, traffic: Traffic, now: number) {
    this.#kind = { kind: stated.kind, counts: stated.counts };
    this.#windowMs = stated.windowMs;
    this.#traffic = traffic;
    const resetMs = resetOf(stated);
    this.#limit = stated.limit ?? stated.remaining + 1;
    this.#room = this.#leastLeft(stated, stating);
    this.#earliestEnd = stating.sentAt + resetMs;
    this.#end = now + resetMs;
    this.#leastStated = stated.remaining;
    this.#periodMs = Math.max(resetMs, stated.windowMs ?? 0);
    this.#refilledAt = now;
    this.#level = levelOf(stated);
  }

  get kind(): 'requests' | 'tokens' {
    return this.#kind.kind;
  }

  get limit(): number {
    return this.#limit;
  }

  is({ kind, counts, windowMs }: StatedWindow): boolean {
    return kind === this.#kind.kind && counts === this.#kind.counts && windowMs === this.#windowMs;
  }

  /** An answer came that does not name it. True: the endpoint does not announce it any more. */
  unstated(): boolean {
    this.#silent += 1;
    return this.#isAssumed && this.#silent >= SILENT_ANSWERS;
  }

  stated(stated: StatedWindow, stating: Stating, now: number): void {
    this.advance(now);
    const { remaining } = stated;
    this.#silent = 0;
    this.#limit = stated.limit ?? Math.max(this.#limit, remaining);
    this.#room = Math.max(this.#room, this.#leastLeft(stated, stating));
    // What was sent before the window began may have been counted in the one before.
    const isOfThis = stating.sentAt >= this.#began;
    this.#learnEnd(stated, isOfThis, stating.sentAt, now);
    this.#learnRate(stated, now);
    if (!isOfThis) return;
    const refilled = this.#rate === undefined ? 0 : (this.#rate / RATE_MARGIN) * (now - stating.sentAt);
    this.#room = Math.min(this.#room, remaining + refilled);
    if (this.#isTrial) this.#judgeTrial(stated, stating);
  }

  /** Renews what has come to its end by now. Call it before anything is taken, given back or ended. */
  advance(now: number): void {
    if (this.#rate !== undefined) {
      const most = this.#limit - this.#onTheWay();
      const refilled = this.#room + this.#rate * (now - this.#refilledAt);
      this.#room = Math.max(this.#room, Math.min(most, refilled));
      this.#refilledAt = now;
      return;
    }
    if (now < this.#end || this.#awaitsAnswer()) return;
    this.#isTrial = this.#beginsFull !== true;
    this.#room = this.#limit - this.#onTheWay();
    this.#began = this.#end;
    this.#isAssumed = true;
    this.#earliestEnd = this.#end = now + this.#periodMs;
    this.#level = undefined;
  }

  fits(weight: Weight, inFlight: number): boolean {
    if (this.#isTrial) return inFlight === 0;
    return this.#room >= Math.min(partOf(weight, this.#kind), this.#limit);
  }

  /** So much fits, whatever else is known, until `changesAt`, if nothing is taken or stated before. Call it after `advance`. */
  leastRoom(inFlight: number): number {
    if (!this.#isTrial) return this.#room;
    return inFlight === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** When time alone may leave it less room: at its end, from which one request tries. What refills all the time has no end. */
  changesAt(): number {
    return this.#rate === undefined ? this.#end : Number.POSITIVE_INFINITY;
  }

  /** All of it is left, so any request fits. Call it after `advance`. */
  isWhole(): boolean {
    return this.#room >= this.#limit;
  }

  take(weight: Weight, now: number): void {
    this.#room -= partOf(weight, this.#kind);
    if (this.#isAssumed) this.#end = now + this.#periodMs;
  }

  /** Of what was taken and never sent. */
  giveBack(weight: Weight): void {
    this.#room += partOf(weight, this.#kind);
  }

  /** The earliest moment at which so much may fit behind what already waits, as far as is known. Never before `now`. */
  roomAt(weight: Weight, waiting: Weight, now: number): number {
    const needed = Math.min(partOf(weight, this.#kind), this.#limit) + partOf(waiting, this.#kind);
    if (needed <= this.#room && !this.#isTrial) return now;
    if (this.#isTrial && partOf(waiting, this.#kind) === 0) return now;
    if (this.#rate !== undefined) return now + Math.ceil((needed - this.#room) / this.#rate);
    const full = Math.max(1, this.#limit);
    const windows = Math.ceil((needed - Math.max(0, this.#room)) / full);
    const end = this.#awaitsAnswer() ? Math.max(this.#end, now + this.#periodMs) : this.#end;
    return Math.max(now, end + Math.max(0, windows - 1) * this.#periodMs);
  }

  /** Nothing is known of the window but that the one before it has ended, and an answer that may tell is on its way. */
  #awaitsAnswer(): boolean {
    return this.#isAssumed && this.#onTheWay() > 0;
  }

  #onTheWay(): number {
    return partOf(this.#traffic.sent, this.#kind) - partOf(this.#traffic.ended, this.#kind);
  }

  #leastLeft({ remaining }: StatedWindow, { endedBefore, counted }: Stating): number {
    const { sent } = this.#traffic;
    const others = partOf(sent, this.#kind) - partOf(endedBefore, this.#kind) - partOf(counted, this.#kind);
    return remaining - Math.max(0, others);
  }

  #learnEnd(stated: StatedWindow, isOfThis: boolean, sentAt: number, now: number): void {
    const resetMs = resetOf(stated);
    this.#periodMs = Math.max(this.#periodMs, resetMs);
    const earliest = sentAt + resetMs;
    const latest = now + resetMs;
    if (earliest > this.#end || (this.#isAssumed && isOfThis)) {
      if (!this.#isAssumed) this.#began = now;
      this.#isAssumed = false;
      this.#earliestEnd = earliest;
      this.#end = latest;
      this.#leastStated = stated.remaining;
    } else if (latest >= this.#earliestEnd && stated.remaining <= this.#leastStated) {
      const isNearer = isOfThis && stated.remaining < this.#leastStated;
      this.#end = isNearer ? latest : Math.max(this.#end, latest);
      this.#leastStated = stated.remaining;
    }
    if (isOfThis && latest >= this.#earliestEnd) this.#earliestEnd = Math.max(this.#earliestEnd, earliest);
  }

  #judgeTrial({ remaining }: StatedWindow, { counted }: Stating): void {
    this.#isTrial = false;
    this.#beginsFull = remaining + partOf(counted, this.#kind) >= this.#limit;
  }

  #learnRate(stated: StatedWindow, now: number): void {
    const next = levelOf(stated);
    const before = this.#level;
    if (next === undefined) return;
    if (before === undefined) {
      this.#level = next;
      return;
    }
    const factor = next.missing / before.missing;
    if (factor < 2 && factor > 0.5) return;
    this.#level = next;
    const [one, other] = [before.missing / before.resetMs, next.missing / next.resetMs];
    if (Math.max(one, other) > Math.min(one, other) * (1 + RATE_AGREEMENT)) {
      this.#pairs = 0;
      return;
    }
    this.#pairs += 1;
    if (this.#pairs < PAIRS) return;
    this.#isTrial = false;
    const larger = next.missing > before.missing ? next : before;
    // What was refilled until now is in what the answers said.
    if (this.#rate === undefined) this.#refilledAt = now;
    this.#rate = Math.min(one, other, (larger.missing - 1) / larger.resetMs) * RATE_MARGIN;
  }
}

const resetOf = ({ resetMs, windowMs }: StatedWindow): number => resetMs ?? windowMs ?? WITHOUT_RESET_MS;

/** Undefined where it says nothing of a rate. */
function levelOf({ limit, remaining, resetMs }: StatedWindow): Level | undefined {
  if (limit === undefined || resetMs === undefined || resetMs <= 0 || remaining >= limit) return undefined;
  const isCoarse = resetMs % 1000 === 0 && resetMs < COARSE_MS;
  const missing = limit - remaining;
  return isCoarse || missing < LEAST_MISSING ? undefined : { missing, resetMs };
}
