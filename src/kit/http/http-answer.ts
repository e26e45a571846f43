/** The answer to an attempt over HTTP, streamed or complete. */
import { abortError, PolyphonyError, unsentError } from '../../core/errors.ts';
import {
  ARRIVED,
  batchesOf,
  COMPLETE,
  type CompletableStream,
  type CompleteStream,
  type EventIterator,
  readComplete,
} from '../../core/model/complete.ts';
import type { Attempt, FinishEvent, ModelEvent, Warning } from '../../core/model/model.ts';
import type { ProviderContext, TransportResponse, WireFormat, WireRequest } from '../../core/model/provider.ts';
import { preparedRequest } from '../requests/prepared-request.ts';
import { describeError, refusal } from './http-refusal.ts';
import { reportFinish, reportHeaders } from './http-report.ts';
import { addressed, contextOf, type HttpExchange, type HttpParts, leave } from './http-request.ts';

/** A class because there is one per call: closures would cost time, methods do not. */
export class HttpAnswer implements CompletableStream {
  readonly #parts: HttpParts;
  readonly #attempt: Attempt;
  readonly #context: ProviderContext;

  constructor(parts: HttpParts, attempt: Attempt, context: ProviderContext) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#context = context;
  }

  [Symbol.asyncIterator](): EventIterator {
    return new AttemptEvents(this.#parts, this.#attempt, this.#context);
  }

  get [COMPLETE](): (() => Promise<CompleteStream>) | undefined {
    return this.#attempt.streaming === false ? this.#read : undefined;
  }

  #read(): Promise<CompleteStream> {
    return readAttempt(this.#parts, this.#attempt, this.#context);
  }
}

type Batch = readonly ModelEvent[];
type Result = IteratorResult<ModelEvent, undefined>;

const NOTHING: Batch = [];
const OVER: Result = { value: undefined, done: true };

/**
 * The events of an answer one by one: those that arrived together without a wait. Written by hand, because a generator takes
 * several turns of the microtask queue for each piece of an answer, and again for each event.
 */
