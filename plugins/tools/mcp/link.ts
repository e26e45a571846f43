/**
 * One connection to a server. It declares no abilities of its own (no sampling, no questions, no files), so a server can ask for
 * nothing. Results are read as they came: the checks are those of this project, because the package would run a server's patterns.
 */
import { abortError, type Clock, firstOf, onAbort, PolyphonyError } from 'polyphony/kit';
import { boundedFetch } from './bounded-fetch.ts';
import type { Reach } from './options.ts';

type ClientModule = typeof import('@modelcontextprotocol/client');
type StdioModule = typeof import('@modelcontextprotocol/client/stdio');
export interface Modules {
  readonly client: ClientModule;
  readonly stdio: StdioModule;
}

export interface Link {
  /** Throws what the server answers, or that it is gone. */
  request(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<unknown>;
  readonly isOpen: () => boolean;
  /** The last that the program wrote to its standard error. */
  readonly said: () => string;
  close(): Promise<void>;
}

/** The package is an optional peer dependency: only who uses MCP servers needs it. */
export async function modules(): Promise<Modules> {
  // Caught at each of them: esbuild then bundles a program that lacks the package, and it is missed only where it is used.
  const [client, stdio] = await Promise.all([
    import('@modelcontextprotocol/client').catch(notInstalled),
    import('@modelcontextprotocol/client/stdio').catch(notInstalled),
  ]);
  return { client, stdio };
}

/** A bundle as CommonJS has the shorter code. */
const NOT_FOUND: readonly unknown[] = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'];

function notInstalled(error: unknown): never {
  if (!NOT_FOUND.includes((error as { readonly code?: unknown })?.code)) throw error;
  const message =
    'MCP servers need the package "@modelcontextprotocol/client", which is not installed: run npm install @modelcontextprotocol/client.';
  throw new PolyphonyError('invalid-config', message, { cause: error });
}

/** Takes any answer: it is checked where it is read. */
const ANY = { '~standard': { version: 1, vendor: 'polyphony', validate: (value: unknown) => ({ value }) } } as const;
/** Its own timers are not ours: the time of a call is counted by the clock of the plugin. */
const NO_TIMEOUT = 2_147_483_647;
const MOST_MESSAGE = 16_777_216;
const MOST_SAID = 2000;
const CLOSE_MS = 1000;

interface Listeners {
  readonly onChanged: () => void;
  readonly onClosed: () => void;
}

export async function openLink(
  { client: sdk, stdio }: Modules,
  reach: Reach,
  { clock, signal, onChanged, onClosed }: Listeners & { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Link> {
  const client = new sdk.Client(
    { name: 'polyphony', version: '1' },
    {
      capabilities: {},
      inputRequired: { autoFulfill: false },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged } },
      jsonSchemaValidator: {
        getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
      },
      ...(reach.url === undefined ? {} : { versionNegotiation: { mode: 'auto' as const } }),
    },
  );
  let isOpen = true;
  client.onclose = () => {
    isOpen = false;
    onClosed();
  };
  const { transport, said } = transportOf({ client: sdk, stdio }, reach);
  const close = async (): Promise<void> => {
    if (isOpen && 'terminateSession' in transport) await inTime(clock, transport.terminateSession());
    await client.close().catch(() => undefined);
  };
  try {
    await orStopped(signal, client.connect(transport, { signal, timeout: NO_TIMEOUT }));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    isOpen: () => isOpen,
    said,
    request: (method, params, stop) =>
      orStopped(stop, client.request({ method, params }, ANY, { signal: stop, timeout: NO_TIMEOUT })),
    close,
  };
}

function transportOf({ client: sdk, stdio }: Modules, { command, args, cwd, env, url, headers }: Reach) {
  if (url !== undefined) {
    const requestInit = { headers: { ...headers } };
    const transport = new sdk.StreamableHTTPClientTransport(url, { fetch: boundedFetch, requestInit });
    return { transport, said: () => '' };
  }
  const transport = new stdio.StdioClientTransport({
    command: command ?? '',
    args: [...args],
    env: { ...env },
    stderr: 'pipe',
    maxBufferSize: MOST_MESSAGE,
    ...(cwd === undefined ? {} : { cwd }),
  });
  let said = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8', 0, MOST_SAID)}`.slice(-MOST_SAID);
  });
  return { transport, said: () => said };
}

/** The package waits for a server that reads nothing; a caller that stops does not. */
export async function orStopped<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw abortError(signal);
  let stop: () => void = () => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = onAbort(signal, () => reject(abortError(signal)));
  });
  try {
    return await Promise.race([work, stopped]);
  } catch (error) {
    work.catch(() => undefined);
    throw signal.aborted ? abortError(signal) : error;
  } finally {
    stop();
  }
}

async function inTime(clock: Clock, work: Promise<unknown>): Promise<void> {
  let cancel: () => void = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = clock.schedule(CLOSE_MS, resolve);
  });
  await Promise.race([work.catch(() => undefined), late]);
  cancel();
}

/** What a server answered instead of a result, in at most 500 characters. Undefined: it did not answer. */
export function answeredError({ client }: Modules, error: unknown): string | undefined {
  return error instanceof client.ProtocolError ? firstOf(error.message, 500) : undefined;
}
