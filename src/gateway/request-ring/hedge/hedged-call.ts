/** One call that may ask two targets: the timer of the first, the race of both, the settlement of the loser. */
import type { Clock } from '../../../core/clock.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../../../core/errors.ts';
import type { Call, Handler, ModelEvent, Target } from '../../../core/model/model.ts';
import { onAbort } from '../../../core/on-abort.ts';
import type { StreamEnding, StreamObserver } from '../../../kit/streams/observe.ts';
import { lazily, type ReadHead, type StreamHead } from '../../../kit/streams/stream-head.ts';
import { settlesWithin } from '../../../system/clock.ts';
import type { Controllers, LentController } from '../../attempt-ring/timeouts/abort-controller-pool.ts';
import { type Deadlines, newDeadline } from '../../attempt-ring/timeouts/deadline-timer.ts';
import { canAbort } from '../../calls/call.ts';
import { callStateOf, type Lanes } from '../../calls/call-state.ts';
import { nameOf } from '../../calls/target.ts';
import type { GatewayEvents } from '../../gateway-events.ts';
import type { Registry } from '../../routing/registry.ts';
import { type RouteOptions, routeOf } from '../../routing/route.ts';
import type { Allowance } from './allowance.ts';
import { type HedgeRule, isSameTarget, secondsTo, waitBefore, waitsOf } from './rule.ts';

export interface HedgeParts {
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly registry: () => Registry;
  readonly routing: (call: Call) => RouteOptions;
  readonly allowance: Allowance;
  readonly deadlines: Deadlines;
  readonly controllers: Controllers;
}

/** One of the two targets, with what failover puts in its place before it has spoken. */
interface Lane {
  readonly lent: LentController;
  isRunning: boolean;
  error: unknown;
  /** Resolves when nothing of it goes on, except for the stream of the winner. */
  ended: Promise<void>;
}

/** How long the end of an answer waits for a loser that ignores its cancel; its own time-out gives up within a second. */
const LONGEST_LEAVE_MS = 2000;

/** A class because there is one per call: closures would cost time, methods do not. */
export class HedgedCall implements StreamObserver, Lanes {
  winner: Lanes['winner'];
  readonly #parts: HedgeParts;
  readonly #rule: HedgeRule;
  readonly #call: Call;
  readonly #next: Handler;
  readonly #first: Lane;
  readonly #deadline = newDeadline();
  readonly #taken: Target[] = [];
  #second: Lane | undefined;
  #firstTarget: Target | undefined;
  #secondTarget: Target | undefined;
  /** When the first lane took its latest target, and when the second began. */
  #askedAt = 0;
  #secondAt = 0;
  #stopFollowing: (() => void) | undefined;
  #read: ReadHead | undefined;
  #resolve: (head: StreamHead) => void = nothing;
  #reject: (error: unknown) => void = nothing;

  constructor(parts: HedgeParts, rule: HedgeRule, call: Call, next: Handler) {
    this.#parts = parts;
    this.#rule = rule;
    this.#call = call;
    this.#next = next;
    this.#first = newLane(parts.controllers);
  }

