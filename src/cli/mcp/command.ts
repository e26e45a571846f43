/** polyphony mcp: the gateway and the workflows as an MCP server. */
import { InvalidArgumentError } from 'commander';
import { defineCommand, examples } from '../command.ts';
import { amount, collectValues } from '../input/option-values.ts';
import type { McpCommandOptions } from './serve.ts';

export const command = defineCommand<McpCommandOptions>({
  define: (mcp) =>
    mcp
      .description(
        'Offer the gateway (the tool `ask`) and the workflows (`workflow-<id>`) to an MCP client: over standard input and output, ' +
          'or with --http over streamable HTTP, for this machine unless you open it. Needs the package @modelcontextprotocol/server.',
      )
      .option('--workflow <id>', 'offer only this workflow; may be repeated', collectValues, [])
      .option('--budget <usd>', 'the cap of each call, in US dollars', amount)
      .option('--http <port>', 'serve over HTTP at this port; 0 takes a free one', port)
      .option('--host <address>', 'the address to listen at (default: 127.0.0.1)')
      .option('--allow-host <name>', 'a host name under which it may be asked; may be repeated', collectValues, [])
      .option('--allow-origin <origin>', 'an origin of web pages that may ask; may be repeated', collectValues, [])
      .option('--token-env <name>', 'the environment variable of the token that requests must send')
      .addHelpText(
        'after',
        examples(
          'polyphony mcp                                  for a client that starts it',
          'polyphony mcp --workflow digest --budget 0.10',
          'polyphony mcp --http 8787 --token-env MCP_TOKEN',
        ),
      ),
  handle: async (terminal, options) => {
    const { withPolyphony } = await import('../process/session.ts');
    const { serveMcp } = await import('./serve.ts');
    return withPolyphony(options, terminal, (session) => serveMcp(session, options, terminal));
  },
});

function port(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('Give a port, a whole number from 0 to 65535.');
}
