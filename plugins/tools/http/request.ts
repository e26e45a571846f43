/**
 * One request to a host that the operator named.
 *
 * R1. Every hop is checked as that of `http_get` is, and its host must be a named one.
 * R2. A secret is known to a plan by its name alone, goes only to its own hosts, and is taken out of what comes back.
 * R3. What changes something is sent once: no redirect is followed, and the service gets a key that stays the same.
 */
import { createHash } from 'node:crypto';
import { PolyphonyError, rememberSecret, secretOf, tryParseJson } from 'polyphony/kit';
import {
  checkedAddress,
  failed,
  HEADERS,
  type HttpLimits,
  hostMatches,
  nextHop,
  type Page,
  pageOf,
  parsed,
  REDIRECTS,
  type Sent,
  send,
} from './fetch.ts';

export interface RequestSecret {
  /** The environment variable that holds it. */
  readonly env: string;
  /** The hosts that it is sent to: `api.example.org`, `*.example.org`. */
  readonly hosts: readonly string[];
  /** @default 'authorization' */
  readonly header?: string;
  /** Written before the value. @default 'Bearer ' for authorization, else nothing */
  readonly prefix?: string;
  /** Send it over http: too, where everybody on the way can read it. @default false */
  readonly unencrypted?: boolean;
}

export interface HttpRequestOptions {
  /** Host names that requests may be sent to: `api.example.org`, `*.example.org`. At least one. */
  readonly hosts: readonly string[];
  /** By name: what a plan may send without seeing it. @default none */
  readonly secrets?: Readonly<Record<string, RequestSecret>>;
}

export interface RequestInput {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly secret?: string;
}

export interface Reply extends Page {
  readonly json?: unknown;
  /** Of a redirect that was not followed. */
  readonly location?: string;
}

