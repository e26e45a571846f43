/**
 * A provider over HTTP: a wire format and a base URL make one. It sends one request an attempt and reports what became of
 * it; retrying, rotating credentials and waiting are the gateway's.
 */
import type { Clock } from '../core/clock.ts';
import { abortError, PolyphonyError } from '../core/errors.ts';
import type { Attempt, ModelEvent, Target, Warning } from '../core/model.ts';
import type {
  ModelCard,
  Provider,
  RateLimit,
  Transport,
  TransportResponse,
  WireContext,
  WireFormat,
  WireRequest,
} from '../core/provider.ts';
import { batchesOf, readWhole, WHOLE, type Whole, type WholeStream } from '../core/whole.ts';
import { readJson } from './answer.ts';
import { systemClock } from './clock.ts';
import { refusal, type Telling, told } from './http-refusal.ts';
import { cardIndex } from './model-card.ts';
import { rememberSecret } from './scrub.ts';

export interface HttpProviderOptions {
  /** `[a-z][a-z0-9-]*` */
  readonly id: string;
  readonly wire: WireFormat;
  /** Without a trailing slash; a function where it depends on the region or the model. */
  readonly baseURL: string | ((target: Target) => string);
  readonly models: readonly ModelCard[];
  /** The keys that the gateway rotates over; a function is asked at each request. @default none */
  readonly apiKeys?: readonly string[] | (() => readonly string[]);
  /** What to do when there is no key. Set, a request without one is refused before it is sent. */
  readonly missingKey?: string;
  /** Sent with every request, over what the wire format sends. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at once. @default 64 */
  readonly concurrency?: number;
  readonly unlisted?: (id: string) => ModelCard | undefined;
  readonly regions?: readonly string[];
  /** The free endpoint that tells whether the provider lives. @default none */
  readonly probe?: (context: Pick<WireContext, 'baseURL' | 'apiKey'>) => ProbeRequest | Promise<ProbeRequest>;
  /** Told after every answer that names limits, good or bad. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
  /** Read for dates in headers. @default the system's */
  readonly clock?: Clock;
}

export interface ProbeRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws invalid-config when the id is malformed */
export function httpProvider(options: HttpProviderOptions): Provider {
  const { id, models, unlisted, regions, concurrency, probe } = options;
  if (!/^[a-z][a-z0-9-]*$/.test(id)) {
    throw new PolyphonyError(
      'invalid-config',
      `A provider cannot be named "${id}": use lower-case letters, digits and dashes.`,
    );
  }
  const given = options.apiKeys ?? [];
  const keys = typeof given === 'function' ? given : () => given;
  const cards = cardIndex(models);
  const cardOf = (target: Target): ModelCard => {
    const card = cards.get(target.model) ?? unlisted?.(target.model);
    if (card !== undefined) return card;
    throw new PolyphonyError(
      'model-not-found',
      `"${target.model}" is no model of this provider: see its list of models.`,
    );
  };
  const { baseURL } = options;
  const fixedBase = typeof baseURL === 'function' ? '' : withoutSlash(baseURL);
  const baseOf = (target: Target): string =>
    typeof baseURL === 'function' ? withoutSlash(baseURL(target)) : fixedBase;
  let labels: readonly string[] = [];

  const parts: Parts = { options, keys, cardOf, baseOf };
  return {
    id,
    models,
    ...(unlisted === undefined ? {} : { unlisted }),
    ...(regions === undefined ? {} : { regions }),
    ...(concurrency === undefined ? {} : { concurrency }),
    // A getter: keys may come from an environment that is filled after this module was loaded.
    get credentials() {
      const count = Math.max(1, keys().length);
      if (labels.length !== count) labels = Array.from({ length: count }, (_, index) => `${id}#${index + 1}`);
      return labels;
    },
    stream: (attempt, transport) => answerOf(parts, attempt, transport),
    ...(options.wire.counting === undefined
      ? {}
      : { countTokens: (attempt, transport) => countTokens(parts, attempt, transport) }),
    ...(probe === undefined
      ? {}
      : { probe: (transport, signal) => runProbe(options, keys, baseOf, transport, signal) }),
  };
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

interface Parts {
  readonly options: HttpProviderOptions;
  readonly keys: () => readonly string[];
  readonly cardOf: (target: Target) => ModelCard;
  readonly baseOf: (target: Target) => string;
}

function answerOf(parts: Parts, attempt: Attempt, transport: Transport): WholeStream {
  return {
    [Symbol.asyncIterator]: () => streamAttempt(parts, attempt, transport),
    [WHOLE]: attempt.streaming === false ? () => readAttempt(parts, attempt, transport) : undefined,
  };
}

async function* streamAttempt(parts: Parts, attempt: Attempt, transport: Transport): AsyncGenerator<ModelEvent> {
  const answer: Answer = { response: undefined };
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
      : told(error, attempt.target, tellingOf(parts), answer.response);
  } finally {
    await leave(answer);
  }
}

/** The same for an answer that nobody reads along. */
async function readAttempt(parts: Parts, attempt: Attempt, transport: Transport): Promise<Whole> {
  const answer: Answer = { response: undefined };
  let events: ModelEvent[] = [];
  try {
    const asked = await ask(parts, attempt, transport, answer);
    const whole = await readWhole(asked.events);
    events = [...asked.warnings.splice(0).map(asEvent), ...whole.events];
    if (whole.failure !== undefined) throw whole.failure.error;
    if (!events.some(({ type }) => type === 'finish')) throw truncated();
    return { events };
  } catch (thrown) {
    const { signal, target } = attempt;
    return {
      events,
      failure: { error: signal.aborted ? abortError(signal) : told(thrown, target, tellingOf(parts), answer.response) },
    };
  } finally {
    await leave(answer);
  }
}

