/** Questions of nested runs are listed and answered by ids of their own, whoever drives the runs around them. */
import { describe, expect, it } from 'vitest';
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent, RunResult } from '../../src/core/run/engine.ts';
import { questionId, questionPlaces } from '../../src/core/run/question-id.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { deferred } from '../kit/loopback.ts';
import { setUp } from './run-node.ts';

/** A chapter asks for its title and, of each reader, for a note. */
const CHAPTER = validPlan({
  nodes: [
    { id: 'title', use: 'human', in: { question: 'Title of {{input.name}}?' } },
    { id: 'readers', use: 'human', each: '{{input.readers}}', in: { question: 'Note of {{item}}?' } },
  ],
  output: { title: '{{title.answer}}', notes: '{{readers}}' },
});
/** A book asks whether it is for sale, and has a chapter for each name. */
const BOOK = validPlan({
  nodes: [
    { id: 'sale', use: 'human', in: { question: 'For sale?', choices: ['yes', 'no'] } },
    {
      id: 'chapters',
      use: 'workflow:chapter',
      each: '{{input.names}}',
      in: { name: '{{item}}', readers: ['ann', 'ben'] },
    },
  ],
  output: { sold: '{{sale.approved}}', chapters: '{{chapters}}' },
});
const ALL = new Map<string, ValidPlan>([
  ['chapter', CHAPTER],
  ['book', BOOK],
]);
const NODE: PlanNode = { id: 'book', use: 'workflow:book', in: { names: ['one', 'two'] } };
const SHELF = validPlan({ nodes: [NODE], output: '{{book}}' });

const IDS = [
  'book/sale',
  ...[0, 1].flatMap((item) => ['title', 'readers[0]', 'readers[1]'].map((asked) => `book/chapters[${item}]/${asked}`)),
];
const answerTo = (id: string): string => (id.endsWith('sale') ? 'yes' : `to ${id}`);
const reply = (id: string): unknown => ({ answer: answerTo(id), approved: false });
const FINISHED = {
  sold: true,
  chapters: [0, 1].map((item) => ({
    title: answerTo(`book/chapters[${item}]/title`),
    notes: [0, 1].map((reader) => reply(`book/chapters[${item}]/readers[${reader}]`)),
  })),
};
const idsOf = (result: RunResult): readonly string[] => result.waiting?.map(({ id }) => id) ?? [];
const world = (journal = memoryStores().journal) => setUp([], { journal, workflows: (id) => ALL.get(id) });

describe('the id of a question', () => {
  it.each([
    ['review', [{ nodeId: 'review' }]],
    ['review[2]', [{ nodeId: 'review', item: 2 }]],
    ['a/b[0]/c', [{ nodeId: 'a' }, { nodeId: 'b', item: 0 }, { nodeId: 'c' }]],
  ])('%s names its places', (id, places) => {
    expect(questionPlaces(id)).toEqual(places);
    expect(places.map(questionId).join('/')).toBe(id);
  });

  it.each(['', '[1]', 'a[', 'a[]', 'a[-1]', 'a[1.5]', 'a[0x1]', `a[${'9'.repeat(40)}]`, 'a]'])(
    '%j names a node that there is not',
    (id) => {
      expect(questionPlaces(id)).toEqual([{ nodeId: id }]);
    },
  );
});

