/** What the stores cost a call: microseconds a ledger row, a journal record, a change of counters, a listing of runs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../../src/core/run/engine.ts';
import type { Passage } from '../../src/core/stores/passages.ts';
import type { LedgerRow, Stores } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { ledgerRow } from '../../src/testing/index.ts';
import type { Measurement } from './measurement.ts';

export interface StoreFigure {
  readonly store: 'memory' | 'sqlite';
  readonly what: string;
  /** Microseconds an operation, the median of five rounds. */
  readonly microseconds: number;
}

const ROUNDS = 5;

async function median(operations: number, work: (round: number) => Promise<void>): Promise<number> {
  const figures: number[] = [];
  // The first round warms up and is not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    await work(round);
    if (round > 0) figures.push(((performance.now() - start) * 1000) / operations);
  }
  return figures.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
}

const scopesOf = (index: number): LedgerRow['scopes'] => [
  { kind: 'run', id: `run ${index % 500}` },
  { kind: 'user', id: `user ${index % 100}` },
  { kind: 'tenant', id: 'one' },
];

const rowOf = (index: number, scopes: LedgerRow['scopes'] = []): LedgerRow =>
  ledgerRow({ key: `call_${index}/1`, startedAt: 1_700_000_000_000 + index, scopes });

function eventOf(runId: string, seq: number): RunEvent {
  const meta = { model: 'small', provider: 'acme', costUsd: 0.000001, ms: 12, warnings: [] };
  const result = { output: { text: 'x'.repeat(300) }, meta, usage: { input: 100, output: 10 }, costNanoUsd: 1000 };
  return { type: 'node-finished', seq, at: 1_700_000_000_000 + seq, runId, nodeId: 'node', result };
}

type Figures = [what: string, microseconds: number][];

async function ledgerFigures({ ledger }: Stores): Promise<Figures> {
  let next = 0;
  const grouped = (count: number, scopes: (index: number) => LedgerRow['scopes']) => async (): Promise<void> => {
    for (let index = 0; index < count; index++) await ledger.append([rowOf(next, scopes(next++))]);
    await ledger.flush();
  };
  const alone = async (): Promise<void> => {
    for (let index = 0; index < 500; index++) {
      ledger.append([rowOf(next++)]);
      await ledger.flush();
    }
  };
  return [
    [
      'ledger row, in groups',
      await median(
        5000,
        grouped(5000, () => []),
      ),
    ],
    ['ledger row with 3 scopes, in groups', await median(5000, grouped(5000, scopesOf))],
    ['ledger row, flushed one by one', await median(500, alone)],
    [
      'ledger totals by user, a row of the ledger',
      await median(next, async () => void (await ledger.totals('scope:user'))),
    ],
  ];
}

async function journalFigures({ journal }: Stores): Promise<Figures> {
  const alone = async (round: number): Promise<void> => {
    const runId = `alone ${round}`;
    for (let seq = 0; seq < 1000; seq++) await journal.append(runId, [eventOf(runId, seq)]);
  };
  const together = async (round: number): Promise<void> => {
    for (let seq = 0; seq < 2000; seq += 64) {
      const runIds = Array.from({ length: 64 }, (_, run) => `${round} ${run}`);
      await Promise.all(runIds.map((runId) => journal.append(runId, [eventOf(runId, seq)])));
    }
  };
  const read = async (): Promise<void> => {
    for await (const _event of journal.read('alone 1'));
  };
  return [
    ['journal record, one awaited after the other', await median(1000, alone)],
    ['journal record, 64 runs at once', await median(2048, together)],
    ['journal record read', await median(1000, read)],
    [
      'journal list of 20 among some hundred runs',
      await median(1, async () => void (await journal.list({ limit: 20 }))),
    ],
  ];
}

async function counterFigures({ keyValue }: Stores): Promise<Figures> {
  const changes = ['run', 'user', 'tenant'].map((key) => ({ key, by: 1, limit: 1e12 }));
  const alone = async (): Promise<void> => {
    for (let index = 0; index < 1000; index++) {
      const result = keyValue.change(changes);
      if (result instanceof Promise) await result;
    }
  };
  const together = async (): Promise<void> => {
    for (let index = 0; index < 2000; index += 50) {
      await Promise.all(Array.from({ length: 50 }, () => keyValue.change(changes)));
    }
  };
  return [
    ['change of 3 counters, one awaited after the other', await median(1000, alone)],
    ['change of 3 counters, 50 at once', await median(2000, together)],
  ];
}

const PASSAGES = 10_000;
const LENGTH = 768;

/** A search among ten thousand passages, by words and vectors. */
async function passageFigures({ passages: store }: Stores): Promise<Figures> {
  if (store === undefined) return [];
  const word = (at: number): string => `word${at % 997}`;
  const vectorOf = (at: number): number[] => Array.from({ length: LENGTH }, (_, place) => Math.sin(at + place));
  for (let first = 0; first < PASSAGES; first += 100) {
    const passages = Array.from({ length: 100 }, (_, place): Passage => {
      const at = first + place;
      const text = Array.from({ length: 150 }, (_, next) => word(at * next + next)).join(' ');
      return { key: `k${at}`, text, source: `${first}`, start: 0, end: text.length, line: 1, endLine: 1 };
    });
    await store.put({ index: 'bench', source: `${first}`, digest: '', passages });
    const vectors = passages.map(({ key }, place) => ({ key, vector: vectorOf(first + place) }));
    await store.keep({ index: 'bench', model: 'm', vectors });
  }
  const search = (vector?: readonly number[]) => async () => {
    const near = vector === undefined ? {} : { near: { model: 'm', vector } };
    await store.find({ index: 'bench', query: 'word17 word801 absent', most: 5, ...near });
  };
  return [
    ['search of 10,000 passages by words', await median(1, search())],
    ['search of 10,000 passages by words and vectors', await median(1, search(vectorOf(7)))],
  ];
}

async function figuresOf(store: StoreFigure['store'], stores: Stores): Promise<StoreFigure[]> {
  try {
    const figures = [
      ...(await ledgerFigures(stores)),
      ...(await journalFigures(stores)),
      ...(await counterFigures(stores)),
      ...(await passageFigures(stores)),
    ];
    return figures.map(([what, microseconds]) => ({ store, what, microseconds }));
  } finally {
    await stores.close();
  }
}

export async function run(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-bench-'));
  try {
    const memory = await figuresOf('memory', memoryStores());
    const sqlite = await figuresOf('sqlite', sqliteStores({ path: join(folder, 'bench.db') }));
    return [...memory, ...sqlite].map(({ store, what, microseconds }) => ({
      name: `${store}: ${what}`,
      value: microseconds,
      unit: 'µs',
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