export interface Requests {
  readonly limits: HttpLimits;
  readonly request: HttpRequestOptions;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_CHARACTERS = 8192;
/** They change nothing, so a redirect of them is followed. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** A second one does what the first did. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** Those of the connection, which are not the caller's to set. */
const OWN =
  /^(?:host|connection|content-length|transfer-encoding|keep-alive|upgrade|te|trailer|expect|accept-encoding|idempotency-key|proxy-.*)$/;
/** Those that carry secrets. */
const SECRET = /^(?:authorization|cookie|x-api-key|api-key|apikey|x-auth-token|x-access-token|x-amz-security-token)$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;

/** @throws invalid-config */
export function assertRequestOptions({ hosts, secrets = {} }: HttpRequestOptions): void {
  if (!Array.isArray(hosts) || hosts.length === 0) throw noHosts('request');
  for (const [name, { hosts: own, header = 'authorization' }] of Object.entries(secrets)) {
    if (!Array.isArray(own) || own.length === 0) throw noHosts(`secret ${name}`);
    if (TOKEN.test(header) && !OWN.test(header.toLowerCase())) continue;
    throw new PolyphonyError(
      'invalid-config',
      `httpTool: secret ${name} has the header "${header}": name one that may be set.`,
    );
  }
}

const noHosts = (what: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `httpTool: ${what} names no hosts; list those that requests may be sent to.`);

/** @throws tool-failed, cancelled or the abort reason of the signal */
export async function sendRequest(
  { limits, request, environment }: Requests,
  input: RequestInput,
  idempotencyKey: string,
  signal: AbortSignal,
): Promise<Reply> {
  const { method = 'GET', secret: name } = input;
  const within: HttpLimits = { ...limits, hosts: request.hosts };
  const secret = name === undefined ? undefined : namedSecret(request, name, environment);
  const sent = sentOf(input, method, idempotencyKey);
  let url = parsed(input.url);
  for (let hop = 0; hop <= limits.maxRedirects; hop += 1) {
    const address = await checkedAddress(within, url, signal);
    const response = await send(url, address, withSecret(sent, secret, url), signal).catch((error: unknown) => {
      throw signal.aborted || IDEMPOTENT.has(method) ? error : sentOnce(error, url);
    });
    const { location } = response.headers;
    const isRedirect = REDIRECTS.has(response.statusCode ?? 0) && location !== undefined;
    if (!isRedirect || !SAFE.has(method)) {
      const page = await pageOf(within, url, response, signal);
      return replyOf(page, secret, isRedirect ? location : undefined);
    }
    response.destroy();
    url = nextHop(url, location);
  }
  throw failed(`"${input.url}" redirects more than ${limits.maxRedirects} times: give the final address.`);
}

/** Nobody knows whether the service has it, so it is not tried again by itself. */
const sentOnce = (cause: unknown, url: URL): PolyphonyError =>
  failed(
    `"${url.host}" could not be reached, or did not answer: look whether it has the request before you send it again.`,
    {
      cause,
    },
  );

function sentOf({ headers = {}, body }: RequestInput, method: string, idempotencyKey: string): Sent {
  const own: Record<string, string> = { ...HEADERS };
  for (const [given, value] of Object.entries(headers)) own[checkedHeader(given, value)] = value;
  if (body === undefined || body === null)
    return { method, headers: SAFE.has(method) ? own : withKey(own, idempotencyKey, 0) };
  if (SAFE.has(method)) throw failed(`A ${method} request has no body: use POST, PUT or PATCH.`);
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  if (bytes.length > MAX_BODY_BYTES)
    throw failed(`The body has ${bytes.length} bytes, but at most ${MAX_BODY_BYTES} are sent.`);
  own['content-type'] ??= typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  return { method, headers: withKey(own, idempotencyKey, bytes.length), body: bytes };
}

const withKey = (headers: Readonly<Record<string, string>>, key: string, length: number): Record<string, string> => ({
  ...headers,
  'content-length': String(length),
  'idempotency-key': createHash('sha256').update(key).digest('hex').slice(0, 32),
});

/** The name in lower case. @throws tool-failed */
function checkedHeader(given: string, value: string): string {
  const name = given.toLowerCase();
  if (!TOKEN.test(name) || name === '__proto__')
    throw failed(`${JSON.stringify(given.slice(0, 80))} is no name of a header.`);
  if (OWN.test(name)) throw failed(`The header "${name}" is set by the tool: leave it out.`);
  if (SECRET.test(name)) {
    throw failed(
      `The header "${name}" carries a secret, which no plan holds: add it to the secrets of the config, and give its name as "secret".`,
    );
  }
  if (value.length > MAX_HEADER_CHARACTERS || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw failed(`The header "${name}" has a line end or another character that no header may hold, or is too long.`);
  }
  return name;
}

interface Secret {
  readonly value: string;
  readonly header: string;
  readonly hosts: readonly string[];
  readonly name: string;
  readonly bare: string;
  readonly unencrypted: boolean;
}

function namedSecret(
  { secrets = {} }: HttpRequestOptions,
  name: string,
  environment: Readonly<Record<string, string | undefined>>,
): Secret {
  const known = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (known === undefined) {
    const names = Object.keys(secrets).join(', ');
    throw failed(
      `There is no secret ${JSON.stringify(name)}: ${names === '' ? 'the config has none' : `use one of ${names}`}.`,
    );
  }
  const bare = secretOf(environment[known.env]?.trim() ?? '', environment) ?? '';
  if (bare === '') throw failed(`The secret ${name} is empty: set the environment variable ${known.env}.`);
  rememberSecret(bare);
  const header = (known.header ?? 'authorization').toLowerCase();
  const value = `${known.prefix ?? (header === 'authorization' ? 'Bearer ' : '')}${bare}`;
  return { value, header, hosts: known.hosts, name, bare, unencrypted: known.unencrypted === true };
}

/** @throws tool-failed for a host that the secret is not meant for, before anything is sent there */
function withSecret(sent: Sent, secret: Secret | undefined, url: URL): Sent {
  if (secret === undefined) return sent;
  const host = url.hostname.replace(/\.$/, '');
  if (!secret.hosts.some((pattern) => hostMatches(pattern, host))) {
    throw failed(`The secret ${secret.name} is not sent to "${host}": it is for ${secret.hosts.join(', ')}.`);
  }
  if (url.protocol !== 'https:' && !secret.unencrypted) {
    throw failed(`The secret ${secret.name} is not sent over http:, where others can read it: give the https address.`);
  }
  return { ...sent, headers: { ...sent.headers, [secret.header]: secret.value } };
}

function replyOf(page: Page, secret: Secret | undefined, location: string | undefined): Reply {
  const clean = (text: string): string => (secret === undefined ? text : text.replaceAll(secret.bare, '[secret]'));
  const text = clean(page.text);
  const isJson = !page.truncated && /^application\/(?:[\w.-]+\+)?json\b/i.test(page.contentType);
  const json = isJson ? tryParseJson(text) : undefined;
  return {
    ...page,
    text,
    url: clean(page.url),
    ...(json === undefined ? {} : { json }),
    ...(location === undefined ? {} : { location: clean(location) }),
  };
}