describe('answers to a node whose items are nested runs', () => {
  const COUNTER = validPlan({
    nodes: [{ id: 'stamp', use: 'human', in: { question: 'Stamp {{input.form}}?' } }],
    output: '{{stamp.answer}}',
  });
  const OFFICE = validPlan({
    nodes: [
      { id: 'pile', use: 'value', in: { forms: ['a', 'b', 'c'] } },
      { id: 'desk', use: 'workflow:counter', each: '{{pile.forms}}', in: { form: '{{item}}' } },
    ],
    output: '{{desk}}',
  });
  const BOOTH = validPlan({
    nodes: [{ id: 'desk', use: 'workflow:counter', in: { form: 'only' } }],
    output: '{{desk}}',
  });
  const office = () => setUp([], { journal: memoryStores().journal, workflows: () => COUNTER });
  const seen = (result: RunResult) => ({ status: result.status, output: result.output });

  it('reach the first that still asks, where they name no item', async () => {
    const { engine, ...rest } = office();
    const { runId } = await settled(rest, engine.start(OFFICE));
    await engine.answer(runId, 'desk', 'second', { item: 1 });
    await engine.answer(runId, 'desk', 'first');
    await engine.answer(runId, 'desk', 'third');
    await expect(engine.answer(runId, 'desk', 'fourth')).rejects.toMatchObject({ code: 'not-found' });
    const result = await settled(rest, await engine.resume(runId));
    expect(seen(result)).toEqual({ status: 'done', output: ['first', 'second', 'third'] });
  });

  it.each([['an item', OFFICE, { item: 0 }] as const, ['the node', BOOTH, {}] as const])(
    'are refused where %s was answered before',
    async (_name, plan, place) => {
      const { engine, ...rest } = office();
      const { runId } = await settled(rest, engine.start(plan));
      const given = await Promise.allSettled(['no', 'yes'].map((one) => engine.answer(runId, 'desk', one, place)));
      expect(given.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      const late = engine.answer(runId, 'desk', 'yes', place);
      await expect(late).rejects.toMatchObject({
        code: 'not-found',
        message: expect.stringContaining('already answered'),
      });
      for (const item of plan === OFFICE ? [1, 2] : []) await engine.answer(runId, 'desk', 'no', { item });
      const { output } = await settled(rest, await engine.resume(runId));
      expect([output].flat()).not.toContain('yes');
    },
  );
});

describe('questions of nested runs', () => {
  it('are all listed by the run around them, when it is suspended and whenever one looks', async () => {
    const { engine, ...rest } = world();
    const handle = engine.start(SHELF);
    const result = await settled(rest, handle);
    expect(result.status).toBe('suspended');
    expect([...idsOf(result)].sort()).toEqual([...IDS].sort());
    const seen = await engine.inspect(handle.runId);
    expect([...idsOf(seen)].sort()).toEqual([...IDS].sort());
    expect(seen.waiting?.every(({ nodeId }) => nodeId === 'book')).toBe(true);
    expect(seen.waiting?.find(({ id }) => id === 'book/chapters[1]/readers[0]')?.question).toBe('Note of ann?');
  });

  it.each([
    ['in their order', IDS],
    ['in another order', IDS.toReversed()],
  ])('are answered from its id, %s, one process each', async (_name, ids) => {
    const { journal } = memoryStores();
    const first = world(journal);
    const { runId } = await settled(first, first.engine.start(SHELF));
    for (const [at, id] of ids.entries()) {
      const { engine, ...rest } = world(journal);
      await engine.answer(runId, id, answerTo(id));
      const left = ids.slice(at + 1);
      expect([...idsOf(await engine.inspect(runId))].sort()).toEqual([...left].sort());
      await expect(engine.answer(runId, id, answerTo(id))).rejects.toMatchObject({ code: 'not-found' });
      const result = await settled(rest, await engine.resume(runId));
      expect([...idsOf(result)].sort()).toEqual([...left].sort());
      if (left.length === 0) expect(result).toMatchObject({ status: 'done', output: FINISHED });
    }
  });

  it('may all be answered before it goes on', async () => {
    const { engine, ...rest } = world();
    const { runId } = await settled(rest, engine.start(SHELF));
    await Promise.all(IDS.map((id) => engine.answer(runId, id, answerTo(id))));
    expect(await settled(rest, await engine.resume(runId))).toMatchObject({ status: 'done', output: FINISHED });
  });

  it('are refused where the answer does not fit, or nothing of that id asks', async () => {
    const { engine, ...rest } = world();
    const { runId } = await settled(rest, engine.start(SHELF));
    await expect(engine.answer(runId, 'book/sale', 'maybe')).rejects.toMatchObject({ code: 'invalid-request' });
    for (const id of ['book/chapters[2]/title', 'book/chapters[0]/none', 'none/sale', 'book/', '/'])
      await expect(engine.answer(runId, id, 'yes')).rejects.toMatchObject({ code: 'not-found' });
    await expect(engine.answer(runId, 'book/chapters[0]/readers[1]', 'x', { item: 0 })).rejects.toThrow('not waiting');
    expect(idsOf(await engine.inspect(runId)).length).toBe(IDS.length);
  });

  it('go on at once where the run around them is still driven', async () => {
    const gate = deferred();
    const slow: Tool = {
      name: 'slow',
      description: 'Waits.',
      input: {},
      run: async () => {
        await gate.promise;
        return 'over';
      },
    };
    const parts = { workflows: (id: string) => ALL.get(id), tools: new Map([['slow', slow]]) };
    const { engine, runtime } = setUp([], parts);
    const nodes: PlanNode[] = [NODE, { id: 'side', use: 'tool:slow' }];
    const handle = engine.start(validPlan({ nodes, output: '{{book}}' }));
    await runtime.clock.advance(1);
    expect(idsOf(await engine.inspect(handle.runId)).length).toBe(IDS.length);
    for (const id of IDS) {
      await engine.answer(handle.runId, id, answerTo(id));
      await runtime.clock.advance(1);
    }
    const { nodes: reports } = await engine.inspect(handle.runId);
    expect(reports[0]).toMatchObject({ id: 'book', state: 'done', output: FINISHED });
    gate.resolve();
    expect(await settled({ runtime }, handle)).toMatchObject({ status: 'done', output: FINISHED });
  });

  it('are taken from every prefix of the journals, and nobody is asked again', async () => {
    const { journal } = memoryStores();
    const first = world(journal);
    const { runId } = await settled(first, first.engine.start(SHELF));
    for (const id of IDS.slice(0, 4)) await first.engine.answer(runId, id, answerTo(id));
    await settled(first, await first.engine.resume(runId));
    const runs = await Promise.all(
      (await journal.list({ nested: true })).map(async (run) => [run.runId, await collected(journal.read(run.runId))]),
    );
    const events = Object.fromEntries(runs) as Record<string, RunEvent[]>;
    for (let cut = 2; cut < (events[runId]?.length ?? 0); cut += 1) {
      const copy = memoryStores().journal;
      for (const [id, all] of Object.entries(events)) await copy.append(id, id === runId ? all.slice(0, cut) : all);
      const { engine, ...rest } = world(copy);
      const half = await settled(rest, await engine.resume(runId));
      expect([...idsOf(half)].sort()).toEqual([...IDS.slice(4)].sort());
      for (const id of IDS.slice(4)) await engine.answer(runId, id, answerTo(id));
      expect(await settled(rest, await engine.resume(runId))).toMatchObject({ status: 'done', output: FINISHED });
    }
  });
});
