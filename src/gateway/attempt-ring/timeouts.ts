/**
 * The timeouts for the first token (or for a complete answer, without streaming), for idle time and for the whole attempt,
 * on the injected clock. The transport has the connect timeout. There is one deadline per attempt: events only change what it
 * is compared with when it is reached.
 *
 * T1. Time counts only while an event is awaited: a slow reader causes no timeout.
 * T2. A timeout reaches the provider as an abort of its signal. A source that ignores it is abandoned a second later.
 * T3. After `finish` the source has a second to end. Then the connection is closed and the answer stays valid.
 * T4. No deadline and no listener outlives the attempt. Nothing is sent for a call whose time is up before that.
 * T5. Where the config sets no timeout for the first token or the answer, it follows what was observed: see
 *     timeouts/adaptive.ts.
 * T6. A signal that was not aborted serves later attempts, because creating one costs more than a layer.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { timeLeftMs } from '../../core/model/time-left.ts';
import { onAbort } from '../../core/on-abort.ts';
import {
  hooksOf,
  observeBy,
  type StreamControl,
  type StreamEnding,
  type StreamObserver,
} from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { canAbort } from '../calls/call.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';
import type { Registry } from '../routing/registry.ts';
import { type Controllers, createControllers, type LentController } from './timeouts/abort-controller-pool.ts';
import { type AdaptiveTimeouts, adaptiveTimeouts, DEFAULT_TIMEOUTS } from './timeouts/adaptive.ts';
import { createDeadlines, type Deadlines, newDeadline } from './timeouts/deadline-timer.ts';

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
  readonly adaptive: AdaptiveTimeouts | undefined;
}

/** The time that a source has to end after `finish`, or after an abort of its signal. */
const GRACE_MS = 1000;

/** The longest time that an attempt may take, in milliseconds. */
export const longestAttempt = ({ timeouts: given }: Config): number => given?.totalMs ?? DEFAULT_TIMEOUTS.totalMs;

export function timeouts({ clock, config, registry }: TimeoutsOf): Middleware<Attempt> {
  const parts: TimeoutParts = { clock, deadlines: createDeadlines(clock), controllers: createControllers() };
  return (attempt, next) => {
    const statistics = registry().find(attempt.target)?.statistics;
    const adaptive = statistics && adaptiveTimeouts(statistics);
    return observeBy(HOOKS, new TimeoutWatcher(attempt, next, parts, boundsOf(attempt, clock, config(), adaptive)));
  };
}

interface TimeoutsOf {
  readonly clock: Clock;
  readonly config: () => Config;
  readonly registry: () => Registry;
}

interface TimeoutParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly controllers: Controllers;
}

function boundsOf(attempt: Attempt, clock: Clock, config: Config, adaptive: AdaptiveTimeouts | undefined): Bounds {
  const { timeouts: given } = config;
  const { streaming, request } = attempt;
  const longest = longestAttempt(config);
  const own = request.limits?.attemptMs ?? Number.POSITIVE_INFINITY;
  return {
    // Without streaming, the first token arrives with the last.
    firstTokenMs: firstOf(streaming === false ? 'answerMs' : 'firstTokenMs', given, adaptive, clock.now()),
    idleMs: given?.idleMs ?? DEFAULT_TIMEOUTS.idleMs,
    adaptive,
    totalMs: Math.min(longest, own),
    isOwn: own < longest,
    deadlineMs: timeLeftMs(attempt, clock),
  };
}

