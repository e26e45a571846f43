import { onTestFinished } from 'vitest';
import { type McpServerOptions, mcp } from '../../../../plugins/tools/mcp.ts';
import { createPolyphony, type Polyphony } from '../../../../src/index.ts';
import { compiled } from '../../../compiled.ts';

export interface Opened {
  readonly polyphony: Polyphony;
  readonly logged: string[];
  readonly steps: () => readonly string[];
}

export const child = (behaviour: string, more: Partial<McpServerOptions> = {}): McpServerOptions => ({
  command: process.execPath,
  args: [compiled('test/plugins/tools/mcp/child-server.ts'), behaviour],
  ...more,
});

export async function opened(
  server: McpServerOptions,
  environment: Readonly<Record<string, string>> = {},
): Promise<Opened> {
  const logged: string[] = [];
  const log = (fields: object, message: string): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const polyphony = await createPolyphony({
    plugins: [mcp({ servers: { srv: server }, environment })],
    environment: false,
    providers: [],
    logger: { debug: () => {}, info: () => {}, warn: log, error: log },
  });
  onTestFinished(() => polyphony.close());
  return {
    polyphony,
    logged,
    steps: () => [...polyphony.catalogue().steps.keys()].filter((use) => use.startsWith('tool:srv/')),
  };
}

/** The end of a run of one tool. */
export async function use({ polyphony }: Opened, tool: string, input: object = { text: 'hi' }, options = {}) {
  const plan = { version: 1, nodes: [{ id: 'a', use: `tool:srv/${tool}`, in: input }], output: '{{a}}' } as const;
  const handle = await polyphony.start(plan as never, {}, options);
  return handle.result();
}
