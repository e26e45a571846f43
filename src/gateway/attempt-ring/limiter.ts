/**
 * Holds attempts back: by the slots of their endpoint (a provider in a region), and by the limits that it announces for a
 * model and a credential. Those that wait go by priority, then fairly by tenant. A free slot costs no queue and no promise.
 *
 * L1. There are never more open streams than slots, except for nested calls of a call that holds a slot (L3).
 * L2. A waiting attempt fails at once when its signal aborts or its deadline is reached, and leaves the queue.
 * L3. A judge or a moderator of a stream that holds a slot at the same endpoint needs no slot: otherwise each would wait
 *     for the other for ever.
 * L4. Once an endpoint has announced a limit, nothing is sent that may exceed it (window.ts).
 * L5. An attempt that would wait beyond its deadline, or longer than an hour in all, fails at once with the fault `no-room`, so that
 *     another credential or target is tried.
 * L6. An endpoint that announces nothing is not slowed by L4 and L5.
 */

import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import type { EndpointReport } from '../../core/model/provider.ts';
import { hooksOf, observeBy, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { type AttemptState, attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { isNested, rankOf, tenantOf } from './limiter/fair-queue.ts';
import { begin, end, type Lane, type Passage, reweigh, stated } from './limiter/lane.ts';
import type { Pacer } from './limiter/pacer.ts';
import { hasRoom } from './limiter/room.ts';
import { wait } from './limiter/waiting.ts';
import { ONE_REQUEST, type Weight } from './limiter/weight.ts';

export function limiter({ pacer }: { readonly pacer: Pacer }): Middleware<Attempt> {
  return (attempt, next) => observeBy(HOOKS, new SlotHolder(pacer, pacer.laneOf(attempt.target), attempt, next));
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class SlotHolder implements StreamObserver {
  readonly #pacer: Pacer;
  readonly #lane: Lane;
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  readonly #state: AttemptState;
  #passage: Passage | undefined;
  #holdsSlot = false;

  constructor(pacer: Pacer, lane: Lane, attempt: Attempt, next: Handler<Attempt>) {
    this.#pacer = pacer;
    this.#lane = lane;
    this.#attempt = attempt;
    this.#next = next;
    this.#state = attemptStateOf(attempt);
  }

  start(): Promise<void> | undefined {
    const attempt = this.#attempt;
    const lane = this.#lane;
    const { endpoint } = lane;
    const { clock } = this.#pacer;
    const now = clock.monotonic();
    const needsSlot = !(isNested(attempt.purpose) && callStateOf(attempt).holds(endpoint));
    const weight = lane.windows === undefined ? undefined : this.#pacer.weigh(attempt, attempt.target);
    const slots = needsSlot ? this.#pacer.slotsOf(endpoint, now) : Number.POSITIVE_INFINITY;
    // Whoever waits while a slot is free waits for room in another lane.
    const isFree = !needsSlot || (lane.queue.length === 0 && endpoint.used < slots);
    if (isFree && (weight === undefined || hasRoom(lane, weight, now))) {
      this.#enter(needsSlot, weight, now);
      if (endpoint.used >= slots) this.#pacer.filled(endpoint);
      return undefined;
    }
    if (endpoint.used >= slots) this.#pacer.filled(endpoint);
    const place = {
      attempt,
      lane,
      rank: rankOf(attempt),
      tenant: tenantOf(attempt),
      weight: weight ?? ONE_REQUEST,
      needsSlot,
    };
    const go = (weighed: Weight): void => {
      const wentAt = clock.monotonic();
      this.#state.queueMs = wentAt - now;
      this.#enter(needsSlot, lane.windows === undefined ? undefined : weighed, wentAt);
    };
    return wait(this.#pacer, place, go);
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#attempt);
  }

  /** Providers are plugins: a report that cannot be read is ignored, because the answer matters more. */
  stated(report: EndpointReport): void {
    try {
      this.#read(report);
    } catch {}
  }

  #read({ rateLimits }: EndpointReport): void {
    const pacer = this.#pacer;
    const lane = this.#lane;
    if (rateLimits === undefined || this.#passage === undefined || !pacer.keepsLimits()) return;
    stated(lane, this.#passage, rateLimits, (one) => pacer.weigh(one, one.target), pacer.clock.monotonic());
    if (lane.windows === undefined) return;
    pacer.announced(lane);
    pacer.changed(lane.endpoint);
  }

  end(ending: StreamEnding): StreamEnding {
    const lane = this.#lane;
    const { endpoint } = lane;
    const now = this.#pacer.clock.monotonic();
    if (this.#passage !== undefined) end(lane, this.#passage, wasSent(this.#state, ending), now);
    if (lane.windows !== undefined) this.#learn(lane);
    this.#state.pacing = undefined;
    this.#adapt(ending, now);
    if (this.#holdsSlot) {
      endpoint.used -= 1;
      callStateOf(this.#attempt).release(endpoint);
    }
    if (endpoint.waiting.size > 0) this.#pacer.changed(endpoint);
    return ending;
  }

  /** The layers within have told what the provider counted. */
  #learn(lane: Lane): void {
    const pacer = this.#pacer;
    reweigh(lane, pacer.ratioOf(this.#attempt.target), (one) => pacer.weigh(one, one.target));
  }

  #enter(needsSlot: boolean, weight: Weight | undefined, now: number): void {
    const lane = this.#lane;
    this.#passage = begin(lane, this.#attempt, weight, now);
    this.#state.pacing = this;
    if (weight !== undefined) this.#pacer.announced(lane);
    if (!needsSlot) return;
    lane.endpoint.used += 1;
    this.#holdsSlot = true;
    callStateOf(this.#attempt).hold(lane.endpoint);
  }

  /** Overloads leave the endpoint fewer slots. */
  #adapt(ending: StreamEnding, now: number): void {
    const { endpoint } = this.#lane;
    if (ending.kind === 'done') endpoint.slots.succeeded();
    else if (ending.kind === 'error' && this.#isOverload(ending.error)) {
      const state = {
        used: endpoint.used,
        configured: this.#pacer.configuredSlots(endpoint),
        least: this.#pacer.leastSlots(),
        sentAt: this.#passage?.sentAt ?? now,
      };
      const slots = endpoint.slots.overloaded(state, now);
      if (slots === undefined) return;
      // More may be in use than it gets from now on.
      this.#pacer.filled(endpoint);
      const message = `${endpoint.name} is overloaded: it gets ${slots} requests at the same time, and more again as they succeed.`;
      this.#pacer.tell?.({ type: 'concurrency-reduced', level: 'warn', message, what: endpoint.name, slots });
    }
  }

  #isOverload(error: unknown): boolean {
    if (!(error instanceof PolyphonyError) || this.#passage === undefined) return false;
    const fault = faultOf(this.#attempt, error);
    // A spent window is waited for: fewer requests at the same time would not help.
    if (fault === 'rate-limit') return this.#lane.windows === undefined;
    return fault === 'target' && (error.code === 'overloaded' || error.code === 'timeout');
  }
}

const HOOKS = hooksOf(SlotHolder.prototype, false);

function wasSent({ dispatchedAt }: AttemptState, ending: StreamEnding): boolean {
  if (dispatchedAt === null) return false;
  return !(ending.kind === 'error' && ending.error instanceof PolyphonyError && ending.error.unsent);
}
