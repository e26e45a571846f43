/**
 * One request to a public address.
 *
 * N1. Every hop is checked: scheme, credentials, and each address that its name resolves to.
 * N2. The socket connects to a checked address; the name is not resolved a second time.
 * N3. Time and size are limited over all hops together; any end of the call closes the socket.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { pipeline } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { abortError, onAbort, PolyphonyError } from 'polyphony/kit';

export interface HttpLimits {
  readonly maxBytes: number;
  readonly maxRedirects: number;
  readonly hosts: readonly string[] | undefined;
  readonly isAllowed: (address: string) => boolean | Promise<boolean>;
  readonly resolve: (host: string) => Promise<readonly string[]>;
}

/** What is sent on every hop. */
export interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer | undefined;
}

export interface Page {
  readonly status: number;
  readonly text: string;
  readonly contentType: string;
  /** The URL after redirects. */
  readonly url: string;
  readonly truncated: boolean;
}

export const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const BINARY = /^(?:image|audio|video|font)\/|^application\/(?:octet-stream|pdf|zip|gzip|x-tar|wasm|vnd\.)/i;

export const failed = (message: string, options: { cause?: unknown; retryable?: boolean } = {}): PolyphonyError =>
  new PolyphonyError('tool-failed', message, { retryable: false, ...options });

/** @throws tool-failed, cancelled or the abort reason of the signal */
export async function fetchPage(limits: HttpLimits, address: string, signal: AbortSignal): Promise<Page> {
  let url = parsed(address);
  for (let hop = 0; hop <= limits.maxRedirects; hop += 1) {
    const checked = await checkedAddress(limits, url, signal);
    const response = await send(url, checked, GET, signal);
    const { location } = response.headers;
    if (!REDIRECTS.has(response.statusCode ?? 0) || location === undefined)
      return pageOf(limits, url, response, signal);
    response.destroy();
    url = nextHop(url, location);
  }
  throw failed(`"${address}" redirects more than ${limits.maxRedirects} times: give the final address.`);
}

/** @throws tool-failed when it leaves https */
export function nextHop(url: URL, location: string): URL {
  const next = parsed(location, url);
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw failed(
      `"${url.host}" redirects from https to http, and such redirects are not followed: give the https address.`,
    );
  }
  return next;
}

export function parsed(address: string, base?: URL): URL {
  let url: URL;
  try {
    url = new URL(address, base);
  } catch (cause) {
    throw failed(`"${address.slice(0, 200)}" is not a valid URL: give one that begins with https://.`, { cause });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw failed(`"${url.protocol}" cannot be fetched: only http: and https: can.`);
  }
  if (url.username !== '' || url.password !== '')
    throw failed('A URL with a user name or a password is not fetched: leave both out.');
  return url;
}

/** The address to connect to. All addresses of a name must be allowed, not only the used one. */
export async function checkedAddress(limits: HttpLimits, url: URL, signal: AbortSignal): Promise<string> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (limits.hosts !== undefined && !limits.hosts.some((pattern) => hostMatches(pattern, host))) {
    throw failed(`"${host}" is not among the allowed hosts: fetch another one, or add it to the option hosts.`);
  }
  const addresses = isIP(host) === 0 ? await resolved(limits, host, signal) : [host];
  const [first] = addresses;
  if (first === undefined || !(await areAllowed(limits, addresses, signal))) {
    throw failed(`"${host}" does not resolve only to public addresses, and no other address is fetched.`);
  }
  return first;
}

/** Only true allows an address: a promise that nobody waits for must not. */
async function areAllowed(
  { isAllowed }: HttpLimits,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  for (const address of addresses) {
    if ((await untilAborted(Promise.resolve(isAllowed(address)), signal)) !== true) return false;
  }
  return true;
}

/** `example.org` matches itself, `*.example.org` every name below it. */
export const hostMatches = (pattern: string, host: string): boolean =>
  pattern.startsWith('*.') ? host.endsWith(pattern.slice(1).toLowerCase()) : host === pattern.toLowerCase();

async function resolved({ resolve }: HttpLimits, host: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    return await untilAborted(resolve(host), signal);
  } catch (cause) {
    if (signal.aborted) throw abortError(signal);
    throw failed(`"${host}" cannot be resolved: check the name.`, { cause, retryable: true });
  }
}

/** Rejects on abort without waiting for the promise, because a resolver does not support signals. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(abortError(signal));
    if (signal.aborted) leave();
    promise.then(resolve, reject).finally(onAbort(signal, leave));
  });
}

export function send(
  url: URL,
  address: string,
  { method, headers, body }: Sent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const family = isIP(address);
  const lookup: LookupFunction = (_host, { all }, callback) =>
    all === true ? callback(null, [{ address, family }]) : callback(null, address, family);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    // No agent: a pooled socket might be connected to another address.
    const options = { agent: false, lookup, signal, method, headers } as const;
    request(url, options, resolve)
      .on('error', (cause) => reject(signal.aborted ? abortError(signal) : unreachable(url, cause)))
      .end(body);
  });
}

export const HEADERS = {
  accept: 'text/html,application/json,text/*;q=0.9,*/*;q=0.1',
  'accept-encoding': 'gzip, deflate, br',
  'user-agent': 'polyphony',
} as const;
const GET: Sent = { method: 'GET', headers: HEADERS };

const unreachable = (url: URL, cause: unknown): PolyphonyError =>
  failed(`"${url.host}" could not be reached. Try again.`, { cause, retryable: true });

export async function pageOf(
  limits: HttpLimits,
  url: URL,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<Page> {
  try {
    const contentType = response.headers['content-type'] ?? '';
    if (BINARY.test(contentType)) throw failed(`"${url.host}" returned ${contentType}, but only text is fetched.`);
    const { bytes, truncated } = await bodyOf(response, limits.maxBytes);
    if (bytes.includes(0)) throw failed(`"${url.host}" returned binary data, but only text is fetched.`);
    return {
      status: response.statusCode ?? 0,
      text: decoded(bytes, contentType),
      contentType,
      url: url.href,
      truncated,
    };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw error instanceof PolyphonyError ? error : unreachable(url, error);
  } finally {
    response.destroy();
  }
}

/** The limit counts decompressed bytes, so that a small answer cannot become a large one. */
async function bodyOf(
  response: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly bytes: Buffer; readonly truncated: boolean }> {
  const decoder = decoderOf(response.headers['content-encoding'] ?? '');
  // Errors reach the reader of the last stream; the callback only prevents that they are thrown twice.
  const body = decoder === undefined ? response : pipeline(response, decoder, () => undefined);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), truncated: true };
    }
  } catch (error) {
    // An answer without a body, such as that to HEAD, may still say how its body would be packed.
    if (decoder?.bytesWritten !== 0 || !response.complete) throw error;
  }
  return { bytes: Buffer.concat(chunks), truncated: false };
}

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const;

/** Undefined: the body comes as it is. @throws tool-failed for what cannot be unpacked */
function decoderOf(encoding: string): ReturnType<(typeof DECODERS)[keyof typeof DECODERS]> | undefined {
  const named = encoding
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const [first, second] = named.filter((name) => name !== '' && name !== 'identity');
  if (first === undefined) return undefined;
  if (second === undefined && Object.hasOwn(DECODERS, first)) return DECODERS[first as keyof typeof DECODERS]();
  throw failed(`The content encoding "${encoding.slice(0, 80)}" is not supported: fetch another address.`);
}

function decoded(bytes: Buffer, contentType: string): string {
  const charset = /charset="?([\w-]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
