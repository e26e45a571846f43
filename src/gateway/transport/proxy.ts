/** Which proxy a request goes through: by the scheme of its address, except for hosts that are reached directly. */
import { BlockList, isIP } from 'node:net';
import { PolyphonyError } from '../../core/errors.ts';
import { rememberAddress } from '../../core/scrub.ts';

export interface ProxySettings {
  /** For http: addresses: `http://user:password@host:port`; the scheme may be left out. @default none */
  readonly http?: string;
  /** For https: addresses. @default none */
  readonly https?: string;
  /**
   * Hosts without proxy: names (with all below them), `host:port`, addresses, ranges such as `10.0.0.0/8`, or `*` for all.
   *
   * @default none
   */
  readonly except?: readonly string[];
}

export interface HttpProxy {
  readonly origin: string;
  /** Without user and password, for messages. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @returns the proxy of an origin (`https://host:port`); undefined for a direct connection */
export type ProxyOf = (origin: string) => HttpProxy | undefined;

const MAX_ORIGINS = 256;

/** Undefined if no proxy is set. Each origin is decided once. */
export function proxyChoice({ http, https, except = [] }: ProxySettings): ProxyOf | undefined {
  if (!http?.trim() && !https?.trim()) return undefined;
  const isExcepted = exceptionsOf(except);
  const decided = new Map<string, HttpProxy | undefined>();
  return (origin) => {
    if (decided.has(origin)) return decided.get(origin);
    const url = new URL(origin);
    const address = url.protocol === 'https:' ? https : http;
    const proxy = address?.trim() && !isExcepted(url) ? readProxy(address.trim()) : undefined;
    if (decided.size >= MAX_ORIGINS) decided.clear();
    decided.set(origin, proxy);
    return proxy;
  };
}

/** @throws invalid-config for an address that is no proxy over HTTP */
function readProxy(given: string): HttpProxy {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`;
  rememberAddress(address);
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const remedy = 'write it as http://host:port, in the config under "proxy" or in HTTP_PROXY and HTTPS_PROXY.';
    throw new PolyphonyError('invalid-config', `The address of the proxy is not one of an HTTP proxy: ${remedy}`);
  }
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  const basic = Buffer.from(user).toString('base64');
  return {
    origin: url.origin,
    host: url.host,
    headers: user === ':' ? {} : { 'proxy-authorization': `Basic ${basic}` },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function exceptionsOf(entries: readonly string[]): (url: URL) => boolean {
  const ranges = new BlockList();
  const hosts: { readonly name: string; readonly port: string | undefined }[] = [];
  for (const entry of entries.flatMap((text) => text.split(/[\s,]+/)).filter(Boolean)) {
    const [, network = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/i.exec(entry) ?? [];
    if (isIP(network) !== 0 && Number(bits) <= (isIP(network) === 4 ? 32 : 128)) {
      ranges.addSubnet(network, Number(bits), family(network));
    } else hosts.push(hostOf(entry));
  }
  return (url) => {
    const name = bare(url.hostname);
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    if (isIP(name) !== 0 && ranges.check(name, family(name))) return true;
    return hosts.some(
      (host) =>
        (host.port === undefined || host.port === port) &&
        (host.name === '*' || name === host.name || name.endsWith(`.${host.name}`)),
    );
  };
}

const family = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 4 ? 'ipv4' : 'ipv6');
const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** `host`, `.host`, `*.host`, each with or without a port; an IPv6 address has its port outside of brackets. */
function hostOf(entry: string): { readonly name: string; readonly port: string | undefined } {
  const [, host = entry, port] = isIP(entry) === 6 ? [] : (/^(.+):(\d+)$/.exec(entry) ?? []);
  return { name: host === '*' ? host : bare(host.replace(/^\*?\./, '')), port };
}
