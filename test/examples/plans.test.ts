import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../plugins/providers/embedded.ts';
import type { ModelEvent } from '../../src/core/model/model.ts';
import { createPolyphony, type Polyphony, type RunResult } from '../../src/index.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/index.ts';

const folder = resolve(import.meta.dirname, '../../examples/plans');

let polyphony: Polyphony;
beforeAll(async () => {
  polyphony = await createPolyphony({ providers: [embedded()] });
});
afterAll(() => polyphony.close());

async function run(name: string): Promise<RunResult> {
  const { plan, issues: all, repaired } = await polyphony.validate(readFileSync(join(folder, name), 'utf8'));
  // The embedded engine does not embed, and a plan may say what holds without it.
  const issues = all.filter(({ code }) => code !== 'model.stand_in');
  expect({ issues, repaired }).toEqual({ issues: [], repaired: [] });
  if (plan === undefined) throw new Error('the plan is not valid');
  return (await polyphony.start(plan)).result();
}

/** That each runs to its end by the command is in plan-files.test.ts. */
describe('what the plans of examples/plans answer', () => {
  it('approve.plan.json waits for a person', async () => {
    const result = await run('approve.plan.json');
    expect(result.status).toBe('suspended');
    expect(result.waiting).toMatchObject([{ nodeId: 'review', choices: ['yes', 'no'] }]);
  });

  it('confirm.plan.json waits for an event, and goes on with its payload', async () => {
    const { plan } = await polyphony.validate(readFileSync(join(folder, 'confirm.plan.json'), 'utf8'));
    if (plan === undefined) throw new Error('the plan is not valid');
    const asked = await polyphony.run(plan, { order: 'A-17' });
    expect(asked).toMatchObject({ status: 'suspended', waiting: [{ id: 'paid', wait: { event: 'paid' } }] });
    const sent = await polyphony.runs.event('paid', { order: 'A-17', cents: 2500 });
    expect((await sent.runs[0]?.result())?.output).toBe('Thank you for 2500 cents.');
  });

  it('answer.plan.json says where its answer comes from', async () => {
    expect((await run('answer.plan.json')).output).toMatchObject({
      answer: expect.stringContaining('fifty cents'),
      rung: 0,
    });
  });

  it('answer-from-folder.plan.json cites the passages, by words alone where nothing embeds', async () => {
    expect((await run('answer-from-folder.plan.json')).output).toMatchObject({
      answer: expect.stringContaining('three euros'),
      sources: expect.arrayContaining(['examples/material/handbook/membership.txt:1-5']),
      ranking: 'lexical',
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

  it('search-again.plan.json finds in the second round what the first did not', async () => {
    const { output } = await run('search-again.plan.json');
    expect(output).toMatchObject({ answer: expect.stringContaining('fifty cents') });
    expect((output as { files: string[] }).files.length).toBeGreaterThan(1);
  });

  it('map-body.plan.json runs its body for each ticket, in order', async () => {
    const { tickets } = (await run('map-body.plan.json')).output as { tickets: { path: string; label: string }[] };
    expect(tickets.map(({ label }) => label)).toEqual(['billing', 'technical', 'other', 'technical']);
    expect(tickets.map(({ path }) => path)).toEqual(tickets.map(({ path }) => path).sort());
  });

  it('map-folder.plan.json keeps the order of the files', async () => {
    const output = (await run('map-folder.plan.json')).output as { files: string[]; kinds: { label: string }[] };
    expect(output.files).toEqual([...output.files].sort());
    expect(output.kinds.map(({ label }) => label)).toEqual(['billing', 'technical', 'other', 'technical']);
  });

  it('lead-scoring.plan.json scores rows without a model', async () => {
    expect((await run('lead-scoring.plan.json')).output).toMatchObject({
      leads: [
        { name: 'Harbour Ltd', score: 88 },
        { name: 'North Pier', score: 63 },
        { name: 'Old Quay', score: 50 },
        { name: 'Mill & Sons', score: 16 },
      ],
      mean: '54.3',
      note: expect.stringContaining('Harbour Ltd'),
    });
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
      expect(first.waiting).toMatchObject([{ id: 'desk', nodeId: 'desk', data: sum }]);
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
