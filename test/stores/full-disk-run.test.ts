/** A disk that fills while a run goes on: the run says so, keeps what was committed, and goes on once there is room. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RunEvent, RunResult } from '../../src/core/run/engine.ts';
import { createPolyphony, definePlugin, type Plan, type Stores } from '../../src/index.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { systemClock } from '../../src/system/clock.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
const items = Array.from({ length: 200 }, (_, index) => index);
const plan: Plan = {
  version: 1,
  input: { items: 'integer[]' },
  nodes: [
    { id: 'first', use: 'tool:page', in: { number: -1 } },
    {
      id: 'pages',
      use: 'tool:page',
      needs: ['first'],
      each: '{{input.items}}',
      in: { number: '{{item}}' },
      limits: { concurrency: 4 },
    },
    {
      id: 'ask',
      use: 'llm',
      in: { prompt: 'Summarise: The ferry leaves at nine. It carries cars. {{pages[0].result}}' },
    },
  ],
  output: { count: '{{pages}}', first: '{{first.result}}' },
};

/** Pages of 4 kB, and how often each was made. */
function book() {
  const made = new Map<number, number>();
  const input = { type: 'object', properties: { number: { type: 'integer' } }, required: ['number'] };
  const plugin = definePlugin({
    name: 'book',
    tools: [
      {
        name: 'page',
        description: 'A page of text.',
        input,
        async run({ number }) {
          made.set(Number(number), (made.get(Number(number)) ?? 0) + 1);
          // The end of a page is committed before the next ones begin, as with work that takes its time.
          await new Promise((resolve) => setTimeout(resolve, 2));
          return `${number} ${'x'.repeat(4000)}`;
        },
      },
    ],
  });
  return { made, plugin };
}

async function drive(stores: Stores, runId?: string) {
  const { made, plugin } = book();
  const polyphony = await createPolyphony({ plugins: [...(await defaults()), plugin], stores });
  const handle = await (runId === undefined ? polyphony.start(plan, { items }) : polyphony.resume(runId));
  const result = await handle.result();
  const kept: RunEvent[] = [];
  for await (const event of polyphony.engine.replay(handle.runId)) kept.push(event);
  // Rows of the ledger that found no room are reported by closing.
  const closed = await polyphony.close().catch((error: unknown) => error);
  return { made, result, kept, closed };
}

const defaults = async () => (await import('../../src/polyphony.ts')).defaultPlugins();

const finishedItems = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'item-finished' ? [event.item ?? -1] : []));

async function expectToSurvive(full: Stores, roomy: () => Stores): Promise<void> {
  const { result, kept } = await drive(full);
  expect(result).toMatchObject({ status: 'failed', error: { code: 'store-full', retryable: false } });
  expect(result.error?.message).toMatch(/full.*free some space and try again\. What was committed before is safe/);
  const before = finishedItems(kept);
  expect(before.length).toBeGreaterThan(10);
  expect(before.length).toBeLessThan(items.length);
  const again = await drive(roomy(), result.runId);
  expectWhole(again.result);
  // Nothing that was committed is made again, and what was made again is made once.
  expect([...again.made.keys()].filter((page) => page === -1 || before.includes(page))).toEqual([]);
  expect(new Set(again.made.values())).toEqual(new Set([1]));
}

/** By then the lease is over, which a full disk may have kept from being given back. */
const later = (path: string): Stores => {
  const ahead = { now: () => systemClock.now() + 20_000, monotonic: () => systemClock.monotonic() + 20_000 };
  return sqliteStores({ path, clock: { ...systemClock, ...ahead } });
};

function expectWhole({ status, output }: RunResult): void {
  expect(status).toBe('done');
  const { count, first } = output as { count: { result: string }[]; first: string };
  expect(count.map(({ result }) => Number(result.split(' ')[0]))).toEqual(items);
  expect(first.startsWith('-1 ')).toBe(true);
}

test('ends the run with store-full at the quota, and resumes it when there is room', async () => {
  const path = join(folder, 'quota.db');
  await expectToSurvive(sqliteStores({ path, maximumBytes: 330_000 }), () => later(path));
});

test('does so on a file system that fills, where this process may mount one', async ({ skip }) => {
  const tiny = join(folder, 'tiny');
  mkdirSync(tiny);
  const mount = (options: string): void =>
    void execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'none', tiny], { stdio: 'ignore' });
  try {
    mount('size=600k');
  } catch {
    skip('this process may not mount a file system');
  }
  try {
    const path = join(tiny, 'a.db');
    await expectToSurvive(sqliteStores({ path }), () => {
      mount('remount,size=20m');
      return later(path);
    });
  } finally {
    execFileSync('umount', ['--lazy', tiny]);
  }
});
