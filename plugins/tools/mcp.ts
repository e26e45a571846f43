/**
 * The tools of MCP servers, as `tool:<server>/<tool>`. Servers are started (or connected to) when the polyphony is created. What they
 * return is untrusted, and calls of tools that they do not mark as read-only need the approval of a person.
 *
 * Needs the package "@modelcontextprotocol/client".
 */
import { definePlugin, type Plugin } from 'polyphony/kit';
import { modules } from './mcp/link.ts';
import { assertServers, type Environment, type McpServerOptions, reachOf } from './mcp/options.ts';
import { type McpServer, openServer } from './mcp/server.ts';

export type { McpSecret, McpServerOptions } from './mcp/options.ts';

export interface McpOptions {
  /** By the name that stands before the names of its tools: lower-case letters, digits and dashes; at most 20. */
  readonly servers: Readonly<Record<string, McpServerOptions>>;
  /** Where secrets are read. @default process.env */
  readonly environment?: Environment;
}

/** @throws invalid-config for a server that cannot be reached as it is described; a variable that is not set is told at the start */
export function mcp({ servers, environment = process.env }: McpOptions): Plugin {
  assertServers(servers);
  return definePlugin({
    name: 'mcp',
    async setup(context) {
      const reaches = Object.entries(servers).map(
        ([name, options]) => [reachOf(name, options, environment), options] as const,
      );
      const loaded = await modules();
      let isReady = false;
      // While the list of plugins is still being made, nothing has to be told.
      const told = { ...context, toolsChanged: () => void (isReady && context.toolsChanged?.()) };
      const opened: readonly McpServer[] = await Promise.all(
        reaches.map(([reach, options]) => openServer(loaded, reach, options, told)),
      );
      isReady = true;
      return {
        get tools() {
          return opened.flatMap((server) => server.tools());
        },
        close: async () => void (await Promise.all(opened.map((server) => server.close()))),
      };
    },
  });
}

/** For configs that load the plugin by its path. */
export default (options: McpOptions) => mcp(options);
