/** A workflow's own schema of a person's answer is run like every other: it refuses when the answer is given, and converts once. */
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPolyphony, human, type Polyphony, type PolyphonyOptions, t, value, workflow } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider } from '../../src/testing/index.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
const opened: Polyphony[] = [];
afterEach(async () => {
  for (const polyphony of opened.splice(0)) await polyphony.close();
});
async function open(options: PolyphonyOptions = {}): Promise<Polyphony> {
  const polyphony = await createPolyphony({ defaults: false, providers: [fakeProvider({})], ...options });
  opened.push(polyphony);
  return polyphony;
}

/** Its type says nothing that the test reads. */
type AnySchema = z.ZodType<{ answer: string }>;

const asking = (id: string, out: z.ZodType) =>
  workflow({ id, input: { of: 'string' } })
    .node('ask', human, (c) => ({ in: { question: t`What is ${c.input.of}?` }, out: out as AnySchema }))
    .node('kept', value, (c) => ({ in: { all: c.ask } }))
    .output((c) => c.kept);

const cases = [
  ['a refinement', z.object({ answer: z.number().refine((n) => n % 2 === 0, 'is odd') }), 3, 'is odd', 4, 4],
  [
    'a format after a trim',
    z.object({ answer: z.string().trim().email() }),
    'me',
    'email',
    ' a@b.example ',
    'a@b.example',
  ],
  ['a coerced date', z.object({ answer: z.coerce.date() }), 'soon', 'date', '2026-02-03', '2026-02-03T00:00:00.000Z'],
  ['a strict object', z.strictObject({ answer: z.string().min(2).toUpperCase() }), 'x', '2', 'red', 'RED'],
  [
    'an async check',
    z.object({ answer: z.string().refine(async (name) => name !== 'taken', 'is taken') }),
    'taken',
    'is taken',
    'free',
    'free',
  ],
  ['a transform', z.object({ answer: z.number().transform((n) => n + 1) }), 'x', 'number', 1, 2],
] as const;

describe.each(cases)('%s in the "out" of a question', (name, out, wrong, reason, right, kept) => {
  const flow = asking('asking', out);
  const outer = workflow({ id: 'outer', input: { list: 'string[]' } })
    .map(
      'each',
      flow,
      (c) => c.input.list,
      (item) => ({ in: { of: item } }),
    )
    .output((c) => ({ all: c.each }));
  const refused = { code: 'invalid-request', message: expect.stringContaining(reason) };
  const expected = { all: { answer: kept, approved: false } };

  it('is run on the answer, in a suspended run and in one of another process', async () => {
    const path = join(folder, `${name}.db`);
    const first = await open({ stores: sqliteStores({ path }) });
    const { runId } = await first.run(flow, { of: 'x' });
    await expect(first.runs.answer(runId, 'ask', wrong)).rejects.toMatchObject(refused);
    await first.close();
    const other = await open({ stores: sqliteStores({ path }), workflows: [flow] });
    await expect(other.runs.answer(runId, 'ask', wrong)).rejects.toMatchObject(refused);
    const done = await (await other.runs.answer(runId, 'ask', right)).result();
    expect(done).toMatchObject({ status: 'done', output: expected });
    const fork = await other.runs.fork(runId, { from: 'kept' });
    expect(await fork.result()).toMatchObject({ status: 'done', output: expected });
  });

  it('is run where the node of a sub-workflow is answered, by item', async () => {
    const polyphony = await open();
    const { runId } = await polyphony.run(outer, { list: ['a', 'b'] });
    await expect(polyphony.runs.answer(runId, 'each', wrong, { item: 1 })).rejects.toMatchObject(refused);
    expect((await polyphony.runs.show(runId)).waiting).toHaveLength(2);
    await (await polyphony.runs.answer(runId, 'each', right, { item: 1 })).result();
    const done = await (await polyphony.runs.answer(runId, 'each', right, { item: 0 })).result();
    expect(done).toMatchObject({ status: 'done', output: { all: [expected, expected] } });
  });
});

it('asks again where a process without the workflow took an answer that does not fit', async () => {
  const path = join(folder, 'without.db');
  const flow = asking('even', z.object({ answer: z.number().refine((n) => n % 2 === 0, 'is odd') }));
  const first = await open({ stores: sqliteStores({ path }) });
  const { runId } = await first.run(flow, { of: 'x' });
  await first.close();
  const lacking = await open({ stores: sqliteStores({ path }) });
  await lacking.engine.answer(runId, 'ask', 3);
  await lacking.close();
  const other = await open({ stores: sqliteStores({ path }), workflows: [flow] });
  expect(await (await other.resume(runId)).result()).toMatchObject({
    status: 'suspended',
    waiting: [{ nodeId: 'ask' }],
  });
  const done = await (await other.runs.answer(runId, 'ask', 6)).result();
  expect(done).toMatchObject({ status: 'done', output: { all: { answer: 6 } } });
});

it('lets one of two answers count that are checked at the same time', async () => {
  const flow = asking('slow', z.object({ answer: z.string().refine(async () => true) }));
  const polyphony = await open();
  const { runId } = await polyphony.run(flow, { of: 'x' });
  const both = await Promise.allSettled(['one', 'two'].map((answer) => polyphony.engine.answer(runId, 'ask', answer)));
  expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const done = await (await polyphony.resume(runId)).result();
  expect(done).toMatchObject({ status: 'done', output: { all: { answer: 'one' } } });
});
