/** The answer to an attempt over HTTP, streamed or whole. */
import { abortError, PolyphonyError } from '../../core/errors.ts';
import {
  batchesOf,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
  readComplete,
} from '../../core/model/complete.ts';
import type { Attempt, ModelEvent, Target, Warning } from '../../core/model/model.ts';
import type { Transport, TransportResponse } from '../../core/model/provider.ts';
import { systemClock } from '../../system/clock.ts';
import { describeError, refusal } from './http-refusal.ts';
import {
  addressed,
  contextOf,
  type HttpExchange,
  type HttpParts,
  type HttpProviderOptions,
  leave,
  tellingOf,
} from './http-request.ts';

/** A class because there is one a call: methods cost nothing there, closures do. */
export class HttpAnswer implements CompletableStream {
  readonly #parts: HttpParts;
  readonly #attempt: Attempt;
  readonly #transport: Transport;

  constructor(parts: HttpParts, attempt: Attempt, transport: Transport) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#transport = transport;
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelEvent> {
    return streamAttempt(this.#parts, this.#attempt, this.#transport);
  }

  get [COMPLETE](): (() => Promise<CompleteStream>) | undefined {
    return this.#attempt.streaming === false ? this.#read : undefined;
  }

  #read(): Promise<CompleteStream> {
    return readAttempt(this.#parts, this.#attempt, this.#transport);
  }
}

async function* streamAttempt(parts: HttpParts, attempt: Attempt, transport: Transport): AsyncGenerator<ModelEvent> {
  const answer: HttpExchange = { response: undefined };
  let finished = false;
  try {
    const { warnings, events } = await ask(parts, attempt, transport, answer);
    yield* warnings.splice(0).map(asEvent);
    for await (const batch of batchesOf(events)) {
      for (const event of batch) {
        // What has arrived already is not given out to a reader who cancelled.
        if (attempt.signal.aborted) throw abortError(attempt.signal);
        if (event.type === 'finish') finished = true;
        yield event;
      }
    }
    if (!finished) throw truncated();
  } catch (error) {
    throw attempt.signal.aborted
      ? abortError(attempt.signal)
      : describeError(error, attempt.target, tellingOf(parts), answer.response);
  } finally {
    await leave(answer);
  }
}

/** The same for an answer that nobody reads along. */
async function readAttempt(parts: HttpParts, attempt: Attempt, transport: Transport): Promise<CompleteStream> {
  const answer: HttpExchange = { response: undefined };
  let events: readonly ModelEvent[] = [];
  try {
    const asked = await ask(parts, attempt, transport, answer);
    const whole = await readComplete(asked.events);
    events = asked.warnings.length === 0 ? whole.events : [...asked.warnings.map(asEvent), ...whole.events];
    if (whole.failure !== undefined) throw whole.failure.error;
    if (!events.some(isFinish)) throw truncated();
    return { events };
  } catch (thrown) {
    const { signal, target } = attempt;
    return {
      events,
      failure: {
        error: signal.aborted ? abortError(signal) : describeError(thrown, target, tellingOf(parts), answer.response),
      },
    };
  } finally {
    await leave(answer);
  }
}

const isFinish = ({ type }: ModelEvent): boolean => type === 'finish';
const asEvent = (warning: Warning): ModelEvent => ({ type: 'warning', warning });

interface Asked {
  readonly warnings: Warning[];
  readonly events: AsyncIterable<ModelEvent>;
}

async function ask(parts: HttpParts, attempt: Attempt, transport: Transport, answer: HttpExchange): Promise<Asked> {
  const { options } = parts;
  const { wire } = options;
  const warnings: Warning[] = [];
  const context = contextOf(parts, attempt, (warning) => void warnings.push(warning));
  const encoded = wire.encode(attempt.request, context);
  const request = encoded instanceof Promise ? await encoded : encoded;
  const response = await transport.request(addressed(request, options, context, attempt.signal));
  answer.response = response;
  report(options, response, attempt.target);
  if (response.status >= 300) throw await refusal(wire, response);
  return { warnings, events: wire.decode(response, attempt.request, context) };
}

function truncated(): PolyphonyError {
  return new PolyphonyError('truncated', 'The answer ended without a finish reason: it was cut off. Try again.');
}

function report(options: HttpProviderOptions, response: TransportResponse, target: Target): void {
  const { onRateLimits, wire, clock = systemClock } = options;
  if (onRateLimits === undefined || wire.rateLimits === undefined) return;
  const limits = wire.rateLimits(response.headers, clock.now());
  if (limits.length > 0) onRateLimits(limits, target);
}
