import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedded } from '../../plugins/providers/embedded.ts';
import { createPolyphony, type Polyphony, type RunResult } from '../../src/index.ts';

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

  it.each(names.filter((name) => name !== 'approve.plan.json'))('%s runs to its end without a key', async (name) => {
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
});
