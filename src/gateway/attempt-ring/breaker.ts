/**
 * Stops sending to what keeps failing, at two levels: a provider in a region, and a model. Each attempt needs both circuits
 * to admit it, and each outcome is reported to both. The caller's faults (context window, content policy, other 4xx, a
 * cancel) trip neither. The last remaining target is always admitted, because refusing it would leave no target at all.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { hooksOf, observeBy, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { type AttemptState, attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import type { Circuit, Verdict } from './breaker/circuit.ts';
import type { Circuits } from './breaker/circuits.ts';

interface Entry {
  readonly circuit: Circuit;
  readonly probe: boolean;
}

interface BreakerParts {
  readonly clock: Clock;
  readonly circuits: Circuits;
}

const NO_ENTRIES: readonly Entry[] = [];

export function breaker(parts: BreakerParts): Middleware<Attempt> {
  return (attempt, next) => observeBy(HOOKS, new OutcomeWatcher(parts, attempt, next));
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class OutcomeWatcher implements StreamObserver {
  readonly #parts: BreakerParts;
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  readonly #state: AttemptState;
  #entries = NO_ENTRIES;

  constructor(parts: BreakerParts, attempt: Attempt, next: Handler<Attempt>) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#next = next;
    this.#state = attemptStateOf(attempt);
  }

  start(): undefined {
    const { circuits, clock } = this.#parts;
    const attempt = this.#attempt;
    this.#entries = enter(circuits.both(attempt.target), clock.now(), this.#state.lastResort, attempt);
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#attempt);
  }

  end(ending: StreamEnding): StreamEnding {
    const { verdict, retryAfterMs } = verdictOf(this.#attempt, ending);
    this.#state.over = true;
    const now = this.#parts.clock.now();
    for (const { circuit, probe } of this.#entries) circuit.report(verdict, now, { probe, retryAfterMs });
    return ending;
  }
}

const HOOKS = hooksOf(OutcomeWatcher.prototype, false);

/** Enters every circuit or none. */
function enter(circuits: readonly Circuit[], nowMs: number, lastResort: boolean, attempt: Attempt): readonly Entry[] {
  const entries: Entry[] = [];
  let until = 0;
  let refused = false;
  for (const circuit of circuits) {
    const admission = circuit.admit(nowMs);
    if (admission.allowed) entries.push({ circuit, probe: admission.probe });
    else {
      refused = true;
      until = Math.max(until, admission.until);
      entries.push({ circuit, probe: false });
    }
  }
  if (!refused || lastResort) return entries;
  for (const { circuit, probe } of entries) circuit.report('none', nowMs, { probe });
  throw refusal(attempt, Math.max(0, until - nowMs));
}

function refusal(attempt: Attempt, retryAfterMs: number): PolyphonyError {
  const { target } = attempt;
  // Whole seconds: targets that were blocked together then give one reason, which a summary names once.
  const seconds = Math.ceil(retryAfterMs / 1000);
  const message = `${nameOf(target)}: failed too often, so its circuit breaker blocks it for ${seconds} s. Try another model, or try again later.`;
  const details = { breaker: 'open', provider: target.provider };
  const error = new PolyphonyError('overloaded', message, { retryAfterMs, retryable: false, details });
  callStateOf(attempt).blame(error, 'open-breaker');
  return error;
}

const OK = { verdict: 'ok' } as const;

function verdictOf(
  attempt: Attempt,
  ending: StreamEnding,
): { readonly verdict: Verdict; readonly retryAfterMs?: number | undefined } {
  if (ending.kind === 'done') return OK;
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return { verdict: 'none' };
  const fault = faultOf(attempt, ending.error);
  if (fault === 'rate-limit') return { verdict: 'rate-limited', retryAfterMs: ending.error.retryAfterMs };
  return { verdict: fault === 'target' ? 'failed' : 'none' };
}
