import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../plugins/providers/embedded.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import { createPolyphony, type Polyphony, type RunResult } from '../../src/index.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/index.ts';

const folder = resolve(import.meta.dirname, '../../examples/plans');
const names = readdirSync(folder).filter((name) => name.endsWith('.plan.json'));

let polyphony: Polyphony;
beforeAll(async () => {
  polyphony = await createPolyphony({ providers: [embedded()] });
});
afterAll(() => polyphony.close());

async function run(name: string): Promise<RunResult> {
  const { plan, issues, repaired } = await polyphony.validate(readFileSync(join(folder, name), 'utf8'));
  expect({ issues, repaired }).toEqual({ issues: [], repaired: [] });
  if (plan === undefined) throw new Error('the plan is not valid');
  return (await polyphony.start(plan)).result();
}

describe('the plans to run as they are', () => {
  it('are eight at least', () => {
    expect(names.length).toBeGreaterThanOrEqual(8);
  });

  const asking = ['approve.plan.json', 'support-agent.plan.json'];

  it.each(names.filter((name) => !asking.includes(name)))('%s runs to its end without a key', async (name) => {
    const result = await run(name);
    expect(result.error).toBeUndefined();
    expect(result.status).toBe('done');
    expect(JSON.stringify(result.output)).not.toMatch(/^(?:null|""|\{\})$/);
  });

  it('approve.plan.json waits for a person', async () => {
    const result = await run('approve.plan.json');
    expect(result.status).toBe('suspended');
    expect(result.waiting).toMatchObject([{ nodeId: 'review', choices: ['yes', 'no'] }]);
  });

  it('answer.plan.json says where its answer comes from', async () => {
    expect((await run('answer.plan.json')).output).toMatchObject({
      answer: expect.stringContaining('fifty cents'),
      rung: 0,
    });
  });

  it('arithmetic.plan.json calculates with what it read', async () => {
    expect((await run('arithmetic.plan.json')).output).toMatchObject({
      figures: { passengers: 310_000 },
      passengers_a_day: 310_000 / 365,
    });
  });

  it('branches.plan.json takes one branch and skips the other', async () => {
    const { nodes, output } = await run('branches.plan.json');
    expect(output).toMatchObject({ label: 'billing' });
    expect(nodes.map(({ id, state }) => `${id} ${state}`)).toEqual([
      'page done',
      'kind done',
      'money done',
      'fault skipped',
    ]);
  });

  it('map-folder.plan.json keeps the order of the files', async () => {
    const output = (await run('map-folder.plan.json')).output as { files: string[]; kinds: { label: string }[] };
    expect(output.files).toEqual([...output.files].sort());
    expect(output.kinds.map(({ label }) => label)).toEqual(['billing', 'technical', 'other', 'technical']);
  });
});

describe('support-agent.plan.json', () => {
  const text = readFileSync(join(folder, 'support-agent.plan.json'), 'utf8');
  const call = (name: string, args: object): ModelEvent => ({
    type: 'tool-call',
    call: { type: 'tool-call', id: name, name, arguments: args as never },
  });
  /** Reads the rules, hands over, works the sum out, answers. */
  const script = [
    [call('read_file', { path: 'examples/material/rules.md' })],
    [call('handoff:cashier', {})],
    [call('calculate', { expression: '18.40 + 11 * 5' })],
    [{ type: 'text-delta', text: '{"reply":"You owe 23.90.","amount":23.9}' }],
  ] as const satisfies readonly (readonly ModelEvent[])[];

  it('reads, hands over, waits for a person who corrects the sum, and goes on without asking again', async () => {
    let asked = 0;
    const prompts: unknown[] = [];
    const provider = fakeProvider({
      models: [fakeCard({ id: 'one', capabilities: ['text', 'streaming', 'tools', 'json-schema'] })],
      script: ({ request }) => {
        prompts.push(request.operation === 'chat' ? request.messages : undefined);
        asked += 1;
        return [...(script[asked - 1] ?? []), finish({})];
      },
    });
    const own = await createPolyphony({ providers: [provider] });
    try {
      const { plan, issues } = await own.validate(text);
      expect(issues).toEqual([]);
      if (plan === undefined) throw new Error('the plan is not valid');
      const first = await (await own.start(plan)).result();
      expect(first).toMatchObject({ status: 'suspended' });
      const sum = { tool: 'calculate', arguments: { expression: '18.40 + 11 * 5' } };
      expect(first.waiting).toMatchObject([{ nodeId: 'desk', data: sum }]);
      const corrected = { approved: true, arguments: { expression: '18.40 + 11 * 0.5' } };
      const done = await (await own.runs.answer(first.runId, 'desk', corrected)).result();
      expect(done).toMatchObject({ status: 'done', output: { reply: 'You owe 23.90.', amount: 23.9 } });
      expect(asked).toBe(4);
      expect(JSON.stringify(prompts[3])).toContain('23.9');
      const { transcript } = done.output as { transcript: { role: string }[] };
      expect(transcript.map(({ role }) => role).join()).toBe(
        'user,assistant,tool,assistant,tool,assistant,tool,assistant',
      );
    } finally {
      await own.close();
    }
  });
});
