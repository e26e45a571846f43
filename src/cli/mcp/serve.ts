/** Serves a session's workflows and its gateway until the client goes or the process is stopped. */
import { onAbort } from '../../core/on-abort.ts';
import { oneLine } from '../../drawing/plain-text.ts';
import { secretOf } from '../../system/secret.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { withInterrupt } from '../process/interrupt.ts';
import type { Session } from '../process/session.ts';
import type { Terminal } from '../screen/terminal.ts';
import { serveHttp } from './http.ts';
import { pacedInput, waitingOutput } from './paced-input.ts';
import { serverFactory, serverModules } from './server.ts';
import { offeredTools } from './tools.ts';

export interface McpCommandOptions {
  readonly http?: number;
  readonly host?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly tokenEnv?: string;
  readonly workflow?: readonly string[];
  readonly budget?: number;
}

/** @returns the exit code. @throws UsageError, invalid-config, not-found */
export async function serveMcp(
  { polyphony }: Session,
  options: McpCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const { workflow = [], budget: budgetUsd } = options;
  const modules = await serverModules();
  const tools = await offeredTools({ polyphony, workflows: new Set(workflow), budgetUsd });
  return withInterrupt(terminal, async (signal) => {
    const closing = new AbortController();
    let isClients = true;
    const factory = serverFactory(modules.sdk, tools, closing.signal);
    try {
      if (options.http === undefined) isClients = await overStdio(modules, factory, terminal, signal);
      else await overHttp(modules, factory, options, terminal, signal);
    } finally {
      closing.abort();
    }
    return isClients ? EXIT.done : EXIT.failed;
  });
}

type Modules = Awaited<ReturnType<typeof serverModules>>;
type Factory = ReturnType<typeof serverFactory>;

/** Bytes of one message of a client. */
const MOST_MESSAGE = 10_485_760;

/**
 * The client ends the connection by closing our standard input.
 *
 * @returns false where it was ended here, because of what the client wrote; that is told
 */
async function overStdio(
  { stdio }: Modules,
  factory: Factory,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  const input = pacedInput(process.stdin, process.stdout);
  const transport = new stdio.StdioServerTransport(input, waitingOutput(process.stdout), {
    maxBufferSize: MOST_MESSAGE,
  });
  let hasEnded = false;
  let reason: unknown;
  const handle = stdio.serveStdio(factory, {
    transport,
    onerror: (error) => {
      reason = error;
    },
  });
  const closed = transport.onclose;
  const isClients = await new Promise<boolean>((resolve) => {
    const end = (): void => {
      hasEnded = true;
      resolve(true);
    };
    onAbort(signal, end);
    input.once('end', end);
    process.stdin.once('close', end);
    transport.onclose = () => {
      closed?.();
      resolve(hasEnded || input.readableEnded || isGone(reason));
    };
  });
  await handle.close();
  process.stdin.destroy();
  if (!isClients) terminal.say(`the connection was ended: ${endedText(reason)}`);
  return isClients;
}

/** It reads no more, which is its way to go. */
const isGone = (reason: unknown): boolean => reason instanceof Error && 'code' in reason && reason.code === 'EPIPE';

const endedText = (reason: unknown): string =>
  oneLine(reason instanceof Error ? reason.message : 'the client wrote what is no message').slice(0, 300);

async function overHttp(
  { sdk }: Modules,
  factory: Factory,
  { http = 0, host, allowHost, allowOrigin, tokenEnv }: McpCommandOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const token =
    tokenEnv === undefined ? undefined : secretOf(terminal.environment[tokenEnv]?.trim() ?? '', terminal.environment);
  if (tokenEnv !== undefined && (token === undefined || token === ''))
    throw new UsageError(`--token-env names ${tokenEnv}, which is not set`);
  const handler = sdk.createMcpHandler(factory);
  const server = await serveHttp((request) => handler.fetch(request), {
    port: http,
    token,
    ...(host === undefined ? {} : { host }),
    ...(allowHost === undefined ? {} : { allowHosts: allowHost }),
    ...(allowOrigin === undefined ? {} : { allowOrigins: allowOrigin }),
  });
  terminal.say(`serving MCP at ${server.url} until Ctrl-C`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    onAbort(signal, resolve);
  });
  await handler.close();
  await server.close();
}
