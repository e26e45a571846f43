/** Times an attempt and reports its outcome to the statistics. The budget layer, directly outside, writes its record. */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Handler, Middleware, ModelEvent } from '../../core/model/model.ts';
import { observe, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { type AttemptState, attemptStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Registry } from '../routing/registry.ts';
import { maskOf, needsOf } from '../routing/requirements.ts';
import type { TargetStatistics } from '../routing/statistics.ts';

interface TelemetryParts {
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly registry: () => Registry;
}

export function attemptTelemetry(parts: TelemetryParts): Middleware<Attempt> {
  return (attempt, next) => observe(new AttemptTimer(parts, attempt, next));
}

/** A class because there is one per attempt: closures would cost time, methods do not. */
class AttemptTimer implements StreamObserver {
  readonly #parts: TelemetryParts;
  readonly #attempt: Attempt;
  readonly #next: Handler<Attempt>;
  readonly #timings: AttemptState;
  #begun = 0;
  #inputTokens = 0;
  #outputTokens = 0;

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
    if (event.type === 'finish') {
      this.#inputTokens = event.usage.input;
      this.#outputTokens = event.usage.output;
    } else if (this.#timings.firstTokenMs === null && commits(event))
      this.#timings.firstTokenMs = this.#parts.clock.monotonic() - this.#begun;
    return event;
  }

  end(ending: StreamEnding): StreamEnding {
    const { clock, registry } = this.#parts;
    const attempt = this.#attempt;
    const timings = this.#timings;
    timings.totalMs = clock.monotonic() - this.#begun;
    const statistics = registry().find(attempt.target)?.statistics;
    statistics?.record({
      totalMs: timings.totalMs,
      // A complete answer has no separate first token.
      firstTokenMs: attempt.streaming === false ? null : timings.firstTokenMs,
      outcome: outcomeOf(attempt, ending),
      outputTokens: this.#outputTokens,
      nowMs: clock.now(),
    });
    if (statistics !== undefined && this.#inputTokens > 0) this.#reconcile(statistics);
    return ending;
  }

  /** Our own count beside the provider's. */
  #reconcile({ tokenRatio }: TargetStatistics): void {
    const { request, target } = this.#attempt;
    const { mask, size } = needsOf(request);
    if (request.operation !== 'chat' || (mask & MEDIA) !== 0) return;
    const drift = tokenRatio.learn(size.roughTokens, this.#inputTokens, this.#parts.clock.now());
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

/** Media are estimated as constants, from which nothing is learned. */
const MEDIA = maskOf(['image-in', 'audio-in', 'video-in', 'file-in']);

/** A cancelled attempt says nothing about the target, and neither does a caller's error. */
function outcomeOf(attempt: Attempt, ending: StreamEnding): 'ok' | 'blamed' | 'other' {
  if (ending.kind === 'done') return 'ok';
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return 'other';
  const fault = faultOf(attempt, ending.error);
  return fault === 'target' || fault === 'rate-limit' ? 'blamed' : 'other';
}
