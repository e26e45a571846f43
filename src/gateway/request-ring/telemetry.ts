/** Writes one log line per call. Composed only if there is a logger; the attempt ring measures the attempts. */
import type { Clock } from '../../core/clock.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Call, Middleware, Target } from '../../core/model/model.ts';
import { totalCost } from '../../core/model/response.ts';
import { formatUsd } from '../../core/money/money.ts';
import type { Logger } from '../../core/plugin.ts';
import { observe, type StreamEnding } from '../../kit/streams/observe.ts';
import { commits } from '../../kit/streams/stream-head.ts';
import { callStateOf } from '../calls/call-state.ts';
import { nameOf } from '../calls/target.ts';

export function telemetry({ clock, logger }: { clock: Clock; logger: Logger }): Middleware {
  return (call, next) => {
    let begun = 0;
    let firstTokenMs: number | null = null;
    let target: Target | undefined;
    return observe({
      start() {
        begun = clock.monotonic();
        return undefined;
      },
      open: () => next(call),
      event(event) {
        if (event.type === 'route') target = event.target;
        else if (firstTokenMs === null && commits(event)) firstTokenMs = clock.monotonic() - begun;
        return event;
      },
      end(ending) {
        write(logger, call, ending, { target, firstTokenMs, totalMs: clock.monotonic() - begun });
        return ending;
      },
    });
  };
}

interface Figures {
  readonly target: Target | undefined;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
}

function write(logger: Logger, call: Call, ending: StreamEnding, { target, firstTokenMs, totalMs }: Figures): void {
  const route = callStateOf(call).routed(call.id)?.route;
  const fields = {
    call: call.id,
    operation: call.request.operation,
    purpose: call.purpose,
    target: target === undefined ? null : nameOf(target),
    attempts: call.trace.attempts.length,
    firstTokenMs,
    totalMs,
    cost: formatUsd(totalCost(call.trace.attempts)),
    ...(route === undefined ? {} : { route }),
  };
  if (ending.kind === 'done') logger.info(fields, 'answered');
  else if (ending.kind === 'left') logger.info(fields, 'closed by its reader');
  else {
    const { code, message } = asPolyphonyError(ending.error);
    if (code === 'cancelled') logger.info({ ...fields, code }, 'cancelled');
    else logger.warn({ ...fields, code }, message);
  }
}
