/** `{{node.meta.…}}` where a step has a field `meta` of its own, in references and in conditions, for every way to declare it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';

const OWN = { ms: 7000, model: 'sensor', deep: { total: 4 } };
const META = { type: 'object', properties: { ms: { type: 'number' }, model: { type: 'string' } } };
const tool = (name: string, output: Tool['output'], given: object): Tool => ({
  name,
  description: 'Measures.',
  input: { type: 'object' },
  ...(output === undefined ? {} : { output }),
  run: async () => given,
});
const tools = [
  tool('declares', { type: 'object', properties: { meta: META }, required: ['meta'] }, { meta: OWN }),
  tool('declares_and_lacks', { type: 'object', properties: { meta: META, x: { type: 'number' } } }, { x: 1 }),
  tool('says_nothing', { type: 'object' }, { meta: OWN }),
  tool('says_nothing_and_lacks', { type: 'object' }, { x: 1 }),
  tool('declares_others', { type: 'object', properties: { x: { type: 'number' } } }, { x: 1, meta: OWN }),
  tool('is_wrapped', undefined, { meta: OWN }),
];

let polyphony: Polyphony;
beforeAll(async () => {
  polyphony = await createPolyphony({ defaults: false, plugins: [{ name: 'tools', tools }] });
});
afterAll(() => polyphony.close());

async function read(node: PlanNode, path: string) {
  const when = { id: 'b', use: 'value', in: { y: true }, when: `a.${path} == 7000` };
  const plan: Plan = { version: 1, nodes: [node, when], output: { read: `{{a.${path}}}`, holds: '{{b.y}}' } };
  const { issues } = await polyphony.validate(plan, { repair: false });
  const result = await polyphony.run(plan);
  const codes = new Set(issues.map(({ code }) => code));
  return { output: result.status === 'done' ? result.output : result, codes: [...codes] };
}

describe('a field "meta" of the output', () => {
  it.each([
    ['declares', 7000, []],
    ['declares_and_lacks', null, []],
    ['says_nothing', 7000, ['ref.meta']],
    ['says_nothing_and_lacks', expect.any(Number), ['ref.meta']],
    ['declares_others', expect.any(Number), []],
    ['is_wrapped', expect.any(Number), []],
  ])('is read of a tool that %s', async (name, ms, codes) => {
    const found = await read({ id: 'a', use: `tool:${name}` }, 'meta.ms');
    expect(found).toEqual({ output: { read: ms, holds: ms === 7000 ? true : null }, codes });
    if (ms !== 7000) expect(found.output).not.toMatchObject({ read: 7000 });
  });

  it('is read where the run keeps no such field', async () => {
    const plan: Plan = { version: 1, nodes: [{ id: 'a', use: 'tool:says_nothing' }], output: '{{a.meta.deep.total}}' };
    expect(await polyphony.run(plan)).toMatchObject({ status: 'done', output: 4 });
  });

  it('is read of a "value", and not of a list', async () => {
    const value: PlanNode = { id: 'a', use: 'value', in: { meta: { ms: 7000 } } };
    expect(await read(value, 'meta.ms')).toEqual({ output: { read: 7000, holds: true }, codes: [] });
    const list: PlanNode = { ...value, each: '{{input.n}}' };
    const plan: Plan = { version: 1, input: { n: 'integer[]' }, nodes: [list], output: '{{a.meta.ms}}' };
    const result = await polyphony.run(plan, { n: [1, 2] });
    expect(result).toMatchObject({ status: 'done', output: expect.any(Number) });
    expect(result).not.toMatchObject({ output: 7000 });
  });

  it('is the same after a resume', async () => {
    const ask: PlanNode = { id: 'ask', use: 'human', in: { question: 'Go on?' }, needs: ['a'] };
    const end: PlanNode = { id: 'b', use: 'value', in: { ms: '{{a.meta.ms}}' }, needs: ['ask'] };
    const plan: Plan = { version: 1, nodes: [{ id: 'a', use: 'tool:declares' }, ask, end], output: '{{b.ms}}' };
    const waiting = await polyphony.run(plan);
    const handle = await polyphony.runs.answer(waiting.runId, 'ask', true);
    expect(await handle.result()).toMatchObject({ status: 'done', output: 7000 });
  });
});