export function firstOf(
  field: 'firstTokenMs' | 'answerMs',
  given: Config['timeouts'],
  adaptive: AdaptiveTimeouts | undefined,
  nowMs: number,
): number {
  const configured = given?.[field];
  if (configured !== undefined) return configured;
  return given?.adaptive === false || adaptive === undefined ? DEFAULT_TIMEOUTS[field] : adaptive.of(field, nowMs);
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class TimeoutWatcher implements StreamObserver {
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  readonly #parts: TimeoutParts;
  readonly #bounds: Bounds;
  readonly #lent: LentController;
  readonly #deadline = newDeadline();
  readonly #begun: number;
  readonly #latestEnd: number;
  #asked: number;
  #answering = false;
  /** When a source that has sent its `finish` must have ended. */
  #closeAt: number | undefined;
  #control: StreamControl | undefined;
  /** The source had its time while nothing was awaited: the next wait is the last. */
  #late: PolyphonyError | undefined;
  #stopFollowing: (() => void) | undefined;
  readonly #check = (): void => this.#checkTime();

  constructor(attempt: Attempt, next: Handler<Attempt>, parts: TimeoutParts, bounds: Bounds) {
    this.#attempt = attempt;
    this.#next = next;
    this.#parts = parts;
    this.#bounds = bounds;
    this.#lent = parts.controllers.take();
    this.#begun = parts.clock.monotonic();
    this.#asked = this.#begun;
    this.#latestEnd = this.#begun + Math.min(bounds.totalMs, bounds.deadlineMs);
  }

  start(given: StreamControl): undefined {
    const { signal } = this.#attempt;
    if (signal.aborted) throw abortError(signal);
    // A store may have taken that long to hold the money.
    if (this.#bounds.deadlineMs <= 0) throw deadlineReached(this.#attempt);
    this.#control = given;
    if (canAbort(signal)) this.#stopFollowing = onAbort(signal, () => this.#stop(abortError(signal)));
    this.#arm(this.#nextCheck(this.#begun), this.#check);
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next({ ...this.#attempt, signal: this.#lent.signal });
  }

  ask(): void {
    this.#asked = this.#parts.clock.monotonic();
    this.#armClose();
    const reason = this.#late;
    if (reason !== undefined) this.#arm(this.#asked, () => this.#control?.interrupt(reason));
  }

  event(event: ModelEvent): ModelEvent {
    if (event.type === 'finish') this.#finish();
    else if (this.#late !== undefined) throw this.#late;
    else if (!this.#answering) this.#answer(event);
    return event;
  }

  /** A source that was read in one step has ended already: only one that is waited for gets a timer. */
  #finish(): void {
    this.#closeAt = this.#parts.clock.monotonic() + GRACE_MS;
    if (this.#control?.waiting()) this.#armClose();
  }

  #armClose(): void {
    if (this.#closeAt !== undefined) this.#arm(this.#closeAt, () => this.#close());
  }

  #answer(event: ModelEvent): void {
    this.#answering = commits(event);
    if (this.#answering) this.#bounds.adaptive?.answered();
  }

  cancel(): void {
    this.#stop(new PolyphonyError('cancelled', 'The reader closed the stream before its end.'));
  }

  end(ending: StreamEnding): StreamEnding {
    this.#parts.deadlines.remove(this.#deadline);
    this.#parts.controllers.giveBack(this.#lent);
    this.#stopFollowing?.();
    return ending;
  }

  #arm(at: number, due: () => void): void {
    this.#parts.deadlines.set(this.#deadline, at, due);
  }

  #checkTime(): void {
    const bounds = this.#bounds;
    const now = this.#parts.clock.monotonic();
    if (now >= this.#latestEnd) this.#timeOut(bounds.deadlineMs < bounds.totalMs ? 'deadline' : 'total');
    else if (now < this.#due()) this.#arm(this.#nextCheck(now), this.#check);
    else if (this.#control?.waiting()) this.#timeOut(this.#answering ? 'idle' : this.#firstKind());
    else this.#arm(Math.min(this.#latestEnd, now + bounds.idleMs), this.#check);
  }

  #due(): number {
    const { idleMs, firstTokenMs } = this.#bounds;
    return Math.min(this.#latestEnd, this.#answering ? this.#asked + idleMs : this.#begun + firstTokenMs);
  }

  // The first token may replace the deadline by an earlier idle one, so check at least once per idle time.
  #nextCheck(now: number): number {
    return Math.min(this.#due(), now + this.#bounds.idleMs);
  }

  #firstKind(): TimeoutKind {
    return this.#attempt.streaming === false ? 'answer' : 'first-token';
  }

  #timeOut(kind: TimeoutKind): void {
    if (kind === 'first-token' || kind === 'answer') this.#bounds.adaptive?.timedOut();
    this.#stop(timeout(kind, this.#attempt, this.#bounds));
  }

  #stop(reason: PolyphonyError): void {
    this.#lent.controller.abort(reason);
    this.#arm(this.#parts.clock.monotonic() + GRACE_MS, () => this.#giveUp(reason));
  }

  /** The answer is complete, but its source does not end. */
  #close(): void {
    const reason = new PolyphonyError('cancelled', 'The stream stayed open after its finish event, so it was closed.');
    this.#lent.controller.abort(reason);
    this.#giveUp(reason);
  }

  #giveUp(reason: PolyphonyError): void {
    if (this.#control?.waiting()) {
      this.#control.interrupt(reason);
      return;
    }
    // A deadline that stays would be due again at once, for as long as the reader takes.
    this.#parts.deadlines.remove(this.#deadline);
    this.#late = reason;
  }
}

const HOOKS = hooksOf(TimeoutWatcher.prototype, false);

/** The time of the call is up. */
export function deadlineReached(attempt: Attempt): PolyphonyError {
  const { target } = attempt;
  const message = `The call reached its deadline before ${nameOf(target)} answered: raise limits.ms.`;
  const details = { timeout: 'deadline', provider: target.provider };
  const error = new PolyphonyError('timeout', message, { details, retryable: false });
  callStateOf(attempt).blame(error, 'caller');
  return error;
}

function timeout(kind: TimeoutKind, attempt: Attempt, bounds: Bounds): PolyphonyError {
  const { target } = attempt;
  const name = nameOf(target);
  const details = { timeout: kind, provider: target.provider };
  if (kind === 'deadline') return deadlineReached(attempt);
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
