/** The Batch API: requests in one body, answers in the operation that it becomes (ai.google.dev/gemini-api/docs/batch-api). */
import {
  asList,
  asNumber,
  asRecord,
  asText,
  type BatchHttp,
  type BatchLine,
  type BatchWire,
  type EncodedBatch,
  httpBatches,
  type JsonRecord,
  PolyphonyError,
} from 'polyphony/kit';
import { classify } from './errors.ts';

const PATH = '/batches';
const JSON_BODY = { 'content-type': 'application/json' } as const;

/**
 * The vendor takes 20 MB in one body. All answers come in one document, twice, of which 64 MiB are read: a hundred of the longest
 * that the models write fit in it.
 */
const MOST = { requests: 100, bytes: 16_000_000 } as const;

const wire: BatchWire = {
  most: MOST,
  takes: ({ operation }) => operation === 'chat',
  headers: (apiKey) => (apiKey === undefined ? {} : { 'x-goog-api-key': apiKey }),
  async submit(batch, http) {
    const requests = batch.calls.map(
      ({ id, body }) => `{"request":${body},"metadata":{"${KEY}":${JSON.stringify(id)}}}`,
    );
    const body = `{"batch":{"displayName":${JSON.stringify(batch.key)},"inputConfig":{"requests":{"requests":[${requests.join(',')}]}}}}`;
    return idOf(await http.askJson({ method: 'POST', path: pathOf(batch), headers: JSON_BODY, body }));
  },
  find,
  async poll(id, http) {
    const operation = await operationOf(id, http);
    const metadata = asRecord(operation.metadata) ?? {};
    const said = stateOf(metadata);
    if (said === undefined && operation.done !== true) throw unreadable();
    const isOver = operation.done === true || ENDED.has(said ?? '');
    // Counts are 64-bit numbers, which this API writes as text.
    const answered = Number(asRecord(metadata.batchStats)?.successfulRequestCount ?? Number.NaN);
    return {
      state: isOver ? 'ended' : 'running',
      said: said ?? 'ended',
      ...(Number.isSafeInteger(answered) && answered >= 0 ? { answered } : {}),
    };
  },
  async *results(id, http) {
    for (const entry of answersOf(await operationOf(id, http))) {
      const line = lineOf(asRecord(entry) ?? {});
      if (line !== undefined) yield line;
    }
  },
  async cancel(id, http) {
    await http.askJson({
      method: 'POST',
      path: `${PATH}/${encodeURIComponent(id)}:cancel`,
      headers: JSON_BODY,
      body: '{}',
    });
  },
};

export const googleBatches = httpBatches(wire);

/** The field of a request's metadata that names it beside its answer. */
const KEY = 'key';
const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled', 'expired', 'partially_succeeded']);

/** All requests of a batch are for one model. */
function pathOf({ calls }: EncodedBatch): string {
  const [first] = calls;
  const method = ':generateContent';
  if (first?.path.endsWith(method) === true && calls.every(({ path }) => path === first.path)) {
    return `${first.path.slice(0, -method.length)}:batchGenerateContent`;
  }
  throw new PolyphonyError('unsupported', 'The requests of a batch must be chats with one model.', { unsent: true });
}

const operationOf = (id: string, http: BatchHttp): Promise<JsonRecord> =>
  http.askJson({ method: 'GET', path: `${PATH}/${encodeURIComponent(id)}` });

/** `BATCH_STATE_RUNNING` is `running`; the vendor's pages name the states of its other API as well. */
const stateOf = (metadata: JsonRecord): string | undefined =>
  asText(metadata.state)
    ?.replace(/^[A-Z]+_STATE_/, '')
    .toLowerCase()
    .slice(0, 60) || undefined;

/** A page holds the answers of its batches too. */
const PAGE = 10;
const PAGES = 100;

/** Their order is not documented, so all of them are looked through. */
async function find({ key }: EncodedBatch, _since: number, http: BatchHttp): Promise<string | undefined> {
  let token = '';
  for (let page = 0; page < PAGES; page += 1) {
    const list = await http.askJson({ method: 'GET', path: `${PATH}?pageSize=${PAGE}${token}` });
    const found = (asList(list.operations) ?? [])
      .map((entry) => asRecord(entry) ?? {})
      .find(({ metadata }) => asRecord(metadata)?.displayName === key);
    if (found !== undefined) return idOf(found);
    const next = asText(list.nextPageToken);
    if (next === undefined || next === '') return undefined;
    token = `&pageToken=${encodeURIComponent(next)}`;
  }
  throw new PolyphonyError(
    'overloaded',
    `The batch "${key}" is not among the ${PAGE * PAGES} that were looked through: delete old batches, so that it is found.`,
  );
}

/** An operation that has ended has the answers in its response, and in what it describes. */
function answersOf({ response, metadata }: JsonRecord): readonly unknown[] {
  const output = asRecord(response) ?? asRecord(asRecord(metadata)?.output) ?? {};
  const inlined = output.inlinedResponses;
  return asList(inlined) ?? asList(asRecord(inlined)?.inlinedResponses) ?? [];
}

/** Undefined for an answer that names no request. */
function lineOf({ metadata, response, error }: JsonRecord): BatchLine | undefined {
  const id = asText(asRecord(metadata)?.[KEY]);
  if (id === undefined) return undefined;
  if (response !== undefined && response !== null) return { id, status: 200, body: response };
  const failure = asRecord(error) ?? {};
  const code = asNumber(failure.code) ?? 2;
  const status = STATUSES.get(code) ?? (code >= 400 && code < 600 ? code : 500);
  return { id, error: classify(status, {}, JSON.stringify({ error: { ...failure, code: status } })) };
}

/** The status that a single request would have had, by the number of the error (google/rpc/code.proto). */
const STATUSES: ReadonlyMap<number, number> = new Map([
  ...([3, 9, 11] as const).map((code) => [code, 400] as const),
  [16, 401],
  [7, 403],
  [5, 404],
  [8, 429],
  [12, 501],
  [14, 503],
  [4, 504],
]);

/** `batches/123` is 123. */
function idOf({ name }: JsonRecord): string {
  const id = asText(name)?.replace(/^batches\//, '') ?? '';
  if (id === '') throw unreadable();
  return id;
}

const unreadable = (): PolyphonyError =>
  new PolyphonyError('truncated', 'The answer describes no batch: check that baseURL points to the API.');
