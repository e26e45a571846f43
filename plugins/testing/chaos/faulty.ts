/** A network with one fault in it. It obeys the signal of each request, and sets no timer that outlives an answer. */
import {
  abortError,
  type Clock,
  PolyphonyError,
  sleep,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from 'polyphony/kit';
import { changedBody, silence, type Waits } from './body.ts';
import { type BodyForm, eventsOf, halved, withData, withWrongTypes } from './events.ts';
import type { ChaosFault, FaultPlace } from './faults.ts';

export function faulty(inner: Transport, fault: ChaosFault, clock: Clock): Transport {
  return { request: (request) => requested(inner, fault, clock, request), close: () => inner.close() };
}

async function requested(
  inner: Transport,
  fault: ChaosFault,
  clock: Clock,
  request: TransportRequest,
): Promise<TransportResponse> {
  if (fault.type === 'status') return refused(fault, request, clock);
  if (fault.type === 'latency') await sleep(clock, fault.ms, request.signal);
  if (fault.type === 'reset' && fault.at === undefined) throw lost(request);
  if (fault.type === 'stall' && fault.at === undefined) return silence(request.signal);
  const response = await inner.request(request);
  const { type } = fault;
  if (type === 'latency') return response;
  return changedBody(response, request, clock, (chunks, form, waits) => changed(fault, chunks, form, waits, request));
}

type BodyFault = Exclude<ChaosFault, { readonly type: 'status' | 'latency' }>;

function changed(
  fault: BodyFault,
  chunks: AsyncIterable<Uint8Array>,
  form: BodyForm,
  waits: Waits,
  request: TransportRequest,
): AsyncGenerator<Uint8Array> {
  switch (fault.type) {
    case 'drip':
      return dripped(chunks, fault.bytes, () => waits.sleep(fault.everyMs));
    case 'malformed':
      return withEvent(chunks, form, fault.event ?? 1, halved);
    case 'wrong-types':
      return withEvent(chunks, form, fault.event ?? 1, (data) => withWrongTypes(data, fault.fields));
    case 'cut':
      return upTo(chunks, form, fault.at, async () => undefined);
    case 'stall':
      return upTo(chunks, form, fault.at ?? { bytes: 0 }, waits.silence);
    case 'reset':
      return upTo(chunks, form, fault.at ?? { bytes: 0 }, async () => {
        throw lost(request);
      });
  }
}

/** What comes before the place, then `there`, and nothing after it. A body that ends before the place is as it was. */
async function* upTo(
  chunks: AsyncIterable<Uint8Array>,
  form: BodyForm,
  place: FaultPlace,
  there: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  const most = 'bytes' in place ? place.bytes : place.events;
  let count = 0;
  if (most === 0) return there();
  for await (const piece of 'bytes' in place ? chunks : eventsOf(chunks, form)) {
    const left = most - count;
    count += 'bytes' in place ? piece.length : 1;
    if (count < most) {
      yield piece;
      continue;
    }
    yield 'bytes' in place ? piece.subarray(0, left) : piece;
    return there();
  }
}

async function* withEvent(
  chunks: AsyncIterable<Uint8Array>,
  form: BodyForm,
  number: number,
  change: (data: string) => string,
): AsyncGenerator<Uint8Array> {
  let count = 0;
  for await (const event of eventsOf(chunks, form)) {
    count += 1;
    yield count === number ? withData(event, change) : event;
  }
}

async function* dripped(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  pause: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += bytes) {
      await pause();
      yield chunk.subarray(at, at + bytes);
    }
  }
}

function refused(
  { status, retryAfterMs }: Extract<ChaosFault, { readonly type: 'status' }>,
  request: TransportRequest,
  clock: Clock,
): TransportResponse {
  if (request.signal.aborted) throw abortError(request.signal);
  const message = `The chaos plugin refuses this request with status ${status}.`;
  const body = Buffer.from(JSON.stringify({ error: { type: 'chaos', message } }));
  const delay: Readonly<Record<string, string>> =
    retryAfterMs === undefined
      ? {}
      : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), 'retry-after-ms': String(retryAfterMs) };
  const response: TransportResponse = {
    status,
    headers: { 'content-type': 'application/json', ...delay },
    body: (async function* () {
      yield body;
    })(),
    bytes: async () => body,
  };
  return changedBody(response, request, clock, (chunks) => dripped(chunks, body.length, async () => undefined));
}

const lost = ({ url }: TransportRequest): PolyphonyError =>
  new PolyphonyError(
    'network',
    `The connection to ${URL.canParse(url) ? new URL(url).host : 'the server'} failed: the chaos plugin closed it. Try again.`,
  );
