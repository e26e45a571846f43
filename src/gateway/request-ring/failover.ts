/**
 * Turns a call into attempts at one target after another.
 *
 * F1. The commit point is the first token, tool delta or output. Before it, a failed target is replaced without a trace.
 *     After it, a target is replaced only as the request's `onStreamFailure` says, and never silently.
 * F2. No target is tried twice in one call (but see `allowAgain`), and none after the caller's deadline or cancel.
 * F3. A context window or content policy error has its own fallback chain. A fallback with a smaller window is not tried.
 * F4. The caller's own faults (an invalid request, a spent budget, a block) are thrown at once.
 * F5. When every target has failed, the most useful error is thrown, with each target's reason in its details.
 * F6. The last remaining target is tried even if its breaker is open. If every breaker is open, the first target is tried.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, Call, Handler, ModelEvent, Target, Warning } from '../../core/model/model.ts';
import { timeLeftMs } from '../../core/model/time-left.ts';
import { lazily, type ReadHead, type StreamHead } from '../../kit/streams/stream-head.ts';
import { type AttemptCause, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import type { RouteOptions } from '../routing/route.ts';
import { allFailed, type TargetFailure } from './failures.ts';
import { fallbackPrompt, fallbackWarning, withFallbackPrompt } from './fallback-prompt.ts';
import { recovering, type Shape } from './recovery.ts';
import { type TargetQueue, targetQueue } from './target-queue.ts';

export interface FailoverParts {
  /** The routing options with the current registry, config and time. */
  readonly routing: (call: Call) => RouteOptions;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
}

/** The innermost layer of the request ring; `attempt` is the whole attempt ring. */
export function failover({ routing, clock }: FailoverParts, attempt: Handler<Attempt>): Handler {
  return (call) =>
    lazily(async (open) => {
      const options = routing(call);
      const queue = targetQueue(options, callStateOf(call).lanes(call.id));
      const run: FailoverRun = { call, queue, config: options.config, attempt, clock, open };
      const { warning } = run.queue;
      const opened = await openNext(run, unshaped, NO_FAILURES);
      const first = warning === undefined ? opened : warned(opened, warning);
      // A collected answer is seen only when it is complete, so a broken stream may restart.
      const mode = call.request.onStreamFailure ?? (call.streaming === false ? 'restart' : 'error');
      const isComplete = first.whole !== undefined && first.whole.failure === undefined;
      if (mode === 'error' || isComplete) return first;
      const tryOn = (shape: Shape, failures: readonly TargetFailure[]): Promise<StreamHead> =>
        openNext(run, shape, failures);
      return { head: [], rest: recovering(call, first, mode, run.queue, tryOn) };
    });
}

/** The stream with a warning before its first event. */
function warned({ head, rest, whole }: StreamHead, warning: Warning): StreamHead {
  const events: readonly ModelEvent[] = [{ type: 'warning', warning }, ...head];
  return { head: events, rest, ...(whole === undefined ? {} : { whole: { ...whole, events } }) };
}

const unshaped: Shape = (call) => call;
const NO_FAILURES: readonly TargetFailure[] = [];

/** A call has these fields from the beginning (see call.ts): a field that a copied object lacks costs much. */
const attemptOf = (call: Call, target: Target, number: number): Attempt => ({ ...call, target, number });

interface FailoverRun {
  readonly call: Call;
  readonly queue: TargetQueue;
  readonly config: Config;
  readonly attempt: Handler<Attempt>;
  readonly clock: FailoverParts['clock'];
  readonly open: ReadHead;
}

const causeOf = (failure: TargetFailure | undefined): AttemptCause | undefined =>
  failure && { kind: 'fallback', code: failure.error.code, target: failure.target };

/** Tries the remaining targets until one sends its first token. */
async function openNext(
  { call, queue, config, attempt, clock, open }: FailoverRun,
  shape: Shape,
  before: readonly TargetFailure[],
): Promise<StreamHead> {
  const failures = [...before];
  const state = callStateOf(call);
  for (let next = queue.next(); next !== undefined; next = queue.next()) {
    const { target } = next.deployment;
    const [wanted] = failures;
    const prompt = wanted && fallbackPrompt(config, wanted.target, target);
    const given = shape(call, next.deployment);
    const shaped = prompt === undefined ? given : withFallbackPrompt(given, prompt);
    const number = state.nextNumber(shaped.id);
    const begun = state.begin(shaped.id, number, next.last);
    begun.decision = queue;
    begun.cause = causeOf(failures.at(-1));
    try {
      const opened = await open(attempt(attemptOf(shaped, target, number)));
      return wanted === undefined || shaped === given ? opened : warned(opened, fallbackWarning(wanted.target, target));
    } catch (thrown) {
      if (call.signal.aborted) throw abortError(call.signal);
      const error = asPolyphonyError(thrown);
      const fault = faultOf(call, error);
      failures.push({ target, error, fault });
      if (!queue.failed(error, fault)) break;
      if (timeLeftMs(call, clock) <= 0) break;
    }
  }
  throw allFailed(failures);
}
