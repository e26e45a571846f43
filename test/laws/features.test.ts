/**
 * Laws of what a plan may say, for each of its features: from EVERY prefix of the records of a run and of those nested in it,
 *
 * 1. nothing that is recorded as done runs again: no answer of a model, no call of a tool, no undoing;
 * 2. what runs again has the key that it had, so that what it reaches can tell;
 * 3. the run ends as it would have, with the same output and the same cost,
 * 4. nobody is asked again about a call that was approved or refused.
 *
 * Threads have laws of their own, because they are kept outside the records: threads.test.ts.
 */
import { expect, it } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent, RunResult, WaitingQuestion } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider, fakeRuntime, finish } from '../../src/testing/fakes.ts';

const CALL_COST = 10 * 1000 + 5 * 2000;
const HOUR = 3600;
const RUN = 'law';

const SAY = {
  input: { text: 'string' },
  nodes: [
    { id: 'said', use: 'llm', in: { prompt: '{{input.text}}' } },
    { id: 'kept', use: 'tool:act', in: { what: '{{said.text}}' } },
  ],
  output: { text: '{{said.text}}', key: '{{kept.key}}' },
} as const;
const HOLD = {
  input: { text: 'string' },
  nodes: [
    { id: 'first', use: 'tool:act', in: { what: '{{input.text}}' } },
    { id: 'pause', use: 'wait', in: { seconds: HOUR }, needs: ['first'] },
    { id: 'then', use: 'workflow:say', in: { text: '{{input.text}}' }, needs: ['pause'] },
  ],
  output: '{{then}}',
} as const;
const act = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  ...{ id, use: 'tool:act', in: { what: id }, ...more },
});
const AGENT = {
  id: 'agent',
  use: 'llm',
  in: { prompt: 'use tools', tools: ['act', 'workflow:hold'], approve: ['act', 'workflow:hold'] },
} as const;
const LIST = { list: 'string[]' } as const;
const plan = (nodes: readonly PlanNode[], output: unknown, more: Partial<Plan> = {}): Plan => ({
  ...{ version: 1, input: LIST, nodes, output, ...more },
});

/** One plan for each feature, and some for what they are together. */
const PLANS: Readonly<Record<string, Plan>> = {
  'members in items': plan(
    [{ id: 'part', use: 'workflow:say', each: '{{input.list}}', in: { text: '{{item}}' } }],
    '{{part}}',
    { workflows: { say: SAY } },
  ),
  'members in rounds': plan(
    [
      {
        id: 'again',
        use: 'workflow:say',
        in: { text: "{{= prev == null ? 'a' : prev.text + 'x'}}" },
        repeat: { until: 'round >= 3', max: 4 },
      },
    ],
    '{{again}}',
    { workflows: { say: SAY } },
  ),
  'members of members that wait': plan(
    [{ id: 'part', use: 'workflow:hold', each: '{{input.list}}', in: { text: '{{item}}' } }],
    '{{part}}',
    { workflows: { say: SAY, hold: HOLD } },
  ),
  expressions: plan(
    [
      {
        id: 'long',
        use: 'value',
        in: { of: "{{= input.list.filter(one, one != 'x').map(one, one + one)}}", at: '{{= run.startedAt}}' },
      },
      { id: 'part', use: 'llm', each: '{{long.of}}', in: { prompt: '{{item}}' } },
      act('kept', { in: { what: '{{part}}' } }),
    ],
    { all: '{{= long.of + [kept.key]}}' },
  ),
  agents: plan([AGENT, act('after', { needs: ['agent'] })], ['{{agent.text}}', '{{after.key}}'], {
    workflows: { say: SAY, hold: HOLD },
  }),
  'agents in items': plan([{ ...AGENT, each: '{{input.list}}' }], '{{agent}}', {
    workflows: { say: SAY, hold: HOLD },
  }),
  'questions with deadlines': plan(
    [
      { id: 'ask', use: 'human', each: '{{input.list}}', in: { question: '{{item}}?' } },
      {
        id: 'late',
        use: 'human',
        in: { question: 'nobody answers' },
        limits: { seconds: HOUR },
        onError: { value: { answer: 'no', approved: false } },
        needs: ['ask'],
      },
      act('after', { needs: ['late'] }),
    ],
    ['{{ask}}', '{{late}}', '{{after.key}}'],
  ),
  waiting: plan(
    [
      act('before'),
      { id: 'seconds', use: 'wait', each: '{{input.list}}', in: { seconds: HOUR }, needs: ['before'] },
      { id: 'event', use: 'wait', in: { event: 'paid', match: { order: 'a' } }, needs: ['before'] },
      act('after', { needs: ['seconds', 'event'] }),
    ],
    ['{{before.key}}', '{{after.key}}', '{{event.payload.order}}'],
  ),
  'errors that are kept, and undoing': plan(
    [
      act('one', { undo: 'tool:back', each: '{{input.list}}' }),
      act('two', { undo: { use: 'tool:back', in: { what: '{{self.key}}' } }, needs: ['one'] }),
      { id: 'kept', use: 'tool:fails', in: {}, onError: { keep: true }, needs: ['two'] },
      { id: 'fails', use: 'tool:fails', in: {}, needs: ['kept'] },
    ],
    '{{fails}}',
  ),
  'undoing of a member': plan(
    [
      { id: 'part', use: 'workflow:say', in: { text: 'p' }, undo: { use: 'tool:back', in: { what: '{{self.key}}' } } },
      { id: 'fails', use: 'tool:fails', in: {}, needs: ['part'] },
    ],
    '{{fails}}',
    { workflows: { say: SAY } },
  ),
  'an early end': plan(
    [
      act('one'),
      { id: 'said', use: 'llm', in: { prompt: '{{one.key}}' } },
      { id: 'sold', use: 'value', when: "said.text != ''", in: { at: '{{said.text}}' }, finish: true },
      act('never', { needs: ['sold'] }),
    ],
    '{{never.key}}',
  ),
};

