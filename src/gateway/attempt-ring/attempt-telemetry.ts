/** Times an attempt and reports its outcome to the statistics and to those who watch. The budget layer, directly outside, writes its record. */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, FinishEvent, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { hooksOf, observeBy, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import type { AttemptEnd, AttemptWatcher } from '../calls/attempt-watcher.ts';
import { type AttemptState, attemptStateOf, callStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import { maskOf } from '../calls/requirements.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Registry } from '../routing/registry.ts';
import type { TargetStatistics } from '../routing/statistics.ts';

interface TelemetryParts {
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly registry: () => Registry;
  readonly watchers: readonly AttemptWatcher[];
}

export function attemptTelemetry(parts: TelemetryParts): Middleware<Attempt> {
  return (attempt, next) => observeBy(HOOKS, new AttemptTimer(parts, attempt, next));
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class AttemptTimer implements StreamObserver, AttemptEnd {
  readonly #parts: TelemetryParts;
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  readonly #timings: AttemptState;
  #begun = 0;
  outcome: AttemptEnd['outcome'] = 'other';
  error: PolyphonyError | undefined = undefined;
  finish: FinishEvent | undefined = undefined;
  totalMs = 0;

  constructor(parts: TelemetryParts, attempt: Attempt, next: Handler<Attempt>) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#next = next;
    this.#timings = attemptStateOf(attempt);
  }

  start(): undefined {
    this.#begun = this.#parts.clock.monotonic();
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#attempt);
  }

  event(event: ModelEvent): ModelEvent {
    if (event.type === 'finish') this.finish = event;
    else if (this.#timings.firstTokenMs === null && commits(event))
      this.#timings.firstTokenMs = this.#parts.clock.monotonic() - this.#begun;
    return event;
  }

  end(ending: StreamEnding): StreamEnding {
    const { clock, registry, watchers } = this.#parts;
    const attempt = this.#attempt;
    const timings = this.#timings;
    timings.totalMs = clock.monotonic() - this.#begun;
    this.totalMs = timings.totalMs;
    this.outcome = outcomeOf(attempt, ending);
    if (ending.kind === 'error' && ending.error instanceof PolyphonyError) this.error = ending.error;
    const statistics = registry().find(attempt.target)?.statistics;
    const { input = 0, output = 0 } = this.finish?.usage ?? {};
    statistics?.record({
      totalMs: timings.totalMs,
      // A complete answer has no separate first token.
      firstTokenMs: attempt.streaming === false ? null : timings.firstTokenMs,
      outcome: this.outcome,
      outputTokens: output,
      nowMs: clock.now(),
    });
    if (statistics !== undefined && input > 0) this.#reconcile(statistics, input);
    for (const watcher of watchers) watcher.ended(attempt, this);
    return ending;
  }

  /** Our own count beside the provider's. */
  #reconcile({ tokenRatio }: TargetStatistics, claimed: number): void {
    const { request, target } = this.#attempt;
    const { mask, size } = callStateOf(this.#attempt).needs(request);
    if (request.operation !== 'chat' || (mask & MEDIA) !== 0) return;
    const drift = tokenRatio.learn(size.roughTokens, claimed, this.#parts.clock.now());
    if (drift === undefined) return;
    const what = `${target.provider}/${target.model}`;
    this.#parts.events.tell({
      type: 'token-drift',
      level: 'warn',
      message: `${what} lately counts ${drift.recent.toFixed(2)} tokens for one of our own estimate, and counted ${drift.learned.toFixed(2)} before.`,
      what,
      ...drift,
    });
  }
}

const HOOKS = hooksOf(AttemptTimer.prototype, false);

/** Media are estimated as constants, from which nothing is learned. */
const MEDIA = maskOf(['image-in', 'audio-in', 'video-in', 'file-in']);

/** A cancelled attempt says nothing about the target, and neither does a caller's error. */
function outcomeOf(attempt: Attempt, ending: StreamEnding): 'ok' | 'blamed' | 'other' {
  if (ending.kind === 'done') return 'ok';
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return 'other';
  const fault = faultOf(attempt, ending.error);
  return fault === 'target' || fault === 'rate-limit' ? 'blamed' : 'other';
}