const asEvent = (warning: Warning): ModelEvent => ({ type: 'warning', warning });

/** Kept apart from what is read of it: who fails must still close it. */
interface Answer {
  response: TransportResponse | undefined;
}

interface Asked {
  readonly warnings: Warning[];
  readonly events: AsyncIterable<ModelEvent>;
}

async function ask(parts: Parts, attempt: Attempt, transport: Transport, answer: Answer): Promise<Asked> {
  const { options } = parts;
  const { wire } = options;
  const warnings: Warning[] = [];
  const context = contextOf(parts, attempt, (warning) => void warnings.push(warning));
  const encoded = wire.encode(attempt.request, context);
  const request = encoded instanceof Promise ? await encoded : encoded;
  const response = await send(options, request, context, attempt, transport);
  answer.response = response;
  report(options, response, attempt.target);
  if (response.status >= 300) throw await refusal(wire, response);
  return { warnings, events: wire.decode(response, attempt.request, context) };
}

/** Closes the socket of an answer that nobody read to its end. */
function leave({ response }: Answer): Promise<unknown> | undefined {
  return response?.body[Symbol.asyncIterator]().return?.();
}

const tellingOf = ({ options: { clock = systemClock }, keys }: Pick<Parts, 'options' | 'keys'>): Telling => ({
  secrets: keys(),
  clock,
});

function truncated(): PolyphonyError {
  return new PolyphonyError('truncated', 'The answer ended without a finish reason: it was cut off. Try again.');
}

function contextOf(
  parts: Parts,
  { target, streaming = true }: Pick<Attempt, 'target' | 'streaming'>,
  warn: (warning: Warning) => void,
): WireContext {
  const apiKey = keyOf(parts.keys(), target);
  const { missingKey } = parts.options;
  if (apiKey === undefined && missingKey !== undefined) {
    throw new PolyphonyError('invalid-credential', `There is no API key: ${missingKey}`);
  }
  if (apiKey !== undefined) rememberSecret(apiKey);
  return { card: parts.cardOf(target), target, baseURL: parts.baseOf(target), apiKey, streaming, warn };
}

/** The key that the label names; the first where the target names none. */
function keyOf(keys: readonly string[], target: Target): string | undefined {
  if (target.credential === undefined) return keys[0];
  const number = Number(target.credential.slice(target.credential.lastIndexOf('#') + 1));
  return keys[number - 1];
}

function send(
  options: HttpProviderOptions,
  { method = 'POST', url, headers, body }: WireRequest,
  { baseURL }: WireContext,
  { signal }: Attempt,
  transport: Transport,
): Promise<TransportResponse> {
  return transport.request({
    method,
    url: absolute(url, baseURL),
    headers: options.headers === undefined ? headers : { ...headers, ...options.headers },
    ...(method === 'GET' ? {} : { body }),
    signal,
  });
}

const absolute = (url: string, baseURL: string): string => (/^https?:\/\//.test(url) ? url : baseURL + url);

function report(options: HttpProviderOptions, response: TransportResponse, target: Target): void {
  const { onRateLimits, wire, clock = systemClock } = options;
  if (onRateLimits === undefined || wire.rateLimits === undefined) return;
  const limits = wire.rateLimits(response.headers, clock.now());
  if (limits.length > 0) onRateLimits(limits, target);
}

// ---------------------------------------------------------------------------------------------------- probes and counts

async function runProbe(
  options: HttpProviderOptions,
  keys: () => readonly string[],
  baseOf: (target: Target) => string,
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  const target: Target = { provider: options.id, model: 'probe' };
  const asked = await options.probe?.({ baseURL: baseOf(target), apiKey: keys()[0] });
  if (asked === undefined) return;
  const headers = { ...asked.headers, ...options.headers };
  const response = await transport.request({ method: 'GET', url: asked.url, headers, signal });
  const telling = tellingOf({ options, keys });
  try {
    if (response.status >= 300) throw told(await refusal(options.wire, response), target, telling, response);
    await response.bytes();
  } finally {
    await response.body[Symbol.asyncIterator]().return?.();
  }
}

async function countTokens(parts: Parts, attempt: Attempt, transport: Transport): Promise<number> {
  const { options } = parts;
  const { counting } = options.wire;
  const answer: Answer = { response: undefined };
  try {
    // Whoever sends the request is warned of what was changed in it; a count changes nothing.
    const context = contextOf(parts, attempt, () => {});
    const request = await counting?.encode(attempt.request, context);
    if (request === undefined) throw new PolyphonyError('unsupported', 'This wire counts no tokens.');
    const response = await send(options, request, context, attempt, transport);
    answer.response = response;
    if (response.status >= 300) throw await refusal(options.wire, response);
    const count = counting?.decode(await readJson(response));
    if (count !== undefined) return count;
    throw new PolyphonyError('invalid-output', 'The answer holds no count of tokens: the address is another.');
  } catch (error) {
    const { signal, target } = attempt;
    throw signal.aborted ? abortError(signal) : told(error, target, tellingOf(parts), answer.response);
  } finally {
    await leave(answer);
  }
}
