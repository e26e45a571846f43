/**
 * Turns a call into attempts at one target after another.
 *
 * F1. The commit point is the first token, tool delta or output. Before it a failed target is replaced without a trace;
 *     after it only as the request's `onStreamFailure` says, and never silently.
 * F2. No target is tried twice in one call (but see `allowAgain`), and none after the caller's deadline or cancel.
 * F3. A context window or a content policy is mended by its own chain; a fallback with a smaller window is not tried.
 * F4. The caller's own faults (a bad request, a spent budget, a block) are thrown at once.
 * F5. When every target has failed the most useful error is thrown, with each target's reason in its details.
 * F6. The last target that is left is tried even where its breaker is open, as are all when every breaker was.
 */
import { abortError, asPolyphonyError } from '../../core/errors.ts';
import type { Attempt, Call, Handler, Target } from '../../core/model/model.ts';
import { lazily, type ReadHead, type StreamHead } from '../../kit/streams/stream-head.ts';
import { callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import type { RouteOptions } from '../routing/route.ts';
import { allFailed, type TargetFailure } from './failures.ts';
import { recovering, type Shape } from './recovery.ts';
import { type TargetQueue, targetQueue } from './target-queue.ts';

export interface FailoverParts {
  /** The routing options of now: registry, config and time. */
  readonly routing: (call: Call) => RouteOptions;
  readonly clock: { now(): number };
}

/** The innermost layer of the request ring; `attempt` is the whole attempt ring. */
export function failover({ routing, clock }: FailoverParts, attempt: Handler<Attempt>): Handler {
  return (call) =>
    lazily(async (open) => {
      const plan = targetQueue(routing(call));
      const tryOn = (shape: Shape, failures: readonly TargetFailure[]): Promise<StreamHead> =>
        openNext({ call, plan, attempt, clock, open }, shape, failures);
      const opening = await tryOn(unshaped, []);
      // Nobody sees a collected answer before it is whole, so a stream that breaks may begin anew.
      const mode = call.request.onStreamFailure ?? (call.streaming === false ? 'restart' : 'error');
      const isWhole = opening.whole !== undefined && opening.whole.failure === undefined;
      return mode === 'error' || isWhole ? opening : { head: [], rest: recovering(call, opening, mode, plan, tryOn) };
    });
}

const unshaped: Shape = (call) => call;

/** V8 adds a field behind a spread in the best part of a microsecond, and one before it in nothing. */
function attemptOf(call: Call, target: Target, number: number): Attempt {
  return 'target' in call ? { ...call, target, number } : { target, number, ...call };
}

interface FailoverRun {
  readonly call: Call;
  readonly plan: TargetQueue;
  readonly attempt: Handler<Attempt>;
  readonly clock: FailoverParts['clock'];
  readonly open: ReadHead;
}

/** Tries the targets that are left until one speaks. */
async function openNext(
  { call, plan, attempt, clock, open }: FailoverRun,
  shape: Shape,
  before: readonly TargetFailure[],
): Promise<StreamHead> {
  const failures = [...before];
  const state = callStateOf(call);
  for (let stop = plan.next(); stop !== undefined; stop = plan.next()) {
    const { target } = stop.deployment;
    const shaped = shape(call, stop.deployment);
    const number = state.nextNumber(shaped.id);
    state.begin(shaped.id, number, stop.last);
    try {
      return await open(attempt(attemptOf(shaped, target, number)));
    } catch (thrown) {
      if (call.signal.aborted) throw abortError(call.signal);
      const error = asPolyphonyError(thrown);
      const fault = faultOf(call, error);
      failures.push({ target, error, fault });
      if (!plan.failed(error, fault)) break;
      if (call.deadline !== undefined && clock.now() >= call.deadline) break;
    }
  }
  throw allFailed(failures);
}
