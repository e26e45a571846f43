/** The batches of a provider over HTTP, whose requests and answers are those of its wire format. */
import { abortError, asPolyphonyError, type PolyphonyError, unsentError } from '../../core/errors.ts';
import type { BatchAnswer, BatchContext, BatchEndpoint, NewBatch } from '../../core/model/batch.ts';
import type { ModelEvent, ModelRequest } from '../../core/model/model.ts';
import type { TransportResponse, WireContext } from '../../core/model/provider.ts';
import { readJson } from '../http/answer.ts';
import { describeError, refusal } from '../http/http-refusal.ts';
import { addressed, contextOf, type HttpParts } from '../http/http-request.ts';
import { asRecord } from '../json/json-shape.ts';
import { preparedRequest } from '../requests/prepared-request.ts';
import type { BatchAsk, BatchHttp, BatchLine, BatchWire, EncodedBatch, EncodedCall } from './batch-wire.ts';

/** For `HttpProviderOptions.batch`. */
export function httpBatches(wire: BatchWire): (parts: HttpParts) => BatchEndpoint {
  return (parts) => ({
    most: wire.most,
    takes: (request) => wire.takes(request),
    submit: async (batch, context) => wire.submit(await encoded(parts, batch, context), httpOf(parts, wire, context)),
    find: async (batch, since, context) =>
      wire.find(await encoded(parts, batch, context), since, httpOf(parts, wire, context)),
    poll: (id, context) => wire.poll(id, httpOf(parts, wire, context)),
    results: (id, requests, context) => answers(parts, wire, id, requests, context),
    cancel: (id, context) => wire.cancel(id, httpOf(parts, wire, context)),
  });
}

function httpOf(parts: HttpParts, wire: BatchWire, context: BatchContext): BatchHttp {
  const ask = (request: BatchAsk): Promise<TransportResponse> => answered(parts, wire, context, request);
  return {
    ask,
    async askJson(request) {
      const response = await ask(request);
      try {
        return asRecord(await readJson(response)) ?? {};
      } catch (error) {
        throw described(error, context, response);
      }
    },
  };
}

async function answered(
  parts: HttpParts,
  wire: BatchWire,
  context: BatchContext,
  { method, path, headers = {}, body }: BatchAsk,
): Promise<TransportResponse> {
  const { signal, transport } = context;
  let response: TransportResponse | undefined;
  try {
    const asked = wireContext(parts, context);
    const all = { ...wire.headers(asked.apiKey), ...headers };
    const { url, headers: sent } = addressed({ url: path, headers: all, body: '' }, parts, asked, signal);
    response = await transport.request({
      method,
      url,
      headers: sent,
      signal,
      ...(body === undefined ? {} : { body }),
    });
    if (response.status >= 300) throw await refusal(parts.options.wire, response);
    return response;
  } catch (error) {
    throw described(error, context, response);
  }
}

function described(
  error: unknown,
  { signal, target, clock }: BatchContext,
  response?: TransportResponse,
): PolyphonyError {
  return signal.aborted ? abortError(signal) : describeError(error, target, clock, response);
}

/** Warnings were given when the call was taken, and an answer in a batch states no limits. */
const wireContext = (parts: HttpParts, { target, clock }: BatchContext): WireContext =>
  contextOf(parts, { target, streaming: false }, clock, { warn: ignore, report: ignore });

function ignore(): void {}

async function encoded(parts: HttpParts, batch: NewBatch, context: BatchContext): Promise<EncodedBatch> {
  try {
    return await written(parts, batch, context);
  } catch (error) {
    throw unsentError(asPolyphonyError(error));
  }
}

async function written(parts: HttpParts, { key, requests }: NewBatch, context: BatchContext): Promise<EncodedBatch> {
  const asked = wireContext(parts, context);
  const calls: EncodedCall[] = [];
  for (const { id, request } of requests) {
    const { wire } = parts.options;
    const { url, headers, body } = await wire.encode(preparedRequest(request, wire, asked).request, asked);
    calls.push({ id, path: url, headers, body: typeof body === 'string' ? body : Buffer.from(body).toString('utf8') });
  }
  return { key, target: context.target, calls };
}

async function* answers(
  parts: HttpParts,
  wire: BatchWire,
  id: string,
  requests: ReadonlyMap<string, ModelRequest>,
  context: BatchContext,
): AsyncGenerator<BatchAnswer> {
  try {
    for await (const line of wire.results(id, httpOf(parts, wire, context))) {
      const request = requests.get(line.id);
      if (request !== undefined) yield answerOf(parts, line, request, context);
    }
  } catch (error) {
    throw described(error, context);
  }
}

function answerOf(parts: HttpParts, line: BatchLine, request: ModelRequest, context: BatchContext): BatchAnswer {
  const { id } = line;
  if ('error' in line) return { id, error: line.error };
  const { wire } = parts.options;
  const text = JSON.stringify(line.body ?? null);
  try {
    if (line.status >= 300) return { id, error: wire.classify(line.status, {}, text.slice(0, ERROR_CHARACTERS)) };
    const asked = wireContext(parts, context);
    const { request: prepared, renamed } = preparedRequest(request, wire, asked);
    const events = wire.decode(responseOf(text), prepared, asked);
    return { id, events: failingHere(renamed === undefined ? events : renamed.restore(events), context) };
  } catch (error) {
    return { id, error: asPolyphonyError(error) };
  }
}

/** As much as of the body of a refusal. */
const ERROR_CHARACTERS = 65_536;

async function* failingHere(events: AsyncIterable<ModelEvent>, context: BatchContext): AsyncGenerator<ModelEvent> {
  try {
    yield* events;
  } catch (error) {
    throw described(error, context);
  }
}

/** A line of the results as an answer of its own. */
function responseOf(text: string): TransportResponse {
  const bytes = Buffer.from(text, 'utf8');
  async function* body(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: body(),
    bytes: () => Promise.resolve(bytes),
  };
}
