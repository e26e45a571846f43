/**
 * The timeouts for the first token (or for a complete answer, without streaming), for idle time and for the whole attempt,
 * on the injected clock. The transport has the connect timeout. There is one deadline per attempt: events only change what it
 * is compared with when it is reached.
 *
 * T1. Time counts only while an event is awaited: a slow reader causes no timeout.
 * T2. A timeout reaches the provider as an abort of its signal. A source that ignores it is abandoned a second later.
 * T3. After `finish` the source has a second to end. Then the connection is closed and the answer stays valid.
 * T4. No deadline and no listener outlives the attempt.
 * T5. A signal that was not aborted serves later attempts, because creating one costs more than a layer.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Middleware, ModelEvent } from '../../core/model/model.ts';
import { onAbort } from '../../core/on-abort.ts';
import { observe, type StreamControl, type StreamObserver } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { canAbort } from '../calls/call.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';
import { type Controllers, createControllers } from './abort-controller-pool.ts';
import { createDeadlines, type Deadlines, newDeadline } from './deadline-timer.ts';

export type TimeoutKind = 'first-token' | 'answer' | 'idle' | 'total' | 'deadline';

interface Bounds {
  /** Without streaming: the time until the complete answer. */
  readonly firstTokenMs: number;
  readonly idleMs: number;
  /** The latest ends of the attempt and of the call, in milliseconds from the start of the attempt. */
  readonly totalMs: number;
  readonly deadlineMs: number;
  /** `totalMs` is the caller's own bound on an attempt. */
  readonly isOwn: boolean;
}

const DEFAULTS = { firstTokenMs: 120_000, answerMs: 300_000, idleMs: 60_000, totalMs: 600_000 };
/** The time that a source has to end after `finish`, or after an abort of its signal. */
const GRACE_MS = 1000;

/** The longest time that an attempt may take, in milliseconds. */
export const longestAttempt = ({ timeouts: given }: Config): number => given?.totalMs ?? DEFAULTS.totalMs;

export function timeouts({ clock, config }: { clock: Clock; config: () => Config }): Middleware<Attempt> {
  const parts: TimeoutParts = { clock, deadlines: createDeadlines(clock), controllers: createControllers() };
  return (attempt, next) => observe(timeoutWatcher(attempt, next, parts, boundsOf(attempt, clock, config())));
}

interface TimeoutParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly controllers: Controllers;
}

function boundsOf({ deadline, streaming, request }: Attempt, clock: Clock, config: Config): Bounds {
  const { timeouts: given } = config;
  const longest = longestAttempt(config);
  const own = request.limits?.attemptMs ?? Number.POSITIVE_INFINITY;
  return {
    // Without streaming, the first token arrives with the last.
    firstTokenMs:
      streaming === false ? (given?.answerMs ?? DEFAULTS.answerMs) : (given?.firstTokenMs ?? DEFAULTS.firstTokenMs),
    idleMs: given?.idleMs ?? DEFAULTS.idleMs,
    totalMs: Math.min(longest, own),
    isOwn: own < longest,
    deadlineMs: deadline === undefined ? Number.POSITIVE_INFINITY : deadline - clock.now(),
  };
}

