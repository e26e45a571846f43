/** The tags of a run are scopes, whoever gives them and wherever the run goes on. */
import { describe, expect, it } from 'vitest';
import type { Plan, Polyphony } from '../../src/index.ts';
import { createPolyphony, llm, workflow } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const asks: Plan = {
  version: 1,
  nodes: [
    { id: 'first', use: 'llm', in: { prompt: 'One.' } },
    { id: 'then', use: 'llm', in: { prompt: 'Two, after {{first.text}}' } },
  ],
  output: '{{then.text}}',
};
const inner = workflow({ id: 'inner' })
  .node('said', llm, () => ({ in: { prompt: 'Inside.' } }))
  .output((c) => ({ said: c.said.text }));
const outer: Plan = { version: 1, nodes: [{ id: 'sub', use: 'workflow:inner' }], output: '{{sub}}' };

const tags = { feature: 'news', team: 'red' };
const IDS = ['feature=news', 'team=red'];

async function open(more: Partial<Parameters<typeof createPolyphony>[0]> = {}) {
  const provider = fakeProvider({ script: () => 'said' });
  const polyphony = await createPolyphony({ providers: [provider], workflows: [inner], ...more });
  return { polyphony, provider };
}

const tagged = async ({ stores }: Polyphony): Promise<Record<string, number>> =>
  Object.fromEntries((await stores.ledger.totals('scope:tag')).map(({ group, attempts }) => [group, attempts]));

describe('the tags of a run', () => {
  it.each([
    ['a plan', asks, 2],
    ['a sub-workflow', outer, 1],
  ] as const)('are charged for the calls of %s', async (_name, plan, calls) => {
    const { polyphony } = await open();
    const { runId } = await polyphony.run(plan, {}, { tags });
    expect(await tagged(polyphony)).toEqual(Object.fromEntries(IDS.map((id) => [id, calls])));
    const runs = await polyphony.runs.list({ nested: true });
    expect(runs.map((run) => run.runId)).toContain(runId);
    for (const run of runs) {
      const [started] = [await firstOf(polyphony, run.runId)];
      expect(started).toMatchObject({ type: 'run-started', tags });
    }
    await polyphony.close();
  });

  it('are charged by a fork too; other tags take their place', async () => {
    const { polyphony } = await open();
    const scopes = [{ kind: 'user', id: 'ada' }] as const;
    const { runId } = await polyphony.run(asks, {}, { tags, scopes });
    await (await polyphony.runs.fork(runId, { from: 'then' })).result();
    expect(await tagged(polyphony)).toEqual({ 'feature=news': 3, 'team=red': 3 });
    await (await polyphony.runs.fork(runId, { from: 'then', tags: { team: 'blue' } })).result();
    expect(await tagged(polyphony)).toEqual({ 'feature=news': 3, 'team=red': 3, 'team=blue': 1 });
    const [users] = await polyphony.stores.ledger.totals('scope:user');
    expect(users).toMatchObject({ group: 'ada', attempts: 4 });
    await polyphony.close();
  });

  it('are no second scope where the caller gives the scope as well', async () => {
    const { polyphony, provider } = await open();
    const scope = { kind: 'tag', id: 'team=red', capNanoUsd: 9_000_000_000 } as const;
    await polyphony.run(asks, {}, { tags: { team: 'red' }, scopes: [scope] });
    const [first] = provider.seen;
    expect(first?.scopes.filter(({ kind }) => kind === 'tag')).toHaveLength(1);
    await polyphony.close();
  });

  it('hold a cap of the config', async () => {
    const { polyphony } = await open({
      config: { budgets: [{ scope: 'tag', id: 'team=red', usd: 0 }] },
    });
    await expect(polyphony.run(asks, {}, { tags })).rejects.toMatchObject({ code: 'budget-exceeded' });
    await expect(polyphony.run(outer, {}, { tags })).rejects.toMatchObject({ code: 'budget-exceeded' });
    await expect(polyphony.run(asks, {}, { tags: { team: 'blue' } })).resolves.toMatchObject({ status: 'done' });
    await polyphony.close();
  });

  it.each([
    [{ team: 3 }, '"team"'],
    [{ team: 'a\u0000b' }, '"team"'],
    ['red', '"red"'],
  ])('are refused where they are no texts: %j', async (wrong, named) => {
    const { polyphony } = await open();
    await expect(polyphony.run(asks, {}, { tags: wrong as never })).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining(named),
    });
    await polyphony.close();
  });
});

async function firstOf(polyphony: Polyphony, runId: string): Promise<unknown> {
  for await (const event of polyphony.runs.replay(runId)) return event;
  return undefined;
}
