import { describe, expect, it } from 'vitest';
import { DRAWING_FORMATS, draw } from '../../src/drawing/index.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const fast = fakeCard({ id: 'fast', capabilities: ['text', 'streaming', 'json-schema', 'tools'] });
const { validate } = await createPolyphony({
  environment: false,
  providers: [fakeProvider({ id: 'fake', models: [fast] })],
});

async function drawn(node: object, more: object = {}): Promise<readonly string[]> {
  const { plan, issues } = await validate({ version: 1, input: { user: 'string' }, nodes: [node], ...more });
  if (plan === undefined) throw new Error(JSON.stringify(issues));
  return DRAWING_FORMATS.map((format) => draw(plan, format));
}
const agent = (more: object) => ({ id: 'desk', use: 'llm', in: { prompt: 'x', tools: ['read_file'], ...more } });
const cashier = { about: 'sums', system: 'x', tools: ['tool:calculate', { type: 'provider', name: 'web-search' }] };

describe('a picture', () => {
  it.each<[string, object, string]>([
    ['the tools of an agent', agent({}), 'tools read_file'],
    ['the most rounds', agent({ rounds: 3 }), 'at most 3 rounds of tools'],
    ['the tool that ends the loop', agent({ stopWhen: 'read_file' }), 'stops with read_file'],
    ['what a person approves', agent({ approve: ['read_file'] }), 'asks before read_file'],
    [
      'who may take over, with the tools',
      agent({ agents: { cashier } }),
      'hands over to cashier: calculate, web-search',
    ],
    ['who may take over, without tools', agent({ agents: { desk2: { system: 'x' } } }), 'hands over to desk2'],
    ['a thread', { ...agent({}), thread: '{{input.user}}' }, 'thread input.user'],
    ['a time to wait', { id: 'w', use: 'wait', in: { seconds: 60 } }, 'for 60 seconds'],
    ['a moment to wait for', { id: 'w', use: 'wait', in: { until: '{{input.user}}' } }, 'until input.user'],
    ['an event to wait for', { id: 'w', use: 'wait', in: { event: 'paid' } }, 'for the event paid'],
    ['an early end', { ...agent({}), finish: true }, 'ends the run'],
    ['an error that is kept', { ...agent({}), onError: { keep: true } }, 'keeps its error'],
  ])('shows %s', async (_, node, text) => {
    for (const picture of await drawn(node)) expect(picture.replaceAll('#95;', '_')).toContain(text);
  });

  it('shows where nodes are folded, with how many they are', async () => {
    const workflows = { inside: { nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' } }] } };
    const [tree, mermaid, svg] = await drawn({ id: 'box', use: 'workflow:inside' }, { workflows });
    expect(tree).toContain('1 node inside');
    expect(mermaid).toContain('n_box[["<b>box</b>');
    expect(svg?.match(/<rect /g)).toHaveLength(3);
  });

  it('cuts no note that fits into three lines of its box, and shows no more of a longer one', async () => {
    const named = (count: number) => Array.from({ length: count }, (_, place) => `tool_of_that_name_${place}`);
    const svgOf = async (names: readonly string[]): Promise<string> =>
      (await drawnTools(names)).replace(/<title>[^<]*<\/title>/g, '');
    const few = await svgOf(named(3));
    for (const name of named(3)) expect(few).toContain(name);
    const many = await svgOf(named(40));
    expect(many).toContain('tool_of_that_name_0');
    expect(many).not.toContain('tool_of_that_name_39');
    expect(many.match(/…/g)).toHaveLength(1);
  });
});

async function drawnTools(names: readonly string[]): Promise<string> {
  const tools = names.map((name) => ({ name, description: 'x', input: { type: 'object' }, run: async () => ({}) }));
  const polyphony = await createPolyphony({
    environment: false,
    plugins: [{ name: 'own', tools, providers: [fakeProvider({ id: 'fake', models: [fast] })] }],
  });
  const node = { id: 'a', use: 'llm', in: { prompt: 'x', tools: names } };
  const { plan } = await polyphony.validate({ version: 1, nodes: [node] });
  await polyphony.close();
  return plan === undefined ? '' : draw(plan, 'svg');
}