interface World {
  readonly polyphony: Polyphony;
  readonly runtime: ReturnType<typeof fakeRuntime>;
  /** The keys of calls of tools. */
  readonly ran: string[];
  readonly asked: () => number;
  /** The keys of the calls that people were asked about. */
  readonly questions: string[];
}

async function worldOf(journal: RunJournal): Promise<World> {
  const runtime = fakeRuntime();
  const ran: string[] = [];
  const tool = (name: string, fails = false): Tool => ({
    name,
    description: 'For tests.',
    input: {},
    output: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
    run: async (_input, { idempotencyKey }) => {
      ran.push(idempotencyKey);
      if (fails) throw new Error('out of order');
      return { key: idempotencyKey };
    },
  });
  const provider = fakeProvider({
    script({ request }) {
      const messages = request.operation === 'chat' ? request.messages : [];
      const rounds = messages.filter(({ role }) => role === 'assistant').length;
      if (!JSON.stringify(messages).includes('use tools') || rounds > 1) return `said ${messages.length}`;
      return [...callsOf(rounds), finish({ reason: 'tool-calls' })];
    },
  });
  const polyphony = await createPolyphony({
    plugins: [{ name: 'law', tools: [tool('act'), tool('back'), tool('fails', true)] }],
    defaults: false,
    providers: [provider],
    stores: { ...memoryStores({ clock: runtime.clock }), journal },
    runtime,
  });
  return { polyphony, runtime, ran, asked: () => provider.seen.length, questions: [] };
}

function callsOf(round: number): ModelEvent[] {
  const called: readonly (readonly [string, object])[] =
    round === 0
      ? [
          ['act', { what: 'x' }],
          ['workflow:hold', { text: 'y' }],
        ]
      : [['act', { what: 'refuse me' }]];
  return called.map(([name, given], index) => ({
    type: 'tool-call',
    call: { type: 'tool-call', id: `c${round}${index}`, name, arguments: given as never },
  }));
}

async function settledBy({ runtime }: World, work: Promise<RunResult>): Promise<RunResult> {
  let result: RunResult | undefined;
  void work.then((value) => {
    result = value;
  });
  for (let turn = 0; turn < 5000 && result === undefined; turn += 1) await runtime.clock.runAll(1);
  return result ?? work;
}

const answerTo = ({ data }: WaitingQuestion): string => (JSON.stringify(data ?? '').includes('refuse') ? 'no' : 'yes');

/** Everything that the run waits for comes, one after the other. */
async function toItsEnd(world: World, first: RunResult): Promise<RunResult> {
  const { polyphony, runtime } = world;
  let result = first;
  for (let turn = 0; turn < 40 && result.status === 'suspended'; turn += 1) {
    const waiting = result.waiting ?? [];
    const person = waiting.find(({ wait, question }) => wait === undefined && question !== 'nobody answers');
    if (person?.origin?.includes('/tool/') === true) world.questions.push(person.origin);
    if (person !== undefined) await polyphony.engine.answer(RUN, person.id, answerTo(person));
    else if (waiting.some(({ wait }) => wait !== undefined && 'event' in wait))
      await polyphony.engine.event?.('paid', { order: 'a' });
    else await runtime.clock.advance(HOUR * 1000);
    result = await settledBy(world, resumed(world));
  }
  return result;
}

