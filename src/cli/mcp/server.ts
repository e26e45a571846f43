/** The MCP server: one for each connection over standard input and output, one for each request over HTTP. */
import type { Server as McpServer } from '@modelcontextprotocol/server';
import { PolyphonyError } from '../../core/errors.ts';
import { joinedSignal } from '../../core/on-abort.ts';
import { packageVersion } from '../input/package-file.ts';
import { callOffered, type OfferedTool } from './tools.ts';

export type ServerModule = typeof import('@modelcontextprotocol/server');

/** The package is an optional peer dependency. @throws invalid-config where it is not installed */
export async function serverModules(): Promise<{
  readonly sdk: ServerModule;
  readonly stdio: typeof import('@modelcontextprotocol/server/stdio');
}> {
  try {
    const [sdk, stdio] = await Promise.all([
      import('@modelcontextprotocol/server'),
      import('@modelcontextprotocol/server/stdio'),
    ]);
    return { sdk, stdio };
  } catch (error) {
    if ((error as { readonly code?: unknown })?.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message =
      'polyphony mcp needs the package "@modelcontextprotocol/server", which is not installed: run npm install @modelcontextprotocol/server.';
    throw new PolyphonyError('invalid-config', message, { cause: error });
  }
}

/** Calls at the same time, of all clients. Each may be a run of many nodes. */
const MOST_CALLS = 32;

/** @param closing ends every call */
export function serverFactory(
  { Server }: Pick<ServerModule, 'Server'>,
  tools: ReadonlyMap<string, OfferedTool>,
  closing: AbortSignal,
): () => McpServer {
  let running = 0;
  const listed = [...tools.values()].map(({ name, description, inputSchema, annotations }) => ({
    name,
    description,
    inputSchema: inputSchema as { readonly type: 'object' },
    annotations: { ...annotations },
  }));
  return () => {
    const info = { name: 'polyphony', version: packageVersion() };
    const server = new Server(info, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', async () => ({ tools: listed }));
    server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
      if (running >= MOST_CALLS)
        return {
          content: [{ type: 'text', text: `overloaded: ${MOST_CALLS} calls run already. Try again later.` }],
          isError: true,
        };
      running += 1;
      const { signal, release } = joinedSignal([mcpReq.signal, closing]);
      try {
        return await callOffered(tools, params.name, params.arguments ?? {}, signal);
      } finally {
        release();
        running -= 1;
      }
    });
    return server;
  };
}
