/** The Message Batches API: requests in one body, answers as JSON lines (platform.claude.com/docs, batch processing). */
import {
  asNumber,
  asRecord,
  asText,
  type BatchHttp,
  type BatchLine,
  type BatchWire,
  type EncodedBatch,
  httpBatches,
  jsonLines,
  PolyphonyError,
} from 'polyphony/kit';
import { classify } from './errors.ts';
import { authorisation } from './wire.ts';

type Fields = Readonly<Record<string, unknown>>;
const PATH = '/messages/batches';
const pathOf = (id: string): string => `${PATH}/${encodeURIComponent(id)}`;

const wire: BatchWire = {
  // The vendor takes 100,000 requests and 256 MB; the body is written in memory.
  most: { requests: 100_000, bytes: 64_000_000 },
  takes: ({ operation }) => operation === 'chat',
  headers: authorisation,
  async submit({ calls }, http) {
    const requests = calls.map(({ id, body }) => `{"custom_id":${JSON.stringify(id)},"params":${body}}`);
    const made = await http.askJson({
      method: 'POST',
      path: PATH,
      headers: { 'content-type': 'application/json', ...previews(calls) },
      body: `{"requests":[${requests.join(',')}]}`,
    });
    return idOf(made);
  },
  find,
  async poll(id, http) {
    const batch = await http.askJson({ method: 'GET', path: pathOf(id) });
    const said = asText(batch.processing_status);
    if (said === undefined) throw unreadable();
    const answered = asNumber(asRecord(batch.request_counts)?.succeeded);
    return { state: said === 'ended' ? 'ended' : 'running', said, ...(answered === undefined ? {} : { answered }) };
  },
  async *results(id, http) {
    const response = await http.ask({ method: 'GET', path: `${pathOf(id)}/results` });
    for await (const record of jsonLines(response.body)) {
      const line = lineOf(record);
      if (line !== undefined) yield line;
    }
  },
  async cancel(id, http) {
    await http.askJson({ method: 'POST', path: `${pathOf(id)}/cancel` });
  },
};

export const anthropicBatches = httpBatches(wire);

/** The header that enables previews holds for all requests of a batch. */
function previews(calls: EncodedBatch['calls']): Readonly<Record<string, string>> {
  const names = new Set(calls.flatMap(({ headers }) => headers['anthropic-beta']?.split(',') ?? []));
  return names.size === 0 ? {} : { 'anthropic-beta': [...names].join(',') };
}

/** Clocks differ. */
const MARGIN_MS = 300_000;
const PAGES = 20;

/**
 * A batch has no name of ours, so those of its size are compared by the ids of their results. While such a batch is being processed
 * nobody can tell, and the question throws.
 */
async function find({ calls }: EncodedBatch, since: number, http: BatchHttp): Promise<string | undefined> {
  const ours = new Set(calls.map(({ id }) => id));
  for await (const batch of newest(since - MARGIN_MS, http)) {
    const id = asText(batch.id);
    if (id === undefined || sizeOf(batch) !== calls.length) continue;
    if (asText(batch.processing_status) !== 'ended') throw undecided(id);
    for await (const line of wire.results(id, http)) {
      if (ours.has(line.id)) return id;
      break;
    }
  }
  return undefined;
}

async function* newest(since: number, http: BatchHttp): AsyncGenerator<Fields> {
  let after = '';
  for (let page = 0; page < PAGES; page += 1) {
    const list = await http.askJson({ method: 'GET', path: `${PATH}?limit=100${after}` });
    if (!Array.isArray(list.data)) throw unreadable();
    for (const entry of list.data) {
      const batch = asRecord(entry) ?? {};
      const createdAt = Date.parse(asText(batch.created_at) ?? '');
      if (createdAt < since) return;
      yield batch;
    }
    const last = asText(list.last_id);
    if (list.has_more !== true || last === undefined) return;
    after = `&after_id=${encodeURIComponent(last)}`;
  }
}

const sizeOf = (batch: Fields): number =>
  Object.values(asRecord(batch.request_counts) ?? {}).reduce<number>((sum, count) => sum + (asNumber(count) ?? 0), 0);

/** Undefined for a line that names no request. */
function lineOf(record: Fields): BatchLine | undefined {
  const id = asText(record.custom_id);
  const result = asRecord(record.result);
  if (id === undefined || result === undefined) return undefined;
  const type = asText(result.type);
  if (type === 'succeeded') return { id, status: 200, body: result.message };
  if (type === 'errored') {
    const error = asRecord(result.error) ?? {};
    const inner = asRecord(error.error) ?? error;
    return { id, error: classify(statusOf(asText(inner.type)), {}, JSON.stringify({ type: 'error', error: inner })) };
  }
  const message = `A request of a batch was not answered: ${type === 'canceled' ? 'the batch was cancelled' : 'the batch expired'}.`;
  return { id, error: new PolyphonyError('timeout', message) };
}

/** The status that a single request would have had. */
function statusOf(type: string | undefined): number {
  if (type === 'invalid_request_error') return 400;
  if (type === 'overloaded_error') return 529;
  return type === 'rate_limit_error' ? 429 : 500;
}

function idOf(batch: Fields): string {
  const id = asText(batch.id);
  if (id === undefined || id === '') throw unreadable();
  return id;
}

const unreadable = (): PolyphonyError =>
  new PolyphonyError('truncated', 'The answer describes no batch: check that baseURL points to the API.');

const undecided = (id: string): PolyphonyError =>
  new PolyphonyError(
    'overloaded',
    `The batch "${id}" may be the one that is looked for, which shows when it has ended.`,
  );