async function resumed({ polyphony }: World): Promise<RunResult> {
  const known = await polyphony.engine.inspect(RUN);
  // The alarm of the process may have brought it to its end already.
  if (known.status !== 'suspended' && known.status !== 'interrupted' && known.status !== 'running') return known;
  return (await polyphony.resume(RUN)).result();
}

interface Written {
  readonly runId: string;
  readonly event: RunEvent;
}

/** The keys of all that the records tell as done. */
function doneIn(written: readonly Written[]): ReadonlySet<string> {
  const done = new Set<string>();
  for (const { runId, event } of written) {
    if (event.type === 'node-finished') done.add(`${runId}/${event.nodeId}`);
    if (event.type === 'item-finished') done.add(`${runId}/${event.nodeId}/${event.item}`);
    const place = 'nodeId' in event && 'item' in event && event.item !== undefined ? `/${event.item}` : '';
    if (event.type === 'node-undone') done.add(`${runId}/${event.nodeId}${place}/undo`);
    if (event.type === 'tool-call' && event.error === undefined)
      done.add(`${runId}/${event.nodeId}${place}/tool/${event.round - 1}.${event.index}`);
  }
  return done;
}

/** The calls that somebody has decided about. */
function decidedIn(written: readonly Written[]): ReadonlySet<string> {
  const asked = new Map<string, string | undefined>();
  const decided = new Set<string>();
  for (const { runId, event } of written) {
    if (event.type !== 'node-suspended' && event.type !== 'answer') continue;
    const place = `${runId}/${event.nodeId}/${event.item ?? ''}`;
    if (event.type === 'node-suspended') asked.set(place, event.question.origin);
    else decided.add(asked.get(place) ?? '');
  }
  return decided;
}

async function whole(given: Plan) {
  const stores = memoryStores();
  const written: Written[] = [];
  const append: RunJournal['append'] = async (runId, events) => {
    for (const event of events) written.push({ runId, event });
    await stores.journal.append(runId, events);
  };
  const world = await worldOf({ ...stores.journal, append });
  const handle = await world.polyphony.start(given, { list: ['a', 'b'] }, { runId: RUN });
  const result = await toItsEnd(world, await settledBy(world, handle.result()));
  await world.polyphony.close();
  return { world, result, written };
}

it.each(Object.keys(PLANS))('repeats nothing, wherever it is cut off: %s', { timeout: 60_000 }, async (name) => {
  const { world, result, written } = await whole(PLANS[name] as Plan);
  expect(['done', 'failed']).toContain(result.status);
  expect(new Set(world.ran).size).toBe(world.ran.length);
  expect(result.costNanoUsd).toBe(world.asked() * CALL_COST);
  for (let length = 1; length < written.length; length += 1) {
    const prefix = written.slice(0, length);
    if (prefix.some(({ runId, event }) => runId === RUN && isEnd(event))) break;
    const { journal } = memoryStores();
    for (const { runId, event } of prefix) await journal.append(runId, [event]);
    const again = await worldOf(journal);
    const ended = await toItsEnd(again, await settledBy(again, resumed(again)));
    const where = `after ${length} of ${written.length} records, the last a ${prefix.at(-1)?.event.type}`;
    expect({ status: ended.status, cost: ended.costNanoUsd }, where).toEqual({
      status: result.status,
      cost: result.costNanoUsd,
    });
    expect(timeless(ended.output), where).toEqual(timeless(result.output));
    const done = doneIn(prefix);
    expect(
      again.ran.filter((key) => done.has(key)),
      where,
    ).toEqual([]);
    const decided = decidedIn(prefix);
    expect(
      again.questions.filter((key) => decided.has(key)),
      where,
    ).toEqual([]);
    // A node that failed for good runs again under another key, which ends in the number of its failures.
    const known = again.ran.filter((key) => !key.includes('~'));
    expect(
      known.filter((key) => !world.ran.includes(key)),
      where,
    ).toEqual([]);
    expect(new Set(again.ran).size, where).toBe(again.ran.length);
    await again.polyphony.close();
  }
});

const isEnd = ({ type }: RunEvent): boolean =>
  type === 'run-finished' || type === 'run-failed' || type === 'run-cancelled';

/** Moments differ, because what goes on does so later. */
const timeless = (output: unknown): string =>
  JSON.stringify(output ?? null).replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a moment');
