/**
 * The law of a program's own schemas: a schema of zod is run once, where its value enters; what it gives is kept as JSON, and a
 * run that goes on, a fork and a replay have that and run nothing again.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import { z as z3 } from 'zod3';
import { createPolyphony, type Polyphony, type PolyphonyOptions } from '../../src/polyphony.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';
import { defineStep, human, llm, t, value, workflow } from '../../src/workflow/index.ts';
import { collected } from '../executor/harness.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
const open = (more: PolyphonyOptions = {}): Promise<Polyphony> => createPolyphony({ defaults: false, ...more });
const answering = (...answers: readonly string[]) => {
  let asked = 0;
  return fakeProvider({ script: () => answers[Math.min(asked++, answers.length - 1)] ?? '' });
};

/** One more at each run, so that a second run shows. */
const next = z.object({ n: z.number().transform((n) => n + 1) });

describe('a schema is run once', () => {
  const up = defineStep({
    name: 'up',
    input: z.object({ n: z.coerce.number() }),
    output: next,
    run: ({ n }) => ({ n: n * 10 }),
  });
  const inner = workflow({ id: 'inner', input: next })
    .node('first', up, (c) => ({ in: { n: c.input.n } }))
    .node('ask', human, (c) => ({ in: { question: t`Is ${c.first.n} right?` } }))
    .output((c) => ({ n: c.first.n, asked: c.ask.approved }));
  const outer = workflow({ id: 'outer', input: next })
    .node('before', llm, (c) => ({ in: { prompt: t`${c.input.n}` }, out: next }))
    .node('nested', inner, (c) => ({ in: { n: c.before.n } }))
    .node('after', up, (c) => ({ in: { n: c.nested.n } }))
    .output((c) => ({ given: c.input.n, answered: c.before.n, nested: c.nested.n, after: c.after.n }));
  const EXPECTED = { given: 2, answered: 41, nested: 421, after: 4211 };

  it('also when a run is suspended, goes on in another process, is forked and replayed', async () => {
    const path = join(folder, 'once.db');
    const world = () => ({ providers: [answering('{"n":40}')], stores: sqliteStores({ path }), workflows: [outer] });
    const first = await open(world());
    const asked = await first.run(outer, { n: 1 });
    expect(asked.status).toBe('suspended');
    await first.close();

    const other = await open(world());
    const done = await (await other.runs.answer(asked.runId, 'nested', 'yes')).result();
    expect(done).toMatchObject({ status: 'done', output: EXPECTED });
    const events = await collected(other.runs.replay(asked.runId));
    expect(events[0]).toMatchObject({ type: 'run-started', input: { n: 2 } });
    const fork = await other.runs.fork(asked.runId, { from: 'after' });
    expect(await fork.result()).toMatchObject({ status: 'done', output: EXPECTED });
    expect((await collected(other.runs.replay(fork.runId)))[0]).toMatchObject({ input: { n: 2 } });
    await other.close();
  });

  it('on the new input of a fork too', async () => {
    const echo = workflow({ id: 'echo', input: next })
      .node('a', value, (c) => ({ in: { n: c.input.n } }))
      .output((c) => ({ n: c.input.n }));
    const polyphony = await open();
    const { runId, output } = await polyphony.run(echo, { n: 1 });
    expect(output).toEqual({ n: 2 });
    const fork = await polyphony.runs.fork(runId, { from: 'a', input: { n: 5 } });
    expect((await fork.result()).output).toEqual({ n: 6 });
    const wrong = polyphony.runs.fork(runId, { from: 'a', input: { n: 'five' } });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-request', message: expect.stringContaining('/n ') });
    await polyphony.close();
  });

  it('for each item and each round by itself', async () => {
    const each = workflow({ id: 'each', input: z.object({ list: z.array(z.number()) }) })
      .map(
        'many',
        up,
        (c) => c.input.list,
        (n) => ({ in: { n } }),
      )
      .output((c) => c.many);
    const polyphony = await open();
    expect((await polyphony.run(each, { list: [1, 2] })).output).toEqual([{ n: 11 }, { n: 21 }]);
    await polyphony.close();
  });
});

