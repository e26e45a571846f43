/**
 * First token (or the whole answer, where it comes whole), idle and total, on the injected clock; the transport has the
 * connection's. One deadline an attempt: events move what is compared with it when it comes.
 *
 * T1. Silence counts only while an event is awaited: a slow reader times nothing out.
 * T2. A timeout reaches the provider as an abort of its signal; a source that ignores it is given up a second later.
 * T3. After `finish` the source has a second to end; then the connection is dropped and the answer stands.
 * T4. No deadline and no listener outlives the attempt.
 * T5. A signal that was not aborted serves other attempts after this one: making one costs more than a layer.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Middleware, ModelEvent } from '../../core/model/model.ts';
import { observe, type StreamControl, type StreamObserver } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { canAbort } from '../calls/call.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';
import { type Controllers, createControllers } from './abort-controller-pool.ts';
import { createDeadlines, type Deadlines, newDeadline } from './deadline-timer.ts';

export type TimeoutKind = 'first-token' | 'answer' | 'idle' | 'total' | 'deadline';

interface Bounds {
  /** Of an answer that comes whole: until it is there. */
  readonly firstTokenMs: number;
  readonly idleMs: number;
  /** Ends of the attempt and of the call, in monotonic milliseconds from the start. */
  readonly totalMs: number;
  readonly deadlineMs: number;
}

const DEFAULTS = { firstTokenMs: 120_000, answerMs: 300_000, idleMs: 60_000, totalMs: 600_000 };
/** For a source to end after `finish`, or after its signal was aborted. */
const GRACE_MS = 1000;

/** The longest that an attempt may take, in milliseconds. */
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

function boundsOf({ deadline, streaming }: Attempt, clock: Clock, config: Config): Bounds {
  const { timeouts: given } = config;
  return {
    // An answer that comes whole has its first token with its last.
    firstTokenMs:
      streaming === false ? (given?.answerMs ?? DEFAULTS.answerMs) : (given?.firstTokenMs ?? DEFAULTS.firstTokenMs),
    idleMs: given?.idleMs ?? DEFAULTS.idleMs,
    totalMs: longestAttempt(config),
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
  const whole = begun + Math.min(bounds.totalMs, bounds.deadlineMs);
  const silence = attempt.streaming === false ? 'answer' : 'first-token';
  let asked = begun;
  let spoke = false;
  let control: StreamControl | undefined;
  const arm = (at: number, due: () => void): void => deadlines.set(deadline, at, due);
  const stop = (reason: PolyphonyError): void => {
    controller.abort(reason);
    arm(clock.monotonic() + GRACE_MS, () => control?.interrupt(reason));
  };
  const due = (): number => Math.min(whole, spoke ? asked + bounds.idleMs : begun + bounds.firstTokenMs);
  // The first token may move the deadline forward to an idle one: never look away for longer than that.
  const nextCheck = (now: number): number => Math.min(due(), now + bounds.idleMs);
  const check = (): void => {
    const now = clock.monotonic();
    if (now >= whole) stop(timeout(bounds.deadlineMs < bounds.totalMs ? 'deadline' : 'total', attempt, bounds));
    else if (now < due()) arm(nextCheck(now), check);
    else if (control?.waiting()) stop(timeout(spoke ? 'idle' : silence, attempt, bounds));
    else arm(Math.min(whole, now + bounds.idleMs), check);
  };
  const listens = canAbort(attempt.signal);
  const onAbort = (): void => stop(abortError(attempt.signal));
  return {
    start(given) {
      if (attempt.signal.aborted) throw abortError(attempt.signal);
      control = given;
      if (listens) attempt.signal.addEventListener('abort', onAbort, { once: true });
      arm(nextCheck(begun), check);
      return undefined;
    },
    open: () => next({ ...attempt, signal: controller.signal }),
    ask() {
      asked = clock.monotonic();
    },
    event(event) {
      if (event.type === 'finish') arm(clock.monotonic() + GRACE_MS, () => giveUp(controller, control));
      else if (!spoke) spoke = commits(event);
      return event;
    },
    cancel: () => stop(new PolyphonyError('cancelled', 'The reader closed the stream before its end.')),
    end(ending) {
      deadlines.remove(deadline);
      controllers.giveBack(lent);
      if (listens) attempt.signal.removeEventListener('abort', onAbort);
      return ending;
    },
  };
}

/** The answer is whole but its source does not end. */
function giveUp(controller: AbortController, control: StreamControl | undefined): void {
  const reason = new PolyphonyError('cancelled', 'The stream stayed open after its finish event, so it was closed.');
  controller.abort(reason);
  control?.interrupt(reason);
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
