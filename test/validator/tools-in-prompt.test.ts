/** Nodes with tools where only models without tools are registered: refused, unless the config lets their prompt describe the tools. */
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/index.ts';
import { type FakeProvider, fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

const plain = (id: string): FakeProvider =>
  fakeProvider({
    id,
    models: [fakeCard({ id: 'plain', capabilities: ['text', 'streaming', 'system'] })],
    script: ({ request }) =>
      JSON.stringify(request).includes('42')
        ? 'It is 42.'
        : '<tool_call>{"name": "calculate", "arguments": {"expression": "6 * 7"}}</tool_call>',
  });
const plan = (more: object = {}) => ({
  version: 1 as const,
  nodes: [{ id: 'sum', use: 'llm', in: { prompt: 'What is 6 * 7?', tools: ['calculate'] }, ...more }],
  output: '{{sum.text}}',
});

describe('a node with tools for a model without tools', () => {
  it('runs where the config describes them in the prompt, and is refused elsewhere', async () => {
    const allowed = await createPolyphony({
      providers: [plain('a')],
      config: { adapt: { toolsInPrompt: true } },
    });
    const run = await allowed.run(plan());
    expect(run).toMatchObject({ status: 'done', output: 'It is 42.' });
    expect(await allowed.run(plan({ model: { id: 'a/plain' } }))).toMatchObject({ output: 'It is 42.' });
    await expect(allowed.run(plan({ model: { can: ['tools'] } }))).rejects.toThrow('lacks tools');
    await allowed.reconfigure({});
    await expect(allowed.run(plan())).rejects.toThrow('lacks tools');
    await allowed.close();
  });

  it('goes to a model with tools where there is one', async () => {
    const [without, able] = [plain('a'), fakeProvider({ id: 'b', models: [fakeCard({ id: 'able' })] })];
    const polyphony = await createPolyphony({
      providers: [without, able],
      config: { adapt: { toolsInPrompt: true } },
    });
    await polyphony.run(plan());
    expect([without.seen.length, able.seen.length]).toEqual([0, 1]);
    await polyphony.close();
  });
});
