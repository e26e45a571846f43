/** The address of a provider as people paste it: with white space, slashes, a query, or the path of one endpoint. */
import { PolyphonyError } from '../../core/errors.ts';

export interface BaseAddress {
  /** Without white space around it, without query, without a slash at its end. */
  readonly base: string;
  /** What follows the question mark; empty without one. It is sent with every request. */
  readonly query: string;
}

/**
 * Reads an address. `endpoints`: paths that are cut off at its end, where `*` stands for one segment.
 *
 * @throws invalid-config for one with a user or a password: neither would be sent
 */
export function readBaseAddress(given: string, endpoints: readonly string[] = []): BaseAddress {
  // Also removes a byte order mark.
  const text = given.trim();
  if (text.includes('@')) assertNoUser('The baseURL', text);
  const fragment = text.indexOf('#');
  const address = fragment === -1 ? text : text.slice(0, fragment);
  const mark = address.indexOf('?');
  const path = withoutSlashes(mark === -1 ? address : address.slice(0, mark));
  return { base: withoutEndpoint(path, endpoints), query: mark === -1 ? '' : address.slice(mark + 1) };
}

/** @throws invalid-config, without what may be a secret. Of what is no address the request says so. */
export function assertNoUser(what: string, address: string): void {
  if (!URL.canParse(address)) return;
  const { username, password, origin } = new URL(address);
  if (username === '' && password === '') return;
  const message = `${what} at ${origin} holds a user or a password, which are not sent: leave both out, and give headers: { authorization: 'Basic …' } with both in Base64, or a key.`;
  throw new PolyphonyError('invalid-config', message);
}

/** The URL of one request: the path after the base, with the base's query unless the path sets the same parameter. */
export function requestAddress(path: string, { base, query }: BaseAddress): string {
  const url = base + path;
  if (query === '') return url;
  const mark = url.indexOf('?');
  if (mark === -1) return `${url}?${query}`;
  const own = new URLSearchParams(url.slice(mark + 1));
  const added = query.split('&').filter((pair) => !own.has(nameOf(pair)));
  return added.length === 0 ? url : `${url}&${added.join('&')}`;
}

const nameOf = (pair: string): string => [...new URLSearchParams(pair).keys()][0] ?? '';

function withoutSlashes(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0x2f) end -= 1;
  return text.slice(0, end);
}

function withoutEndpoint(path: string, endpoints: readonly string[]): string {
  const segments = path.split('/');
  for (const endpoint of endpoints) {
    const wanted = endpoint.split('/').filter((segment) => segment !== '');
    const from = segments.length - wanted.length;
    // The first three segments are the scheme and the host.
    const matches = from >= 3 && wanted.every((segment, at) => matchesSegment(segment, segments[from + at] ?? ''));
    if (matches) return withoutSlashes(segments.slice(0, from).join('/'));
  }
  return path;
}

/** `*` matches any text, also as the beginning of a segment: `*:generateContent`. */
function matchesSegment(wanted: string, given: string): boolean {
  if (!wanted.startsWith('*')) return wanted === given;
  return given.length > wanted.length - 1 && given.endsWith(wanted.slice(1));
}