class AttemptEvents implements EventIterator {
  readonly #parts: HttpParts;
  readonly #attempt: Attempt;
  readonly #context: ProviderContext;
  readonly #answer: HttpExchange = { response: undefined };
  #batches: AsyncIterator<Batch> | undefined;
  #batch = NOTHING;
  #at = 0;
  #waiting: Promise<Result> | undefined;
  #finished = false;
  /** Nothing more is asked for. */
  #over = false;
  #leaving: Promise<void> | undefined;
  // Made once: there is one wait for each piece of an answer.
  readonly #take = ({ done, value }: IteratorResult<Batch, unknown>): Result | Promise<Result> => {
    this.#waiting = undefined;
    if (done === true) return this.#end();
    this.#batch = value;
    this.#at = 0;
    return this.#give();
  };
  readonly #fail = async (thrown: unknown): Promise<never> => {
    this.#waiting = undefined;
    const error = errorOf(thrown, this.#attempt, this.#context, this.#answer);
    await this.#leave().catch(() => {});
    throw error;
  };

  constructor(parts: HttpParts, attempt: Attempt, context: ProviderContext) {
    this.#parts = parts;
    this.#attempt = attempt;
    this.#context = context;
  }

  next(): Promise<Result> {
    return Promise.resolve(this.#give());
  }

  [ARRIVED](): ModelEvent | undefined {
    const event = this.#batch[this.#at];
    // `finish` has to be asked for: then it is reported.
    if (event === undefined || event.type === 'finish' || this.#attempt.signal.aborted) return undefined;
    this.#at += 1;
    return event;
  }

  async return(): Promise<Result> {
    // Before the first wait: whoever asks behind it gets the end, and sends no request.
    this.#batch = NOTHING;
    this.#over = true;
    await this.#waiting?.catch(() => {});
    try {
      if (this.#leaving === undefined) await this.#leave();
      else await this.#leaving.catch(() => {});
    } catch (thrown) {
      throw errorOf(thrown, this.#attempt, this.#context, this.#answer);
    }
    return OVER;
  }

  #give(): Result | Promise<Result> {
    const value = this.#batch[this.#at];
    if (value === undefined) return this.#wait();
    try {
      if (value.type === 'finish') this.#finish(value);
    } catch (error) {
      return this.#fail(error);
    }
    const { signal } = this.#attempt;
    // A reader that cancelled gets no more events, even if they have arrived.
    if (signal.aborted && !isLate(value, this.#attempt)) return this.#fail(abortError(signal));
    this.#at += 1;
    return { value, done: false };
  }

  #finish(event: FinishEvent): void {
    this.#finished = true;
    reportFinish(event, this.#answer, this.#context);
  }

  #wait(): Result | Promise<Result> {
    if (this.#over) return OVER;
    const again = (): Result | Promise<Result> => this.#give();
    if (this.#waiting !== undefined) return this.#waiting.then(again, again);
    const arrived = this.#batches?.next().then(this.#take, this.#fail) ?? this.#begin();
    this.#waiting = arrived;
    return arrived;
  }

  async #begin(): Promise<Result> {
    try {
      const { warnings, events } = await ask(this.#parts, this.#attempt, this.#context, this.#answer);
      this.#batches = batchesOf(events)[Symbol.asyncIterator]();
      return this.#take(warnings.length > 0 ? { value: warnings.map(asEvent) } : await this.#batches.next());
    } catch (error) {
      return this.#fail(error);
    }
  }

  async #end(): Promise<Result> {
    if (!this.#finished) return this.#fail(truncated());
    this.#over = true;
    this.#leaving = Promise.resolve(leave(this.#answer)).then(() => {});
    await this.#leaving;
    return OVER;
  }

  /** Once. */
  #leave(): Promise<void> {
    this.#over = true;
    this.#leaving ??= this.#close();
    return this.#leaving;
  }

  async #close(): Promise<void> {
    this.#batch = NOTHING;
    try {
      await this.#batches?.return?.();
    } finally {
      await leave(this.#answer);
    }
  }
}

/** The same for an answer that is read in one step. */
async function readAttempt(parts: HttpParts, attempt: Attempt, context: ProviderContext): Promise<CompleteStream> {
  const answer: HttpExchange = { response: undefined };
  let events: readonly ModelEvent[] = [];
  try {
    const asked = await ask(parts, attempt, context, answer);
    const complete = await readComplete(asked.events);
    events = asked.warnings.length === 0 ? complete.events : [...asked.warnings.map(asEvent), ...complete.events];
    if (complete.failure !== undefined) throw complete.failure.error;
    const finish = events.findLast(isFinish);
    if (finish === undefined) throw truncated(answer.response);
    reportFinish(finish, answer, context);
    return { events };
  } catch (thrown) {
    return { events, failure: { error: errorOf(thrown, attempt, context, answer) } };
  } finally {
    await leave(answer);
  }
}

/** Only here is it known whether the request was handed over; the transport knows whether it was sent. */
function errorOf(
  thrown: unknown,
  { signal, target }: Attempt,
  { clock }: ProviderContext,
  { sent = false, response, requestId }: HttpExchange,
): PolyphonyError {
  const error = signal.aborted ? abortError(signal) : describeError(thrown, target, clock, response, requestId);
  return !sent || (thrown instanceof PolyphonyError && thrown.unsent) ? unsentError(error) : error;
}

/** The end of an answer that was complete when the time was up: it is paid for, and asking again would be paid again. */
const isLate = ({ type }: ModelEvent, { signal }: Attempt): boolean =>
  (type === 'finish' || type === 'warning') && abortError(signal).code === 'timeout';

const isFinish = (event: ModelEvent): event is FinishEvent => event.type === 'finish';
const asEvent = (warning: Warning): ModelEvent => ({ type: 'warning', warning });

interface Asked {
  readonly warnings: Warning[];
  readonly events: AsyncIterable<ModelEvent>;
}

async function ask(parts: HttpParts, attempt: Attempt, given: ProviderContext, answer: HttpExchange): Promise<Asked> {
  const { options } = parts;
  const { wire } = options;
  const warnings: Warning[] = [];
  const context = contextOf(parts, attempt, given.clock, {
    warn: (warning) => void warnings.push(warning),
    report(report) {
      answer.stated = { ...answer.stated, ...report };
    },
  });
  const { renamed, request: asked } = preparedRequest(attempt.request, wire, context);
  const encoded = wire.encode(asked, context);
  const request = encoded instanceof Promise ? await encoded : encoded;
  const addressedRequest = addressed(withCallerId(request, wire, attempt), parts, context, attempt.signal);
  answer.sent = true;
  const response = await given.transport.request(addressedRequest);
  answer.response = response;
  if (response.networkMs !== undefined) given.sentAfter?.(response.networkMs);
  answer.requestId = reportHeaders(options, response, attempt.target, given);
  if (response.status >= 300) throw await refusal(wire, response);
  const events = wire.decode(response, asked, context);
  return { warnings, events: renamed === undefined ? events : renamed.restore(events) };
}

/** The caller's own id of the request, where servers of the wire take one. */
function withCallerId(request: WireRequest, { callerIdHeader }: WireFormat, { requestId }: Attempt): WireRequest {
  if (callerIdHeader === undefined || requestId === undefined) return request;
  return { ...request, headers: { ...request.headers, [callerIdHeader]: requestId } };
}

/** What a whole document took is what its headers say: it arrived, and could not be read. */
function truncated(response?: TransportResponse): PolyphonyError {
  const message = 'The answer ended without a finish reason, so it was cut off. Try again.';
  const receivedBytes = Number(response?.headers['content-length'] ?? 0);
  return new PolyphonyError('truncated', message, receivedBytes > 0 ? { details: { receivedBytes } } : {});
}
