/**
 * A revised plan and the steps that have ended: for each way in which a planner may write the plan anew, how often each of
 * them runs.
 */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const BOOK: PlanNode = { id: 'book', use: 'tool:book', in: { room: '{{find.room}}', nights: 2 } };
const FIND: PlanNode = { id: 'find', use: 'tool:find', in: { town: 'Oslo' } };
const NOTE: PlanNode = { id: 'note', use: 'tool:note', in: { text: 'kept' } };
const FAILS: PlanNode = { id: 'tell', use: 'tool:fails', needs: ['book'], onError: 'replan' };
const GOES: PlanNode = { id: 'tell', use: 'tool:goes', needs: ['book'] };
const FIRST: Plan = { version: 1, nodes: [FIND, NOTE, BOOK, FAILS], output: '{{tell.said}}' };

const planOf = (...nodes: PlanNode[]): Plan => ({ version: 1, nodes, output: `{{${nodes.at(-1)?.id}.said}}` });
const renamed = (node: PlanNode, id: string, more: Partial<PlanNode> = {}): PlanNode => ({ ...node, id, ...more });

/** A polyphony whose planner gives the revised plans in turn, and whose tools keep what they were called with. */
async function world(revised: readonly Plan[], stores = memoryStores()) {
  const ran: string[] = [];
  let turn = 0;
  const tool = (name: string, more: Partial<Tool>, answer: (input: never) => unknown): Tool => ({
    name,
    description: 'For tests.',
    input: { type: 'object' },
    output: { type: 'object' },
    ...more,
    run: async (input, { idempotencyKey }) => {
      ran.push(name + idempotencyKey.replace(/^[^/]*/, ''));
      return answer(input as never);
    },
  });
  const refuse = (): never => {
    throw new Error('the line is dead');
  };
  const tools = [
    tool('find', { sideEffects: false }, () => ({ room: 7 })),
    tool('note', {}, () => ({ done: true })),
    tool('book', { sideEffects: true }, () => ({ number: 'B1' })),
    tool('pay', { sideEffects: true }, ({ item }: { item: number }) => (item > 2 ? refuse() : { paid: item })),
    tool('fails', {}, refuse),
    tool('goes', {}, () => ({ said: true })),
  ];
  const provider = fakeProvider({
    models: [fakeCard({ id: 'planner', capabilities: ['text', 'streaming', 'json-mode', 'planning'] })],
    script: ({ purpose }) => {
      if (purpose !== 'planner') return [{ fail: new PolyphonyError('unsupported', 'it only plans') }];
      const plan = revised[Math.min(turn, revised.length - 1)];
      turn += 1;
      return JSON.stringify(plan);
    },
  });
  const plugins = [{ name: 'world', providers: [provider], tools }];
  return { ran, polyphony: await createPolyphony({ plugins, stores }) };
}

async function rerun(first: Plan, ...revised: readonly Plan[]) {
  const { ran, polyphony } = await world(revised);
  const handle = await polyphony.start(first);
  const result = await handle.result();
  const events = [];
  for await (const event of polyphony.runs.replay(handle.runId)) events.push(event);
  await polyphony.close();
  return { ran, result, events, count: (name: string) => ran.filter((key) => key.startsWith(name)).length };
}

const CASES: Readonly<Record<string, Plan>> = {
  'the same': planOf(FIND, NOTE, BOOK, GOES),
  'with a limit': planOf(FIND, NOTE, { ...BOOK, limits: { seconds: 9 } }, GOES),
  'with another order of fields and blanks in a reference': planOf(
    FIND,
    NOTE,
    { ...BOOK, in: { nights: 2.0, room: '{{ find.room }}' } },
    GOES,
  ),
  'with a rule for failures': planOf(FIND, NOTE, { ...BOOK, onError: 'skip' }, GOES),
  'under another name': planOf(FIND, NOTE, renamed(BOOK, 'reserve'), { ...GOES, needs: ['reserve'] }),
  'under another name, after a node of another name': planOf(
    renamed(FIND, 'search'),
    NOTE,
    renamed(BOOK, 'reserve', { in: { room: '{{search.room}}', nights: 2 } }),
    { ...GOES, needs: ['reserve'] },
  ),
  'a second time under another name': planOf(FIND, NOTE, BOOK, renamed(BOOK, 'again'), { ...GOES, needs: ['again'] }),
  'with another input': planOf(FIND, NOTE, { ...BOOK, in: { room: 9, nights: 3 } }, GOES),
  'not at all': planOf(NOTE, { ...GOES, needs: ['note'] }),
};