function timeoutWatcher(
  attempt: Attempt,
  next: (attempt: Attempt) => AsyncIterable<ModelEvent>,
  { clock, deadlines, controllers }: TimeoutParts,
  bounds: Bounds,
): StreamObserver {
  const lent = controllers.take();
  const { controller } = lent;
  const deadline = newDeadline();
  const begun = clock.monotonic();
  const latestEnd = begun + Math.min(bounds.totalMs, bounds.deadlineMs);
  const firstKind = attempt.streaming === false ? 'answer' : 'first-token';
  let asked = begun;
  let answering = false;
  let control: StreamControl | undefined;
  /** The source had its time while nothing was awaited: the next wait is the last. */
  let late: PolyphonyError | undefined;
  const arm = (at: number, due: () => void): void => deadlines.set(deadline, at, due);
  const giveUp = (reason: PolyphonyError): void => {
    if (control?.waiting()) {
      control.interrupt(reason);
      return;
    }
    // A deadline that stays would be due again at once, for as long as the reader takes.
    deadlines.remove(deadline);
    late = reason;
  };
  const stop = (reason: PolyphonyError): void => {
    controller.abort(reason);
    arm(clock.monotonic() + GRACE_MS, () => giveUp(reason));
  };
  const due = (): number => Math.min(latestEnd, answering ? asked + bounds.idleMs : begun + bounds.firstTokenMs);
  // The first token may replace the deadline by an earlier idle one, so check at least once per idle time.
  const nextCheck = (now: number): number => Math.min(due(), now + bounds.idleMs);
  const check = (): void => {
    const now = clock.monotonic();
    if (now >= latestEnd) stop(timeout(bounds.deadlineMs < bounds.totalMs ? 'deadline' : 'total', attempt, bounds));
    else if (now < due()) arm(nextCheck(now), check);
    else if (control?.waiting()) stop(timeout(answering ? 'idle' : firstKind, attempt, bounds));
    else arm(Math.min(latestEnd, now + bounds.idleMs), check);
  };
  let stopFollowing: (() => void) | undefined;
  return {
    start(given) {
      if (attempt.signal.aborted) throw abortError(attempt.signal);
      control = given;
      if (canAbort(attempt.signal)) stopFollowing = onAbort(attempt.signal, () => stop(abortError(attempt.signal)));
      arm(nextCheck(begun), check);
      return undefined;
    },
    open: () => next({ ...attempt, signal: controller.signal }),
    ask() {
      asked = clock.monotonic();
      const reason = late;
      if (reason !== undefined) arm(asked, () => control?.interrupt(reason));
    },
    event(event) {
      if (event.type === 'finish') arm(clock.monotonic() + GRACE_MS, () => giveUp(closed(controller)));
      else if (late !== undefined) throw late;
      else if (!answering) answering = commits(event);
      return event;
    },
    cancel: () => stop(new PolyphonyError('cancelled', 'The reader closed the stream before its end.')),
    end(ending) {
      deadlines.remove(deadline);
      controllers.giveBack(lent);
      stopFollowing?.();
      return ending;
    },
  };
}

/** The answer is complete, but its source does not end. */
function closed(controller: AbortController): PolyphonyError {
  const reason = new PolyphonyError('cancelled', 'The stream stayed open after its finish event, so it was closed.');
  controller.abort(reason);
  return reason;
}

function timeout(kind: TimeoutKind, attempt: Attempt, bounds: Bounds): PolyphonyError {
  const { target } = attempt;
  const name = nameOf(target);
  const details = { timeout: kind, provider: target.provider };
  if (kind === 'deadline') {
    const message = `The call reached its deadline before ${name} answered: raise limits.ms.`;
    const error = new PolyphonyError('timeout', message, { details, retryable: false });
    callStateOf(attempt).blame(error, 'caller');
    return error;
  }
  if (kind === 'total' && bounds.isOwn) {
    const message = `${name} took longer than the ${bounds.totalMs} ms that the request allows one attempt. Try another model, or raise limits.attemptMs (limits.attemptSeconds of a node).`;
    const error = new PolyphonyError('timeout', message, { details });
    // The target may be as fast as ever, and serve all who wait longer.
    callStateOf(attempt).blame(error, 'request-here');
    return error;
  }
  const [waited, bound] = {
    'first-token': [`sent no token for ${bounds.firstTokenMs} ms`, 'firstTokenMs'],
    answer: [`sent no answer for ${bounds.firstTokenMs} ms`, 'answerMs'],
    idle: [`sent nothing for ${bounds.idleMs} ms`, 'idleMs'],
    total: [`took longer than ${bounds.totalMs} ms`, 'totalMs'],
  }[kind];
  return new PolyphonyError('timeout', `${name} ${waited}. Try another model, or raise timeouts.${bound}.`, {
    details,
  });
}