  start(): undefined {
    const { signal } = this.#call;
    if (signal.aborted) throw abortError(signal);
    callStateOf(this.#call).share(this.#call.id, this);
    if (canAbort(signal)) this.#stopFollowing = onAbort(signal, () => this.#abort(abortError(signal)));
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return lazily(
      (read) =>
        new Promise((resolve, reject) => {
          this.#read = read;
          this.#resolve = resolve;
          this.#reject = reject;
          this.#begin(this.#first, this.#call);
        }),
    );
  }

  cancel(): void {
    this.#abort(new PolyphonyError('cancelled', 'The reader closed the stream before its end.'));
  }

  end(ending: StreamEnding): StreamEnding | Promise<StreamEnding> {
    this.#stopFollowing?.();
    this.#disarm();
    if (this.winner === undefined) this.cancel();
    const { clock, controllers } = this.#parts;
    const loser = this.winner === 'second' ? this.#first : this.#second;
    if (loser !== undefined) return settlesWithin(clock, LONGEST_LEAVE_MS, loser.ended).then(() => ending);
    // Where two were asked, one of them may go on with its signal.
    controllers.giveBack(this.#first.lent);
    return ending;
  }

  has(target: Target): boolean {
    return this.winner === undefined && this.#taken.some((one) => isSameTarget(one, target));
  }

  take(target: Target): void {
    if (this.winner !== undefined) return;
    this.#taken.push(target);
    if (this.#second === undefined) this.#arm(target);
    else this.#secondTarget ??= target;
  }

  /** A target that takes the place of one that failed has a wait of its own. */
  #arm(target: Target): void {
    const { clock, deadlines, registry } = this.#parts;
    this.#firstTarget = target;
    this.#askedAt = clock.monotonic();
    const statistics = registry().find(target)?.statistics;
    const waitMs = waitBefore(this.#rule, statistics && waitsOf(statistics, this.#call), clock.now());
    if (waitMs === undefined) this.#disarm();
    else deadlines.set(this.#deadline, this.#askedAt + waitMs, () => this.#askSecond());
  }

  #disarm(): void {
    this.#parts.deadlines.remove(this.#deadline);
  }

  #askSecond(): void {
    this.#disarm();
    const order = this.#seconds();
    if (order.length === 0 || !this.#parts.allowance.take()) return;
    this.#second = newLane(this.#parts.controllers);
    this.#secondAt = this.#parts.clock.monotonic();
    this.#begin(this.#second, { isSecond: true, ...this.#call, order });
  }

  /** None as well where a plugin or the caller's own function fails: the first target is still being asked. */
  #seconds(): readonly Target[] {
    const first = this.#firstTarget;
    try {
      if (first === undefined || this.#call.isAwaited?.() === false) return [];
      const routed = routeOf(this.#parts.routing(this.#call)).map(({ target }) => target);
      return secondsTo(
        first,
        routed.filter((target) => !this.has(target)),
      );
    } catch {
      return [];
    }
  }

  #begin(lane: Lane, call: Call): void {
    const read = this.#read;
    if (read === undefined) return;
    lane.ended = read(this.#next({ ...call, signal: lane.lent.signal })).then(
      (head) => this.#spoke(lane, head),
      (error: unknown) => this.#failed(lane, error),
    );
  }

  #spoke(lane: Lane, head: StreamHead): Promise<void> | undefined {
    lane.isRunning = false;
    // It lost in the very moment in which it spoke.
    if (this.winner !== undefined) return leave(head);
    this.winner = lane === this.#first ? 'first' : 'second';
    this.#disarm();
    const other = lane === this.#first ? this.#second : this.#first;
    if (other?.isRunning === true) other.lent.controller.abort(this.#lost());
    this.#tell();
    this.#resolve(head);
    return undefined;
  }

  #failed(lane: Lane, error: unknown): void {
    lane.isRunning = false;
    lane.error = error;
    if (this.winner !== undefined) return;
    if (lane === this.#second && isUnaffordable(error)) this.#parts.allowance.giveBack();
    if (this.#first.isRunning || this.#second?.isRunning === true) return;
    this.#disarm();
    this.#tell();
    this.#reject(this.#first.error);
  }

  #abort(reason: PolyphonyError): void {
    this.#first.lent.controller.abort(reason);
    this.#second?.lent.controller.abort(reason);
  }

  #lost(): PolyphonyError {
    const error = new PolyphonyError('cancelled', 'Another target that was asked at the same time spoke first.');
    callStateOf(this.#call).blame(error, 'lost-hedge');
    return error;
  }

  #tell(): void {
    const { clock, events, registry } = this.#parts;
    const first = this.#firstTarget;
    const second = this.#secondTarget;
    if (first === undefined || second === undefined || isUnaffordable(this.#second?.error)) return;
    const winner = this.winner ?? 'none';
    if (winner === 'second') {
      const statistics = registry().find(first)?.statistics;
      if (statistics !== undefined)
        waitsOf(statistics, this.#call).addCut(clock.monotonic() - this.#askedAt, clock.now());
    }
    const afterMs = Math.round(this.#secondAt - this.#askedAt);
    const spoke = { first: nameOf(first), second: nameOf(second), none: 'neither' }[winner];
    const message = `${nameOf(first)} had said nothing for ${afterMs} ms, so ${nameOf(second)} was asked too; ${spoke} spoke first.`;
    const names = { first: nameOf(first), second: nameOf(second) };
    events.tell({ type: 'hedged', level: 'info', message, callId: this.#call.id, ...names, afterMs, winner });
  }
}

const nothing = (): void => {};

const newLane = (controllers: Controllers): Lane => ({
  lent: controllers.take(),
  isRunning: true,
  error: undefined,
  ended: Promise.resolve(),
});

/** Nothing was sent. */
const isUnaffordable = (error: unknown): boolean =>
  error !== undefined && asPolyphonyError(error).code === 'budget-exceeded';

async function leave({ rest }: StreamHead): Promise<void> {
  try {
    await rest.return?.();
  } catch {
    // It has no reader, and the layers below have settled it.
  }
}
