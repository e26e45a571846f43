/**
 * Money: holds the worst case before anything is sent, settles to the real cost however the attempt ends, and writes the
 * record of the attempt. Only this layer charges.
 *
 * M4. Under a cap, nothing is sent unless its worst case is held in every capped scope.
 * M5. If the worst case does not fit but an answer of expected length does, the answer is limited to what is affordable,
 *     with a warning. Otherwise the call is refused before anything is sent.
 * M6. Every dispatched attempt leaves exactly one record in the call's trace and one row in the ledger, with the amount to
 *     which its reservation was settled. Any other attempt leaves none and costs nothing.
 * M7. An unknown price is refused under a cap unless the config allows it, and is recorded as null, never as 0.
 */
import type { Clock } from '../../core/clock.ts';
import { asPolyphonyError, type PolyphonyError } from '../../core/errors.ts';
import type { Attempt, FinishEvent, Handler, Middleware, ModelEvent, ModelRequest } from '../../core/model/model.ts';
import { timeLeftMs } from '../../core/model/time-left.ts';
import { type JoinedSignal, onAbort } from '../../core/on-abort.ts';
import type { UsageLedger } from '../../core/stores.ts';
import { hooksOf, observeBy, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { deadlineReached } from '../attempt-ring/timeouts.ts';
import type { Background } from '../calls/background.ts';
import { type AttemptState, attemptStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import type { AttemptLine } from '../lines/attempt-line.ts';
import type { Deployment, Registry } from '../routing/registry.ts';
import {
  type Charge,
  chargeOfBatches,
  chargeOfEnding,
  chargeOfFinish,
  isFree,
  NO_CHARGE,
  type Sent,
} from './charge.ts';
import type { Commitments } from './commitments.ts';
import { recordOf, rowOf } from './record.ts';
import { isPromise } from './reservation.ts';
import { type Held, type ReservationParts, type ReservedAttempt, reserveWorstCase } from './reserve-worst-case.ts';
import type { Spending } from './spending.ts';

export interface BudgetParts extends ReservationParts {
  readonly ledger: UsageLedger | undefined;
  readonly registry: () => Registry;
  readonly background: Background;
  readonly spending: Spending;
  /** Writes the line of an attempt. @default nobody listens */
  readonly line?: AttemptLine | undefined;
  readonly commitments: Commitments;
}

export function budget(parts: BudgetParts): Middleware<Attempt> {
  return (attempt, next) => {
    const deployment = parts.registry().find(attempt.target);
    return deployment === undefined
      ? next(attempt)
      : observeBy(HOOKS, new BudgetWatcher(parts, attempt, deployment, next));
  };
}

const NO_EVENTS: readonly ModelEvent[] = [];

/** A class because there is one per attempt: closures would cost time, methods do not. */
class BudgetWatcher implements StreamObserver {
  readonly #parts: BudgetParts;
  readonly #attempt: Attempt;
  readonly #deployment: Deployment;
  readonly #next: Handler<Attempt>;
  readonly #state: AttemptState;
  #held: Held | undefined;
  #request: ModelRequest;
  #finished: Charge | undefined;
  #finish: FinishEvent | undefined;
  // A field, because a getter costs as much as the rest of this layer.
  head: readonly ModelEvent[] = NO_EVENTS;

  constructor(parts: BudgetParts, attempt: Attempt, deployment: Deployment, next: Handler<Attempt>) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#deployment = deployment;
    this.#next = next;
    this.#state = attemptStateOf(attempt);
    this.#request = attempt.request;
    if (deployment.counter !== undefined) this.#state.received.texts = [];
  }

  start(): Promise<void> | undefined {
    const made = reserveWorstCase(this.#parts, this.#attempt, this.#deployment);
    if (made instanceof Promise) {
      const { signal, release } = untilDeadline(this.#attempt, this.#parts.clock);
      // What is held after the caller has gone is given back.
      const taken = this.#parts.background.orAborted(made, signal, ({ held }) => held?.settle(0));
      const released = release === nothing ? taken : taken.finally(release);
      return released.then((reserved) => this.#hold(reserved));
    }
    this.#hold(made);
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    const attempt = this.#attempt;
    return this.#next(this.#request === attempt.request ? attempt : { ...attempt, request: this.#request });
  }

  event(event: ModelEvent): ModelEvent {
    if (event.type !== 'finish') return event;
    this.#finished = chargeOfFinish(this.#sent(), event);
    this.#finish = priced(event, this.#finished, this.#state);
    return this.#finish;
  }

  end(ending: StreamEnding): StreamEnding | Promise<StreamEnding> {
    const attempt = this.#attempt;
    const listed = this.#finished ?? chargeOf(attempt, ending, this.#sent(), this.#state);
    const charge = this.#billed(listed);
    const settled = isPromise(charge)
      ? charge.then((billed) => this.#settle(billed, ending))
      : this.#settle(charge, ending);
    if (settled === undefined) return ending;
    return this.#parts.background.untilAborted(settled, attempt.signal).then(() => ending);
  }

  /** Who has gone waits for nothing, so that is booked at the usual price. */
  #billed(listed: Charge): Charge | Promise<Charge> {
    const { dispatchedAt } = this.#state;
    if (dispatchedAt === null) return listed;
    const billed = this.#parts.commitments.draw(this.#attempt.target, listed, dispatchedAt);
    return isPromise(billed) && this.#attempt.signal.aborted ? listed : billed;
  }

  #settle(charge: Charge, ending: StreamEnding): Promise<void> | undefined {
    // A commitment has changed the bill. The event is this layer's own, and is passed on only after the end.
    if (this.#finish !== undefined && charge !== this.#finished)
      Object.assign(this.#finish, { costNanoUsd: charge.costNanoUsd });
    return settle(this.#parts, this.#attempt, this.#state, this.#held, charge, ending);
  }

  #hold({ request, held, warnings }: ReservedAttempt): void {
    this.#request = request;
    this.#held = held;
    this.head = warnings;
    if (held?.send !== undefined && this.#parts.sendsAtOnce?.() === false) this.#state.announce = held.send;
  }

  #sent(): Sent {
    const { dispatchedAt, received } = this.#state;
    const at = dispatchedAt ?? this.#parts.clock.now();
    return { deployment: this.#deployment, request: this.#request, at, received };
  }
}

const HOOKS = hooksOf(BudgetWatcher.prototype, true);

/** A signal that ends with that of the attempt, and when its time is up: a store may take longer. */
function untilDeadline(attempt: Attempt, clock: Clock): JoinedSignal {
  const { signal } = attempt;
  const leftMs = timeLeftMs(attempt, clock);
  if (leftMs === Number.POSITIVE_INFINITY) return { signal, release: nothing };
  const own = new AbortController();
  if (signal.aborted) own.abort(signal.reason);
  const stopFollowing = onAbort(signal, () => own.abort(signal.reason));
  const cancel = clock.schedule(Math.max(0, leftMs), () => own.abort(deadlineReached(attempt)));
  return {
    signal: own.signal,
    release() {
      stopFollowing();
      cancel();
    },
  };
}

const nothing = (): void => {};

/**
 * A run records what its nodes cost, so what is settled has to be committed before. Other calls do not wait: if the process dies
 * before their settlement is committed, the attempt is recovered at its estimate.
 */
const isOfRun = ({ scopes }: Attempt): boolean => scopes.some(({ kind }) => kind === 'run');

function priced(event: FinishEvent, { usage, costNanoUsd }: Charge, { requestId }: AttemptState): FinishEvent {
  const charged = usage ?? event.usage;
  // New fields stand before the spread: see attemptOf in failover.ts.
  const priced = 'costNanoUsd' in event ? { ...event, costNanoUsd } : event;
  return requestId === undefined
    ? { costNanoUsd, ...priced, usage: charged }
    : { costNanoUsd, requestId, ...priced, usage: charged };
}

function chargeOf(attempt: Attempt, ending: StreamEnding, sent: Sent, state: AttemptState): Charge {
  const { dispatchedAt, batches, voided } = state;
  if (dispatchedAt === null) return NO_CHARGE;
  if (batches !== undefined) return chargeOfBatches(sent, batches, isFreeEnding(ending));
  if (voided !== undefined) return chargeOfFinish(sent, voided);
  if (ending.kind !== 'error') return chargeOfEnding(sent, false);
  const error = asPolyphonyError(ending.error);
  if (isFree(error) && sent.received.billedBytes === 0) return NO_CHARGE;
  // Who lost a race is not told what it made before its socket was closed.
  if (faultOf(attempt, error) === 'lost-hedge') return chargeOfEnding(sent, sent.received.billedBytes === 0);
  return chargeOfEnding(sent, attempt.streaming === false && error.code !== 'cancelled', arrivedOf(error));
}

/** How much of a document had arrived that was cut, in bytes. */
function arrivedOf({ details }: PolyphonyError): number {
  const bytes = details?.receivedBytes;
  return typeof bytes === 'number' && bytes > 0 ? bytes : 0;
}

const isFreeEnding = (ending: StreamEnding): boolean =>
  ending.kind === 'error' && isFree(asPolyphonyError(ending.error));

/** Settles the money first, so that the counters are right whatever fails afterwards. Never throws: the answer is paid for. */
function settle(
  { ledger, logger, spending, line }: BudgetParts,
  attempt: Attempt,
  state: AttemptState,
  held: Held | undefined,
  charge: Charge,
  ending: StreamEnding,
): Promise<void> | undefined {
  const { dispatchedAt } = state;
  const record = dispatchedAt === null ? undefined : recordOf(attempt, state, charge, ending);
  if (record !== undefined) attempt.trace.attempts.push(record);
  const row = record && rowOf(attempt, record);
  const settling = unlessThrown(() => held?.settle(charge.costNanoUsd, row, isOfRun(attempt) ? 'now' : 'soon'));
  const isKept = row === undefined || held?.keepsRow === true;
  const written = isKept ? undefined : unlessThrown(() => ledger?.append([row]));
  if (record !== undefined) line?.(attempt, state, record, ending);
  if (row !== undefined) spending.settled(attempt, charge.costNanoUsd ?? 0);
  if (settling === undefined && written === undefined) return undefined;
  return Promise.allSettled([settling, written]).then((results) => {
    // The answer is paid for, so a store that fails now must not fail the call.
    for (const result of results) if (result.status === 'rejected') report(logger, attempt, result.reason);
  });
}

/** What a store throws at once is reported as what it rejects with. */
function unlessThrown(work: () => Promise<void> | undefined): Promise<void> | undefined {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}

function report(logger: BudgetParts['logger'], attempt: Attempt, reason: unknown): void {
  const { code, message } = asPolyphonyError(reason);
  logger?.error(
    { call: attempt.id, attempt: attempt.number, code },
    `The usage of an attempt could not be recorded: ${message}`,
  );
}
