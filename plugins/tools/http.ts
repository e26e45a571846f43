/**
 * The tool `http_get`: one GET to the public internet. Registering this plugin enables it; without it plans and models
 * have no network access. Fetched text is untrusted: nodes that read it should not have tools with side effects.
 */
import { lookup } from 'node:dns/promises';
import PQueue from 'p-queue';
import { abortError, definePlugin, onAbort, type Plugin, PolyphonyError, type Tool } from 'polyphony/kit';
import { isPublicAddress } from './http/address.ts';
import { fetchPage, type HttpLimits } from './http/fetch.ts';

export interface HttpToolOptions {
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

export function httpTool(options: HttpToolOptions = {}): Plugin {
  const { timeoutMs = 10_000, concurrency = 4, perSecond = 10 } = options;
  const queue = new PQueue({ concurrency, intervalCap: perSecond, interval: 1000 });
  const limits: HttpLimits = {
    maxBytes: options.maxBytes ?? 1024 * 1024,
    maxRedirects: options.maxRedirects ?? 5,
    hosts: options.hosts,
    isAllowed: options.isAllowed ?? isPublicAddress,
    resolve: options.resolve ?? systemResolver,
  };
  return definePlugin({ name: 'http', tools: [httpGet(limits, timeoutMs, queue)] });
}

/** For configs that load the plugin by its path. */
export default (options?: HttpToolOptions) => httpTool(options);

async function systemResolver(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}

const httpGet = (limits: HttpLimits, timeoutMs: number, queue: PQueue): Tool => ({
  name: 'http_get',
  description: 'Fetches a public web page or API by GET and returns its text.',
  input: {
    type: 'object',
    properties: { url: { type: 'string', maxLength: 4096, description: 'Begins with https:// or http://' } },
    required: ['url'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      status: { type: 'integer' },
      text: { type: 'string' },
      contentType: { type: 'string' },
      url: { type: 'string', description: 'After redirects.' },
      truncated: { type: 'boolean' },
    },
    required: ['status', 'text', 'contentType', 'url', 'truncated'],
    additionalProperties: false,
  },
  expectedMs: 1000,
  async run({ url }, { signal, clock }) {
    const abort = new AbortController();
    const leave = (): void => abort.abort(signal.reason);
    const stopFollowing = onAbort(signal, leave);
    if (signal.aborted) leave();
    const message = `http_get took longer than ${timeoutMs} ms: try again, or raise timeoutMs.`;
    const cancel = clock.schedule(timeoutMs, () =>
      abort.abort(new PolyphonyError('tool-failed', message, { retryable: true })),
    );
    try {
      return await queue.add(() => fetchPage(limits, String(url), abort.signal), { signal: abort.signal });
    } catch (error) {
      // When the wait in the queue is aborted, the queue throws an error of its own.
      throw abort.signal.aborted ? abortError(abort.signal) : error;
    } finally {
      cancel();
      stopFollowing();
    }
  },
});
