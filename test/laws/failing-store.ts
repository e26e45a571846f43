/** Stores of which one operation fails, and a run over them that can be begun in every way. */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import { searchTools } from '../../plugins/tools/files-search.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { PassageStore } from '../../src/core/stores/passages.ts';
import type { ThreadStore } from '../../src/core/stores/threads.ts';
import type {
  AttemptBook,
  KeyValueStore,
  OpenAttempt,
  RunJournal,
  Stores,
  UsageLedger,
} from '../../src/core/stores.ts';
import { createPolyphony, llm, type Plan, type Polyphony, workflow } from '../../src/index.ts';
import { type FakeProvider, type FakeRuntime, fakeCard, fakeProvider } from '../../src/testing/fakes.ts';

export interface Failure {
  /** The operation that fails, from 1 on; 0: none. */
  nth: number;
  readonly what: unknown;
  /** Every operation after it fails too. */
  readonly stays: boolean;
  /** It throws before it returns a promise. */
  readonly atOnce: boolean;
  count: number;
  /** What failed, such as `journal.append`. */
  failed: string | undefined;
  /** The run whose record failed. */
  runId: unknown;
}

type Kind = Pick<Failure, 'what' | 'atOnce'>;

/** Several of a kind take turns. */
export const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  full: [{ what: new PolyphonyError('store-full', 'The store is full: make room.'), atOnce: false }],
  'busy or corrupt': [
    { what: new PolyphonyError('store-busy', 'The store is locked: wait.'), atOnce: false },
    { what: new PolyphonyError('store-corrupt', 'The store is damaged: restore it.'), atOnce: false },
  ],
  foreign: [
    { what: new TypeError('x is not a function'), atOnce: false },
    { what: new RangeError('thrown at once'), atOnce: true },
    { what: undefined, atOnce: false },
    { what: 'a text', atOnce: true },
  ],
};

export const failureOf = (kind: string, nth: number, stays: boolean): Failure => {
  const kinds = KINDS[kind] ?? [];
  const { what, atOnce } = kinds[nth % kinds.length] ?? { what: undefined, atOnce: false };
  return { nth, what, atOnce, stays, count: 0, failed: undefined, runId: undefined };
};

function isDue(failure: Failure, name: string): boolean {
  failure.count += 1;
  if (failure.nth === 0 || failure.count < failure.nth || (failure.count > failure.nth && !failure.stays)) return false;
  failure.failed ??= name;
  return true;
}

/** The store with its operations counted; the one whose turn it is fails. */
function failing<T extends object>(store: T, name: string, failure: Failure): T {
  const wrapped: Record<string, unknown> = {};
  for (const [operation, work] of Object.entries(store)) {
    wrapped[operation] = (...given: unknown[]): unknown => {
      if (operation === 'read' || operation === 'rows') return failingEvents(work.apply(store, given), name, failure);
      if (!isDue(failure, `${name}.${operation}`)) return work.apply(store, given);
      failure.runId ??= given[0];
      if (failure.atOnce) throw failure.what;
      return Promise.reject(failure.what);
    };
  }
  return wrapped as T;
}

/** Each event is an operation of its own. */
async function* failingEvents<T>(events: AsyncIterable<T>, name: string, failure: Failure): AsyncGenerator<T> {
  if (isDue(failure, `${name}.read`)) throw failure.what;
  for await (const event of events) {
    yield event;
    if (isDue(failure, `${name}.read`)) throw failure.what;
  }
}

export function failingStores(stores: Stores, failure: Failure): Stores {
  const close = failing({ close: () => stores.close() }, 'stores', failure).close;
  const keyValue = failing<KeyValueStore>(stores.keyValue, 'keyValue', failure);
  const ledger = failing<UsageLedger>(stores.ledger, 'ledger', failure);
  return {
    journal: failing<RunJournal>(stores.journal, 'journal', failure),
    keyValue,
    ledger,
    ...(stores.attempts === undefined ? {} : { attempts: failingBook(stores.attempts, failure, { keyValue, ledger }) }),
    ...(stores.threads === undefined ? {} : { threads: failing<ThreadStore>(stores.threads, 'threads', failure) }),
    ...(stores.passages === undefined ? {} : { passages: failing<PassageStore>(stores.passages, 'passages', failure) }),
    close,
  };
}

