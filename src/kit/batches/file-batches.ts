/**
 * Batches as files of JSON lines: the requests are uploaded, a job is made of the file, and the answers are downloaded. Several providers
 * speak it with other names.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type { BatchStatus } from '../../core/model/batch.ts';
import type { ModelRequest } from '../../core/model/model.ts';
import { asNumber, asRecord, asText } from '../json/json-shape.ts';
import { authorisation } from '../wires/chat-completions/wire.ts';
import type { BatchHttp, BatchLine, BatchWire, EncodedBatch, EncodedCall } from './batch-wire.ts';
import { jsonLines } from './json-lines.ts';

type JsonRecord = Readonly<Record<string, unknown>>;

export interface FileBatchOptions {
  readonly most: BatchWire['most'];
  /** Operations of which a batch may be made. */
  readonly operations: readonly ModelRequest['operation'][];
  /** The path of the jobs, after the base URL. @default '/batches' */
  readonly jobs?: string;
  /** The body that makes a job of a file. `endpoint` is the path of its requests, `metadata` names the batch. */
  readonly job: (file: string, endpoint: string, batch: EncodedBatch, metadata: JsonRecord) => JsonRecord;
  /** One line of the file. @default custom_id, method, url, body */
  readonly line?: (call: EncodedCall, endpoint: string) => JsonRecord;
  /** What stands before the path of a request where the provider names it. @default '/v1' */
  readonly version?: string;
  /** Lower-case states in which no more answers come. */
  readonly ended: readonly string[];
  /** The fields of a job that name its files of answers. */
  readonly files: readonly string[];
  /** The list of the newest jobs. @default '?limit=100' */
  readonly newest?: string;
  /** Answered requests, as the job states them. @default unknown */
  readonly answered?: (job: JsonRecord) => unknown;
}

export function fileBatches(options: FileBatchOptions): BatchWire {
  const { jobs = '/batches', version = '/v1', newest = '?limit=100' } = options;
  const jobOf = (id: string, http: BatchHttp): Promise<JsonRecord> =>
    http.askJson({ method: 'GET', path: `${jobs}/${encodeURIComponent(id)}` });
  return {
    most: options.most,
    takes: ({ operation }) => options.operations.includes(operation),
    headers: (apiKey) => authorisation({}, apiKey),
    async submit(batch, http) {
      const endpoint = version + pathOf(batch);
      const line = options.line ?? usualLine;
      const lines = batch.calls.map((call) => `${JSON.stringify(line(call, endpoint))}\n`);
      const file = idOf(await http.askJson(upload(batch.key, lines)), 'file');
      const body = JSON.stringify(options.job(file, endpoint, batch, { [METADATA]: batch.key }));
      const headers = { 'content-type': 'application/json' };
      return idOf(await http.askJson({ method: 'POST', path: jobs, headers, body }), 'batch');
    },
    async find({ key }, _since, http) {
      const { data } = await http.askJson({ method: 'GET', path: jobs + newest });
      if (!Array.isArray(data)) throw unreadable('list of batches');
      const found = data.map(asRecord).find((job) => asRecord(job?.metadata)?.[METADATA] === key);
      return asText(found?.id);
    },
    async poll(id, http) {
      return statusOf(await jobOf(id, http), options);
    },
    results: (id, http) => results(jobOf(id, http), http, options),
    async cancel(id, http) {
      await http.askJson({ method: 'POST', path: `${jobs}/${encodeURIComponent(id)}/cancel` });
    },
  };
}

/** The field of the metadata that names our batch. */
const METADATA = 'polyphony_batch';

/** All requests of a batch have the same operation and model, and so the same endpoint. */
function pathOf({ calls }: EncodedBatch): string {
  const [first] = calls;
  const other = calls.find(({ path }) => path !== first?.path);
  if (first !== undefined && other === undefined) return first.path;
  throw new PolyphonyError('unsupported', 'The requests of a batch must have one endpoint.', { unsent: true });
}

const usualLine = ({ id, body }: EncodedCall, url: string): JsonRecord => ({
  custom_id: id,
  method: 'POST',
  url,
  body: JSON.parse(body) as unknown,
});

function upload(key: string, lines: readonly string[]): Parameters<BatchHttp['ask']>[0] {
  // The key is random, so that no request contains it.
  const boundary = `polyphony-${key}`;
  const field = (name: string): string => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`;
  const head = `${field('purpose')}\r\n\r\nbatch\r\n${field('file')}; filename="${key}.jsonl"\r\ncontent-type: application/jsonl\r\n\r\n`;
  const body = Buffer.from(`${head}${lines.join('')}\r\n--${boundary}--\r\n`, 'utf8');
  return {
    method: 'POST',
    path: '/files',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body,
  };
}

function idOf(answer: JsonRecord, what: string): string {
  const id = asText(answer.id);
  if (id === undefined || id === '') throw unreadable(what);
  return id;
}

function statusOf(job: JsonRecord, { ended, answered }: FileBatchOptions): BatchStatus {
  const said = asText(job.status);
  if (said === undefined) throw unreadable('batch');
  const count = asNumber(answered?.(job));
  const state = ended.includes(said.toLowerCase()) ? 'ended' : 'running';
  return { state, said: said.toLowerCase().slice(0, 60), ...(count === undefined ? {} : { answered: count }) };
}

async function* results(
  asked: Promise<JsonRecord>,
  http: BatchHttp,
  { files }: FileBatchOptions,
): AsyncGenerator<BatchLine> {
  const job = await asked;
  for (const field of files) {
    const file = asText(job[field]);
    if (file === undefined || file === '') continue;
    const response = await http.ask({ method: 'GET', path: `/files/${encodeURIComponent(file)}/content` });
    for await (const record of jsonLines(response.body)) {
      const line = lineOf(record);
      if (line !== undefined) yield line;
    }
  }
}

/** Undefined for a line that names no request. */
function lineOf(record: JsonRecord): BatchLine | undefined {
  const id = asText(record.custom_id);
  if (id === undefined) return undefined;
  const response = asRecord(record.response);
  const status = asNumber(response?.status_code) ?? 200;
  const error = asRecord(record.error);
  if (error !== undefined && (response === undefined || status < 300)) return { id, error: errorOf(error) };
  if (response === undefined) return { id, error: errorOf({}) };
  return { id, status, body: response.body };
}

function errorOf(error: JsonRecord): PolyphonyError {
  const code = asText(error.code) ?? 'unknown';
  const message = asText(error.message) ?? 'the provider does not say why';
  const isLate = code === 'batch_expired' || code === 'batch_cancelled';
  return new PolyphonyError(
    isLate ? 'timeout' : 'overloaded',
    `A request of a batch was not answered (${code}): ${message}`,
  );
}

const unreadable = (what: string): PolyphonyError =>
  new PolyphonyError('truncated', `The answer describes no ${what}: check that baseURL points to the provider's API.`);
