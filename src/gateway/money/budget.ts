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
import { asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, FinishEvent, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import type { UsageLedger } from '../../core/stores.ts';
import { observe, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import type { Background } from '../calls/background.ts';
import { type AttemptState, attemptStateOf } from '../calls/call-state.ts';
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
import { recordOf, rowOf } from './record.ts';
import { type Held, type ReservationParts, type ReservedAttempt, reserveWorstCase } from './reserve-worst-case.ts';

export interface BudgetParts extends ReservationParts {
  readonly ledger: UsageLedger | undefined;
  readonly registry: () => Registry;
  readonly background: Background;
}

export function budget(parts: BudgetParts): Middleware<Attempt> {
  return (attempt, next) => {
    const deployment = parts.registry().find(attempt.target);
    return deployment === undefined ? next(attempt) : observe(budgetWatcher(parts, attempt, deployment, next));
  };
}

function budgetWatcher(
  parts: BudgetParts,
  attempt: Attempt,
  deployment: Deployment,
  next: Handler<Attempt>,
): StreamObserver {
  const state = attemptStateOf(attempt);
  let holding: ReservedAttempt = { request: attempt.request, held: undefined, warnings: [] };
  let finished: Charge | undefined;
  const sent = (): Sent => ({
    deployment,
    request: holding.request,
    at: state.dispatchedAt ?? parts.clock.now(),
    received: state.received,
  });
  const hold = (made: ReservedAttempt): void => {
    holding = made;
    observer.head = made.warnings;
    if (made.held?.send !== undefined && parts.sendsAtOnce?.() === false) state.announce = made.held.send;
  };
  // `head` is a field, because a getter in a literal costs as much as the rest of this layer.
  const observer: StreamObserver & { head: readonly ModelEvent[] } = {
    head: holding.warnings,
    start() {
      const made = reserveWorstCase(parts, attempt, deployment);
      if (made instanceof Promise) {
        // What is held after the caller has gone is given back.
        return parts.background.orAborted(made, attempt.signal, ({ held }) => held?.settle(0)).then(hold);
      }
      hold(made);
      return undefined;
    },
    open() {
      return next(holding.request === attempt.request ? attempt : { ...attempt, request: holding.request });
    },
    event(event) {
      if (event.type !== 'finish') return event;
      finished = chargeOfFinish(sent(), event);
      return priced(event, finished);
    },
    end(ending) {
      const charge = finished ?? chargeOf(ending, sent(), state, attempt.streaming === false);
      const settled = settle(parts, attempt, state, holding.held, charge, ending);
      if (settled === undefined) return ending;
      return parts.background.untilAborted(settled, attempt.signal).then(() => ending);
    },
  };
  return observer;
}

/**
 * A run records what its nodes cost, so what is settled has to be committed before. Other calls do not wait: if the process dies
 * before their settlement is committed, the attempt is recovered at its estimate.
 */
const isOfRun = ({ scopes }: Attempt): boolean => scopes.some(({ kind }) => kind === 'run');

function priced(event: FinishEvent, { usage, costNanoUsd }: Charge): ModelEvent {
  const charged = usage ?? event.usage;
  // A new field stands before the spread: see attemptOf in failover.ts.
  return 'costNanoUsd' in event ? { ...event, usage: charged, costNanoUsd } : { costNanoUsd, ...event, usage: charged };
}

function chargeOf(ending: StreamEnding, sent: Sent, state: AttemptState, whole: boolean): Charge {
  const { dispatchedAt, batches, voided } = state;
  if (dispatchedAt === null) return NO_CHARGE;
  if (batches !== undefined) return chargeOfBatches(sent, batches, isFreeEnding(ending));
  if (voided !== undefined) return chargeOfFinish(sent, voided);
  if (ending.kind !== 'error') return chargeOfEnding(sent, false);
  const error = asPolyphonyError(ending.error);
  if (isFree(error) && sent.received.billedBytes === 0) return NO_CHARGE;
  return chargeOfEnding(sent, whole && error.code !== 'cancelled');
}

const isFreeEnding = (ending: StreamEnding): boolean =>
  ending.kind === 'error' && isFree(asPolyphonyError(ending.error));

/** Settles the money first, so that the counters are right whatever fails afterwards. Never throws: the answer is paid for. */
function settle(
  { ledger, logger }: BudgetParts,
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