/** A book counts only together with the stores that it writes. */
function failingBook(
  { open, recover }: AttemptBook,
  failure: Failure,
  stores: Pick<AttemptBook, 'keyValue' | 'ledger'>,
): AttemptBook {
  const book = failing({ open, recover }, 'attempts', failure);
  return {
    ...stores,
    recover: book.recover,
    async open(given) {
      const opened = await book.open(given);
      return opened.ok ? { ok: true, attempt: failing<OpenAttempt>(opened.attempt, 'attempt', failure) } : opened;
    },
  };
}

export const ANSWER = 'The ferry leaves at nine.';

/** Two paid nodes, one with a thread and one nested, passages, items, a question, and a node behind it. */
export const plan: Plan = {
  version: 1,
  input: { items: 'integer[]' },
  nodes: [
    { id: 'first', use: 'llm', in: { prompt: 'When does the ferry leave?' }, thread: 'talk' },
    { id: 'kept', use: 'tool:index', in: { index: 'notes', documents: [{ id: 'a', text: 'The sea is deep.' }] } },
    { id: 'found', use: 'tool:search', in: { index: '{{kept.index}}', query: 'sea' } },
    { id: 'items', use: 'value', each: '{{input.items}}', in: { item: '{{item}}' } },
    { id: 'nested', use: 'workflow:inner', in: {} },
    { id: 'ask', use: 'human', in: { question: 'Shall I go on?' }, needs: ['first', 'items', 'nested', 'found'] },
    { id: 'last', use: 'llm', in: { prompt: '{{ask.answer}}' } },
  ],
  output: '{{last}}',
};

const inner = workflow({ id: 'inner', goal: 'Say how deep the sea is', input: z.object({}) })
  .node('deep', llm, () => ({ in: { prompt: 'How deep is the sea?' } }))
  .output((c) => ({ text: c.deep.text }));

const planner = JSON.stringify(plan);

export interface Opened {
  readonly polyphony: Polyphony;
  readonly provider: FakeProvider;
  /** All events that plugins were shown, of all runs. */
  readonly shown: RunEvent[];
}

export async function open(stores: Stores, runtime: FakeRuntime): Promise<Opened> {
  const shown: RunEvent[] = [];
  const provider = fakeProvider({
    runtime,
    models: [fakeCard({ id: 'one', capabilities: [...fakeCard({ id: 'one' }).capabilities, 'planning'] })],
    script: ({ purpose }) => (purpose === 'planner' ? planner : ANSWER),
  });
  const polyphony = await createPolyphony({
    providers: [provider],
    plugins: [{ name: 'reader', onEvent: (event) => void shown.push(event) }, searchTools()],
    workflows: [inner],
    defaults: false,
    runtime,
    stores,
    config: { budgets: [{ scope: 'run', usd: 1 }], allowUnpriced: true },
  });
  // Loads what runs need: that takes its time, and no clock tells it.
  await polyphony.validate(plan);
  return { polyphony, provider, shown };
}

/** Drives the clock until the work has settled. */
export async function through<T>({ clock }: FakeRuntime, work: Promise<T>): Promise<PromiseSettledResult<T>> {
  let settled: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([work]).then(([one]) => {
    settled = one;
  });
  // In small steps, each of which asks for a file too, because a file answers in its own time: what was asked before has an answer then.
  for (let turn = 0; turn < 30_000 && settled === undefined; turn += 1) {
    await clock.advance(1);
    if (settled === undefined) await stat(import.meta.filename);
  }
  if (settled === undefined) throw new Error('the work does not settle');
  return settled;
}