describe('a step with side effects that has ended', () => {
  it.each(Object.entries(CASES))('runs once when the revised plan has it %s', async (_name, revised) => {
    const { result, count } = await rerun(FIRST, revised);
    expect(result).toMatchObject({ status: 'done', output: true });
    expect(count('book')).toBe(1);
    expect(count('find')).toBe(1);
    expect(count('note')).toBe(1);
  });

  it('is put back into the plan as it ran, and is so in the journal', async () => {
    const { events } = await rerun(FIRST, CASES['with another input'] as Plan);
    const revised = events.find((event) => event.type === 'plan-revised');
    expect(revised).toMatchObject({ kept: { book: 'book' } });
    expect(revised?.type === 'plan-revised' && revised.plan.nodes.find(({ id }) => id === 'book')?.in).toEqual(BOOK.in);
  });

  it('does not run again when a first revision drops it and a second one has it again', async () => {
    const dropped = planOf(NOTE, { ...FAILS, id: 'call', needs: ['note'] });
    const { result, count } = await rerun(
      FIRST,
      dropped,
      planOf(FIND, NOTE, renamed(BOOK, 'reserve'), { ...GOES, needs: ['reserve'] }),
    );
    expect(result.status).toBe('done');
    expect(count('book')).toBe(1);
  });

  it('keeps the items that have ended when the node fails as a whole', async () => {
    const pay: PlanNode = {
      id: 'pay',
      use: 'tool:pay',
      in: { item: '{{item}}' },
      each: '{{input.n}}',
      onError: 'replan',
    };
    const first: Plan = { version: 1, input: { n: 'integer[]' }, nodes: [{ ...pay, limits: { concurrency: 1 } }] };
    const revised: Plan = { ...first, nodes: [{ ...pay, onError: 'skip' }] };
    const { ran, polyphony } = await world([revised]);
    const result = await polyphony.run(first, { n: [1, 2, 3] });
    await polyphony.close();
    expect(result.status).toBe('done');
    expect(ran.filter((key) => /\/[01]$/.test(key))).toHaveLength(2);
  });

  it('is gone on with after a process that died behind the revision', async () => {
    const stores = memoryStores();
    const one = await world([CASES['under another name'] as Plan], stores);
    const handle = await one.polyphony.start(FIRST);
    await handle.result();
    const records = [];
    for await (const event of stores.journal.read(handle.runId)) records.push(event);
    const at = records.findIndex(({ type }) => type === 'plan-revised');
    const cut = memoryStores();
    await cut.journal.append(handle.runId, records.slice(0, at + 1));
    const two = await world([], cut);
    const resumed = await (await two.polyphony.resume(handle.runId)).result();
    expect(resumed).toMatchObject({ status: 'done', output: true });
    expect(two.ran).toEqual(['goes/tell~1']);
    await Promise.all([one.polyphony.close(), two.polyphony.close()]);
  });
});

describe('a step without side effects', () => {
  it('runs again where the revised plan changes it', async () => {
    const changed = planOf({ ...FIND, in: { town: 'Bergen' } }, NOTE, BOOK, { ...GOES, needs: ['book', 'find'] });
    const { count } = await rerun(FIRST, changed);
    expect(count('find')).toBe(2);
    expect(count('book')).toBe(1);
  });

  it('runs again where it may have some, but is given another input', async () => {
    const { count } = await rerun(FIRST, planOf(FIND, { ...NOTE, in: { text: 'other' } }, BOOK, GOES));
    expect(count('note')).toBe(2);
  });
});
