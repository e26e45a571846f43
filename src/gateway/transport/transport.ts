/**
 * The transport on clients of undici: one pool per origin, keep-alive on, pipelining off. It neither retries nor follows
 * redirects, because the layers above decide about that; with one exception:
 *
 * P1. A request that goes out on a kept connection and finds it closed, before any byte of an answer, is sent once more on a
 *     new connection. The server had closed the old one while it was idle, which is nobody's failure.
 * P2. An error says whether anything of the request was sent (`unsent`), so that its cost can be told.
 * P3. An answer is bounded in decompressed bytes: as a whole, and four times as many for one that is read in pieces.
 */
import type { Clock } from '../../core/clock.ts';
import { abortError, unsentError } from '../../core/errors.ts';
import type { Transport } from '../../core/model/provider.ts';
import { systemClock } from '../../system/clock.ts';
import type { Http } from './http.ts';
import { type ProxySettings, proxyChoice } from './proxy.ts';
import { closedError, transportError } from './transport-errors.ts';

export interface TransportOptions {
  /** How long a connection may take to open, TLS included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** The longest time from sending the request to the answer's headers, in milliseconds; 0: no limit. @default 600000 */
  readonly headersTimeoutMs?: number;
  /** The longest time between two chunks of a body, in milliseconds; 0: no limit. @default 600000 */
  readonly idleTimeoutMs?: number;
  /** The most open sockets per origin; further requests wait. @default 256 */
  readonly maxConnectionsPerOrigin?: number;
  /** How long an idle socket is kept if the server names no time itself, in milliseconds. @default 30000 */
  readonly keepAliveMs?: number;
  /** The most bytes of the answer's headers. @default 65536 */
  readonly maxHeaderBytes?: number;
  /** The most bytes of one answer, decompressed; one that is read in pieces may have four times as many. @default 67108864 */
  readonly maxAnswerBytes?: number;
  /** Proxies for http: and https: addresses. The environment is not read here. @default none */
  readonly proxy?: ProxySettings;
  /** Measures how long it takes until a request is on its way. @default the system's */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

const DEFAULTS: Required<Omit<TransportOptions, 'proxy' | 'clock'>> = {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 600_000,
  idleTimeoutMs: 600_000,
  maxConnectionsPerOrigin: 256,
  keepAliveMs: 30_000,
  maxHeaderBytes: 65_536,
  maxAnswerBytes: 67_108_864,
};
/** Pieces repeat names and, at some servers, the whole answer so far. */
const FRAMING = 4;

/** Opens no connection before the first request. */
export function createTransport(given: TransportOptions = {}): Transport {
  const { maxAnswerBytes, proxy, clock = systemClock, ...options } = { ...DEFAULTS, ...given };
  const proxyOf = proxy === undefined ? undefined : proxyChoice(proxy);
  const limits = { clock, wholeBytes: maxAnswerBytes, streamBytes: maxAnswerBytes * FRAMING };
  let opening: Promise<Http> | undefined;
  /** Once it is open: a wait costs each request as much as a layer. */
  let http: Http | undefined;
  let closed = false;
  const open = async (): Promise<Http> => {
    try {
      const { openHttp } = await import('./http.ts');
      http = await openHttp({ ...options, proxyOf, limits });
      return http;
    } catch (error) {
      // The next request tries again: the process may have had no file left to open.
      opening = undefined;
      throw error;
    }
  };

  return {
    async request(request) {
      if (closed) throw closedError(request.url, true);
      if (http === undefined && request.signal.aborted) throw unsentError(abortError(request.signal));
      try {
        opening ??= open();
        return await (http ?? (await opening)).send(request);
      } catch (error) {
        const known = transportError(error, request, http === undefined);
        throw closed ? closedError(request.url, known.unsent) : known;
      }
    },
    async close() {
      closed = true;
      const opened = await opening?.catch(() => undefined);
      await opened?.close();
    },
  };
}
