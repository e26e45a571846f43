/**
 * Stops asking what does not answer, at two levels: a provider in a region, and a model. Each attempt needs both
 * circuits, and each outcome is reported to both. The caller's faults (context window, content policy, other 4xx, a
 * cancel) trip neither. The last target that is left is let through: a refusal would help nobody.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Middleware, Target } from '../../core/model/model.ts';
import { faultOf } from '../calls/faults.ts';
import type { TimedAttempt } from '../calls/timings.ts';
import { nameOf } from '../routing/route.ts';
import { observe, type StreamEnding } from '../streams/observe.ts';
import { type Circuit, type CircuitPolicy, createCircuit, type Verdict } from './circuit.ts';

const DEFAULTS: CircuitPolicy = { rateLimits: 3, failureRatio: 0.5, minimumAttempts: 10, cooldownMs: 30_000 };

interface Entry {
  readonly circuit: Circuit;
  readonly probe: boolean;
}

export function breaker({ clock, config }: { clock: Clock; config: () => Config }): Middleware<Attempt> {
  const circuits = new Map<string, Circuit>();
  const policy = (): CircuitPolicy => policyOf(config());
  const circuitOf = (key: string): Circuit => {
    const known = circuits.get(key);
    if (known !== undefined) return known;
    const made = createCircuit(policy);
    circuits.set(key, made);
    return made;
  };
  return (attempt: TimedAttempt, next) => {
    let entries: readonly Entry[] = [];
    return observe({
      start() {
        const { target, lastResort } = attempt;
        const both = [circuitOf(`${target.provider}@${target.region ?? ''}`), circuitOf(nameOf(target))];
        entries = enter(both, clock.now(), lastResort === true, target);
        return undefined;
      },
      open: () => next(attempt),
      end(ending) {
        const { verdict, retryAfterMs } = verdictOf(ending);
        const now = clock.now();
        for (const { circuit, probe } of entries) circuit.report(verdict, now, { probe, retryAfterMs });
        return ending;
      },
    });
  };
}

function policyOf({ breaker: given }: Config): CircuitPolicy {
  return {
    rateLimits: given?.rateLimits ?? DEFAULTS.rateLimits,
    failureRatio: given?.failureRatio ?? DEFAULTS.failureRatio,
    minimumAttempts: given?.minimumAttempts ?? DEFAULTS.minimumAttempts,
    cooldownMs: given?.cooldownMs ?? DEFAULTS.cooldownMs,
  };
}

/** Enters every circuit or none. */
function enter(circuits: readonly Circuit[], nowMs: number, lastResort: boolean, target: Target): readonly Entry[] {
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
  throw new PolyphonyError(
    'overloaded',
    `${nameOf(target)} failed too often and is left alone for ${Math.max(0, until - nowMs)} ms. Try elsewhere or later.`,
    {
      retryAfterMs: Math.max(0, until - nowMs),
      retryable: false,
      details: { breaker: 'open', provider: target.provider },
    },
  );
}

/** True for a refusal by the breaker: nothing was sent. */
export const isBreakerRefusal = (error: PolyphonyError): boolean => error.details?.breaker === 'open';

function verdictOf(ending: StreamEnding): { readonly verdict: Verdict; readonly retryAfterMs?: number | undefined } {
  if (ending.kind === 'done') return { verdict: 'ok' };
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return { verdict: 'none' };
  const fault = faultOf(ending.error);
  if (fault === 'rate-limit') return { verdict: 'rate-limited', retryAfterMs: ending.error.retryAfterMs };
  return { verdict: fault === 'target' ? 'failed' : 'none' };
}
