/** What the operator says of MCP servers: checked before anything is started, with secrets read from the environment. */
import { PolyphonyError, rememberSecret, secretOf } from 'polyphony/kit';

/** A server that is started here (`command`), or one that answers at an address (`url`). */
export interface McpServerOptions {
  /** The program to start; it speaks over its standard input and output. */
  readonly command?: string;
  /** @default none */
  readonly args?: readonly string[];
  /** @default the working folder */
  readonly cwd?: string;
  /** Variables that the program gets beside `PATH`, `HOME` and their like, each from a variable of this process. @default none */
  readonly env?: Readonly<Record<string, McpSecret>>;
  /** The address of a server over streamable HTTP: https:, or http: on this machine. */
  readonly url?: string;
  /** Headers of every request to `url`, each from a variable of this process. @default none */
  readonly headers?: Readonly<Record<string, McpSecret>>;
  /** The tools that are offered, by the names that the server gives them. @default all of them */
  readonly tools?: readonly string[];
  /** Calls that a person approves: of tools that the server does not mark as read-only, of all, of none. @default 'writes' */
  readonly approve?: 'writes' | 'all' | 'none';
  /** True: models may take what its tools return for the operator's own word. @default false */
  readonly trusted?: boolean;
  /** Limit of one call, in milliseconds. @default 60000 */
  readonly timeoutMs?: number;
  /** Limit of starting it and reading its list, in milliseconds. @default 10000 */
  readonly startMs?: number;
}

export interface McpSecret {
  /** The environment variable that holds the value. */
  readonly env: string;
  /** Written before the value. @default 'Bearer ' for the header authorization, else nothing */
  readonly prefix?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a server is reached, with its secrets. */
export interface Reach {
  readonly name: string;
  readonly command?: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly url?: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Values that must not come back. */
  readonly secrets: readonly string[];
}

const NAME = /^[a-z][a-z0-9-]{0,30}$/;
const MOST_SERVERS = 20;
const LOCAL = new Set(['localhost', '127.0.0.1', '[::1]']);

const refuse = (message: string): PolyphonyError => new PolyphonyError('invalid-config', message);

/** @throws invalid-config naming the server, the field and the rule */
export function assertServers(servers: Readonly<Record<string, McpServerOptions>>): void {
  const entries = Object.entries(servers);
  if (entries.length > MOST_SERVERS)
    throw refuse(`There are ${entries.length} MCP servers, and at most ${MOST_SERVERS} are allowed: leave some out.`);
  for (const [name, { command, url, approve, timeoutMs, startMs }] of entries) {
    if (!NAME.test(name))
      throw refuse(
        `The MCP server ${JSON.stringify(name.slice(0, 60))} cannot be named so: use at most 31 lower-case letters, digits and dashes.`,
      );
    if ((command === undefined) === (url === undefined))
      throw refuse(`The MCP server "${name}" needs either "command" or "url": give one of them.`);
    if (url !== undefined) addressOf(name, url);
    if (approve !== undefined && !['writes', 'all', 'none'].includes(approve))
      throw refuse(`The MCP server "${name}" has an "approve" that is none of writes, all and none: give one of them.`);
    for (const [field, value] of Object.entries({ timeoutMs, startMs })) {
      if (value !== undefined && !(Number.isInteger(value) && value >= 1 && value <= 3_600_000))
        throw refuse(`The MCP server "${name}" has a "${field}" of ${value}: give milliseconds from 1 to 3600000.`);
    }
  }
}

function addressOf(name: string, text: string): URL {
  if (!URL.canParse(text)) throw refuse(`The url of the MCP server "${name}" is no address: give one with https://.`);
  const url = new URL(text);
  if (url.username !== '' || url.password !== '')
    throw refuse(
      `The url of the MCP server "${name}" holds a user or a password: name a variable in "headers" instead.`,
    );
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOCAL.has(url.hostname))) return url;
  throw refuse(`The url of the MCP server "${name}" is not encrypted: use https://, or http:// for this machine only.`);
}

/** @throws invalid-config for a variable that is not set */
export function reachOf(name: string, options: McpServerOptions, environment: Environment): Reach {
  const { command, args = [], cwd, url } = options;
  const secrets: string[] = [];
  const read = (given: McpServerOptions['env'], prefixOf: (field: string) => string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(given ?? {}).map(([field, { env, prefix }]) => {
        const value = secretOf(environment[env]?.trim() ?? '', environment);
        if (value === undefined || value === '')
          throw refuse(`The MCP server "${name}" needs the environment variable ${env}, which is not set: set it.`);
        rememberSecret(value);
        secrets.push(value);
        return [field, `${prefix ?? prefixOf(field)}${value}`];
      }),
    );
  const env = read(options.env, () => '');
  const headers = read(options.headers, (field) => (field.toLowerCase() === 'authorization' ? 'Bearer ' : ''));
  return {
    name,
    args,
    env,
    headers,
    secrets,
    ...(command === undefined ? {} : { command }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(url === undefined ? {} : { url: addressOf(name, url) }),
  };
}
