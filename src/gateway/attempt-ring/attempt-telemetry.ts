/** Times an attempt and reports its outcome to the statistics. The budget layer, directly outside, writes its record. */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Middleware } from '../../core/model/model.ts';
import { observe, type StreamEnding } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { attemptStateOf } from '../calls/call-state.ts';
import { faultOf } from '../calls/faults.ts';
import type { Registry } from '../routing/registry.ts';

export function attemptTelemetry({ clock, registry }: { clock: Clock; registry: () => Registry }): Middleware<Attempt> {
  return (attempt, next) => {
    const timings = attemptStateOf(attempt);
    let begun = 0;
    let outputTokens = 0;
    return observe({
      start() {
        begun = clock.monotonic();
        return undefined;
      },
      open: () => next(attempt),
      event(event) {
        if (event.type === 'finish') outputTokens = event.usage.output;
        else if (timings.firstTokenMs === null && commits(event)) timings.firstTokenMs = clock.monotonic() - begun;
        return event;
      },
      end(ending) {
        timings.totalMs = clock.monotonic() - begun;
        const statistics = registry().find(attempt.target)?.statistics;
        const { totalMs } = timings;
        // A complete answer has no separate first token.
        const firstTokenMs = attempt.streaming === false ? null : timings.firstTokenMs;
        statistics?.record({
          totalMs,
          firstTokenMs,
          outcome: outcomeOf(attempt, ending),
          outputTokens,
          nowMs: clock.now(),
        });
        return ending;
      },
    });
  };
}

/** A cancelled attempt says nothing about the target, and neither does a caller's error. */
function outcomeOf(attempt: Attempt, ending: StreamEnding): 'ok' | 'blamed' | 'other' {
  if (ending.kind === 'done') return 'ok';
  if (ending.kind === 'left' || !(ending.error instanceof PolyphonyError)) return 'other';
  const fault = faultOf(attempt, ending.error);
  return fault === 'target' || fault === 'rate-limit' ? 'blamed' : 'other';
}