describe.each([
  [
    'zod 4',
    z.object({
      name: z
        .string()
        .trim()
        .refine((name) => name.length > 1, 'is too short'),
      size: z.number().default(3),
    }),
  ],
  [
    'zod 3',
    z3.object({
      name: z3
        .string()
        .trim()
        .refine((name) => name.length > 1, 'is too short'),
      size: z3.number().default(3),
    }),
  ],
  [
    'the small zod',
    mini.object({
      name: mini.string().check(
        mini.trim(),
        mini.refine((name: string) => name.length > 1, 'is too short'),
      ),
      size: mini._default(mini.number(), 3),
    }),
  ],
] as const)('%s', (_name, schema) => {
  const GOOD = { name: ' Alma ', extra: true };
  const READ = { name: 'Alma', size: 3 };
  const BAD = { name: ' A ' };
  const saying = (given: unknown) => {
    const seen: unknown[] = [];
    const step = defineStep({
      name: 'look',
      input: schema as unknown as { name: 'string' },
      output: { ok: 'boolean' },
      run: (input) => {
        seen.push(input);
        return { ok: true };
      },
    });
    const flow = workflow({ id: 'flow' })
      .node('a', step, () => ({ in: given as { name: string } }))
      .output((c) => ({ ok: c.a.ok }));
    return { seen, flow };
  };

  it('acts on what a step gets and returns', async () => {
    const polyphony = await open();
    const good = saying({ name: GOOD.name });
    await polyphony.run(good.flow, {});
    expect(good.seen).toEqual([READ]);
    await polyphony.close();

    const other = await open();
    await expect(other.run(saying(BAD).flow, {})).rejects.toMatchObject({
      code: 'invalid-output',
      message: expect.stringContaining('/name is too short'),
    });
    const giving = (id: string, given: object) => {
      const make = defineStep({
        name: id,
        input: {},
        output: schema as unknown as { name: 'string' },
        run: () => given as { name: string },
      });
      return workflow({ id })
        .node('a', make, () => ({ in: {} }))
        .output((c) => c.a);
    };
    expect((await other.run(giving('good', GOOD), {})).output).toEqual(READ);
    await expect(other.run(giving('bad', BAD), {})).rejects.toThrow(/output of step "bad".*\/name is too short/);
    await other.close();
  });

  it('acts on the input of a workflow, from a caller and from a node', async () => {
    const taking = workflow({ id: 'taking', input: schema as unknown as { name: 'string' } })
      .node('a', value, (c) => ({ in: { all: c.input } }))
      .output((c) => c.a);
    const outer = workflow({ id: 'outer', input: { given: 'any' } })
      .node('w', taking, (c) => ({ in: c.input.given as unknown as { name: string } }))
      .output((c) => c.w);
    const polyphony = await open({ providers: [answering('fine')] });
    expect((await polyphony.run(taking, GOOD)).output).toEqual({ all: READ });
    await expect(polyphony.run(taking, BAD)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('/name is too short'),
    });
    const nested = (given: object) =>
      polyphony.run({
        version: 1,
        nodes: [{ id: 'w', use: 'workflow:taking', in: given as Record<string, unknown> }],
        output: '{{w}}',
      });
    expect(await nested({ name: ' Alma ' })).toMatchObject({ output: { all: READ } });
    await expect(nested(BAD)).rejects.toMatchObject({ code: 'invalid-request' });
    expect(outer.workflows).toEqual([taking]);
    await polyphony.close();
  });

  it('acts on the answer of a node, which is asked for again with what is wrong', async () => {
    const flow = workflow({ id: 'flow' })
      .node('a', llm, () => ({ in: { prompt: 'a boat' }, out: schema as unknown as { name: 'string' } }))
      .output((c) => c.a);
    const provider = answering(JSON.stringify(BAD), JSON.stringify(GOOD));
    const polyphony = await open({ providers: [provider] });
    expect((await polyphony.run(flow, {})).output).toEqual(READ);
    expect(provider.seen).toHaveLength(2);
    expect(JSON.stringify(provider.seen[1]?.request)).toContain('is too short');
    await polyphony.close();
    const never = await open({ providers: [answering(JSON.stringify(BAD))] });
    await expect(never.run(flow, {})).rejects.toMatchObject({ code: 'invalid-output' });
    await never.close();
  });

  it('acts on what a tool gets and returns, called by a plan and by a model', async () => {
    const seen: unknown[] = [];
    const run = async (input: unknown) => {
      seen.push(input);
      return GOOD;
    };
    const tools = [{ name: 'boat', description: 'A boat.', input: schema, output: schema, run }];
    let asked = 0;
    const call = { type: 'tool-call', id: 'c', name: 'boat', arguments: { name: ' Alma ' } } as const;
    const provider = fakeProvider({
      models: [fakeCard({ id: 'one', capabilities: ['text', 'tools', 'streaming'] })],
      script: () =>
        asked++ > 0
          ? 'fine'
          : [
              { type: 'tool-call', call },
              { type: 'finish', reason: 'tool-calls', usage: { input: 1, output: 1 } },
            ],
    });
    const polyphony = await open({ plugins: [{ name: 'boats', tools }], providers: [provider] });
    const planned = (given: object) =>
      polyphony.run({
        version: 1,
        nodes: [{ id: 'a', use: 'tool:boat', in: given as Record<string, unknown> }],
        output: '{{a}}',
      });
    expect(await planned({ name: ' Alma ' })).toMatchObject({ output: READ });
    await expect(planned(BAD)).rejects.toThrow(/input of tool boat .*is too short/);
    expect(
      await polyphony.run({
        version: 1,
        nodes: [{ id: 'a', use: 'llm', in: { prompt: 'go', tools: ['boat'] } }],
        output: '{{a.text}}',
      }),
    ).toMatchObject({ output: 'fine' });
    // Between the tags that mark what a tool gave.
    const inRequest = JSON.stringify(JSON.stringify(READ)).slice(1, -1);
    expect(JSON.stringify(provider.seen[1]?.request)).toContain(inRequest);
    expect(seen).toEqual([READ, READ]);
    expect(polyphony.catalogue().steps.get('tool:boat')).toMatchObject({
      input: { type: 'object' },
      output: { type: 'object' },
    });
    await polyphony.close();
  });
});
