/**
 * The tools `http_get`, one GET to the public internet, and `http_request`, any request to named hosts. Registering this plugin
 * enables the first, its option `request` the second; without it plans and models have no network access. Fetched text is untrusted: nodes that read it should not have tools with side effects.
 */
import { lookup } from 'node:dns/promises';
import PQueue from 'p-queue';
import {
  abortError,
  definePlugin,
  onAbort,
  type Plugin,
  PolyphonyError,
  type Tool,
  type ToolContext,
} from 'polyphony/kit';
import { isPublicAddress } from './http/address.ts';
import { fetchPage, type HttpLimits } from './http/fetch.ts';
import { assertRequestOptions, type HttpRequestOptions, type RequestInput, sendRequest } from './http/request.ts';

export type { HttpRequestOptions, RequestSecret } from './http/request.ts';

export interface HttpToolOptions {
  /** Offer `http_get`. @default true */
  readonly get?: boolean;
  /** Offer `http_request`, to the hosts that it names. @default not offered */
  readonly request?: HttpRequestOptions;
  /** Where the secrets of `request` are read. @default process.env */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Host names that may be fetched: `example.org`, `*.example.org`. @default all public ones */
  readonly hosts?: readonly string[];
  /** Limit in bytes, after decompression; longer answers are truncated. @default 1048576 */
  readonly maxBytes?: number;
  /** Limit over all hops, in milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** @default 5 */
  readonly maxRedirects?: number;
  /** Fetches at the same time; the rest wait. @default 4 */
  readonly concurrency?: number;
  /** Fetches started per second, over all plans and models. @default 10 */
  readonly perSecond?: number;
  /** Which addresses may be connected to. @default those of the public internet */
  readonly isAllowed?: (address: string) => boolean | Promise<boolean>;
  /** Returns every address of a name. @default the system's resolver */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** @throws invalid-config when `request` names no hosts, or a secret without any */
export function httpTool(options: HttpToolOptions = {}): Plugin {
  const {
    timeoutMs = 10_000,
    concurrency = 4,
    perSecond = 10,
    get = true,
    request,
    environment = process.env,
  } = options;
  const queue = new PQueue({ concurrency, intervalCap: perSecond, interval: 1000 });
  const limits: HttpLimits = {
    maxBytes: options.maxBytes ?? 1024 * 1024,
    maxRedirects: options.maxRedirects ?? 5,
    hosts: options.hosts,
    isAllowed: options.isAllowed ?? isPublicAddress,
    resolve: options.resolve ?? systemResolver,
  };
  const network: Network = { timeoutMs, queue };
  const tools = get ? [httpGet(limits, network)] : [];
  if (request === undefined) return definePlugin({ name: 'http', tools });
  assertRequestOptions(request);
  return definePlugin({ name: 'http', tools: [...tools, httpRequest({ limits, request, environment }, network)] });
}

/** For configs that load the plugin by its path. */
export default (options?: HttpToolOptions) => httpTool(options);

async function systemResolver(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

interface Network {
  readonly timeoutMs: number;
  readonly queue: PQueue;
}

const httpGet = (limits: HttpLimits, network: Network): Tool => ({
  name: 'http_get',
  effects: { reads: ['web'], reaches: limits.hosts ?? ['*'] },
  description: 'Fetches a public web page or API by GET and returns its text.',
  input: {
    type: 'object',
    properties: { url: { type: 'string', maxLength: 4096, description: 'Begins with https:// or http://' } },
    required: ['url'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: PAGE,
    required: ['status', 'text', 'contentType', 'url', 'truncated'],
    additionalProperties: false,
  },
  expectedMs: 1000,
  run: ({ url }, context) => inTime('http_get', network, context, (signal) => fetchPage(limits, String(url), signal)),
});

const PAGE = {
  status: { type: 'integer' },
  text: { type: 'string' },
  contentType: { type: 'string' },
  url: { type: 'string', description: 'After redirects.' },
  truncated: { type: 'boolean' },
} as const;

type Requests = Parameters<typeof sendRequest>[0];

const httpRequest = (requests: Requests, network: Network): Tool => ({
  name: 'http_request',
  sideEffects: true,
  effects: { reads: ['web'], writes: ['web'], reaches: requests.request.hosts, costs: 'money' },
  description: `Sends an HTTP request to an allowed host: ${requests.request.hosts.join(', ').slice(0, 300)}.`,
  input: {
    type: 'object',
    properties: {
      url: { type: 'string', maxLength: 4096, description: 'Begins with https:// or http://' },
      method: {
        type: 'string',
        enum: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        description: 'GET by default.',
      },
      headers: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 50 },
      body: { description: 'A text as it is; anything else is sent as JSON.' },
      secret: { type: 'string', maxLength: 120, description: 'The name of a secret of the config that is sent along.' },
    },
    required: ['url'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { ...PAGE, json: { description: 'The body, where it is JSON.' }, location: { type: 'string' } },
    required: ['status', 'text', 'contentType', 'url', 'truncated'],
    additionalProperties: false,
  },
  expectedMs: 1000,
  run: (input, context) =>
    inTime('http_request', network, context, (signal) =>
      sendRequest(requests, input as unknown as RequestInput, context.idempotencyKey, signal),
    ),
});

/** Waits for its turn, and ends after the time that all hops have together. */
async function inTime<Result>(
  name: string,
  { timeoutMs, queue }: Network,
  { signal, clock }: ToolContext,
  send: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  const leave = (): void => abort.abort(signal.reason);
  const stopFollowing = onAbort(signal, leave);
  if (signal.aborted) leave();
  const message = `${name} took longer than ${timeoutMs} ms: try again, or raise timeoutMs.`;
  const cancel = clock.schedule(timeoutMs, () =>
    abort.abort(new PolyphonyError('tool-failed', message, { retryable: true })),
  );
  try {
    return await queue.add(() => send(abort.signal), { signal: abort.signal });
  } catch (error) {
    // When the wait in the queue is aborted, the queue throws an error of its own.
    throw abort.signal.aborted ? abortError(abort.signal) : error;
  } finally {
    cancel();
    stopFollowing();
  }
}
