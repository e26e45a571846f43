/**
 * Stops sending to what keeps failing, at two levels: a provider in a region, and a model. Each attempt needs both circuits
 * to admit it, and each outcome is reported to both. The caller's faults (context window, content policy, other 4xx, a
 * cancel) trip neither. The last remaining target is always admitted, because refusing it would leave no target at all.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Middleware } from '../../core/model/model.ts';
import { observe, type StreamEnding } from '../../kit/streams/observe.ts';
import { attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';
import type { Circuit, Verdict } from './circuit.ts';
import type { Circuits } from './circuits.ts';

interface Entry {
  readonly circuit: Circuit;
  readonly probe: boolean;
}

export function breaker({ clock, circuits }: { clock: Clock; circuits: Circuits }): Middleware<Attempt> {
  return (attempt, next) => {
    const state = attemptStateOf(attempt);
    let entries: readonly Entry[] = [];
    return observe({
      start() {
        entries = enter(circuits.both(attempt.target), clock.now(), state.lastResort, attempt);
        return undefined;
      },
      open: () => next(attempt),
      end(ending) {
        const { verdict, retryAfterMs } = verdictOf(attempt, ending);
        state.over = true;
        const now = clock.now();
        for (const { circuit, probe } of entries) circuit.report(verdict, now, { probe, retryAfterMs });
        return ending;
      },
    });
  };
}

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

function verdictOf(
  attempt: Attempt,
  ending: StreamEnding,
): { readonly verdict: Verdict; readonly retryAfterMs?: number | undefined } {
  if (ending.kind === 'done') return { verdict: 'ok' };
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return { verdict: 'none' };
  const fault = faultOf(attempt, ending.error);
  if (fault === 'rate-limit') return { verdict: 'rate-limited', retryAfterMs: ending.error.retryAfterMs };
  return { verdict: fault === 'target' ? 'failed' : 'none' };
}
