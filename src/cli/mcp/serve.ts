/** Serves a session's workflows and its gateway until the client goes or the process is stopped. */
import { onAbort } from '../../core/on-abort.ts';
import { secretOf } from '../../system/secret.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { withInterrupt } from '../process/interrupt.ts';
import type { Session } from '../process/session.ts';
import type { Terminal } from '../screen/terminal.ts';
import { serveHttp } from './http.ts';
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
    const factory = serverFactory(modules.sdk, tools, closing.signal);
    try {
      if (options.http === undefined) await overStdio(modules, factory, signal);
      else await overHttp(modules, factory, options, terminal, signal);
    } finally {
      closing.abort();
    }
    return EXIT.done;
  });
}

type Modules = Awaited<ReturnType<typeof serverModules>>;
type Factory = ReturnType<typeof serverFactory>;

/** The client ends the connection by closing our standard input. */
async function overStdio({ stdio }: Modules, factory: Factory, signal: AbortSignal): Promise<void> {
  const transport = new stdio.StdioServerTransport();
  const handle = stdio.serveStdio(factory, { transport });
  await new Promise<void>((resolve) => {
    onAbort(signal, resolve);
    process.stdin.once('end', resolve);
    process.stdin.once('close', resolve);
  });
  await handle.close();
}

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
