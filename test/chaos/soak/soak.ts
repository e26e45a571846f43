/**
 * Mixed traffic over failing servers on the real clock. Every few seconds all calls are let end, and what the process still holds
 * is measured: heap after collection, sockets, timers, listeners of a shared signal, and money that is held for nothing.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chaos } from '../../../plugins/testing/chaos.ts';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { fakeCard, seededRandom } from '../../../src/testing/fakes.ts';
import { watch } from '../../hostile/harness/watch.ts';
import { WIRES } from '../../hostile/providers/wires.ts';
import { WIRE_NAMES } from '../wires.ts';
import { judge, type Sample, sample } from './samples.ts';
import { startTraffic } from './traffic.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly workers: number;
  readonly everySeconds: number;
}

const CONFIG = {
  retry: { retries: 2, baseMs: 20, maxMs: 500 },
  timeouts: { firstTokenMs: 1000, answerMs: 1500, idleMs: 500, totalMs: 5000 },
  // Open breakers would keep the faults away.
  breaker: { rateLimits: 1_000_000, minimumAttempts: 1_000_000 },
  routes: Object.fromEntries(WIRE_NAMES.map((wire) => [wire, { chain: [`${wire}-bad/m`, `${wire}-good/m`] }])),
};

/** Few of each, on top of what the servers do. */
const RULES = [
  { provider: '*-bad', share: 0.02, fault: { type: 'latency', ms: 50 } },
  { provider: '*-bad', share: 0.02, fault: { type: 'drip', bytes: 64, everyMs: 5 } },
  { provider: '*-bad', share: 0.02, fault: { type: 'wrong-types' } },
  { provider: '*-bad', share: 0.02, fault: { type: 'malformed', event: 2 } },
  { provider: '*-bad', share: 0.02, fault: { type: 'cut', at: { bytes: 150 } } },
  { provider: '*-bad', share: 0.01, fault: { type: 'stall', at: { events: 1 } } },
  { provider: '*-bad', share: 0.02, fault: { type: 'status', status: 529 } },
] as const;

async function startUpstream(seed: number): Promise<{ readonly url: string; readonly stop: () => void }> {
  const child = fork(new URL('./upstream.ts', import.meta.url), [String(seed)]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { readonly port: number }) => resolve(message.port));
    child.once('exit', () => reject(new Error('the servers of the soak did not start')));
  });
  return { url: `http://127.0.0.1:${port}`, stop: () => child.disconnect() };
}

async function polyphonyOver(url: string, folder: string, seed: number): Promise<Polyphony> {
  const made = WIRE_NAMES.flatMap((wire) =>
    ['bad', 'good'].map((kind) =>
      WIRES[wire].provider(`${wire}-${kind}`, `${url}/${wire}/${kind}`, [fakeCard({ id: 'm' })]),
    ),
  );
  return createPolyphony({
    providers: await Promise.all(made),
    plugins: [chaos({ rules: RULES, seed })],
    defaults: false,
    environment: false,
    config: CONFIG,
    stores: sqliteStores({ path: join(folder, 'soak.db') }),
  });
}

const WIDTHS = [8, 10, 10, 10, 8, 9, 8, 11, 12];
const line = (cells: readonly string[]): string => cells.map((cell, at) => cell.padStart(WIDTHS[at] ?? 10)).join('');

function printSample({
  minute,
  calls,
  heapMiB,
  externalMiB,
  files,
  sockets,
  timers,
  listeners,
  heldNanoUsd,
}: Sample): void {
  const counts = [files, sockets, timers, listeners, heldNanoUsd].map(String);
  console.log(line([minute.toFixed(2), String(calls), heapMiB.toFixed(2), externalMiB.toFixed(2), ...counts]));
}

export async function playSoak({ minutes, seed, workers, everySeconds }: SoakOptions): Promise<number> {
  if (globalThis.gc === undefined)
    throw new Error('The soak measures memory after collection: run node with --expose-gc.');
  const folder = mkdtempSync(join(tmpdir(), 'polyphony-soak-'));
  const upstream = await startUpstream(seed);
  const watching = watch();
  const { signal } = new AbortController();
  const samples: Sample[] = [];
  const polyphony = await polyphonyOver(upstream.url, folder, seed);
  const traffic = startTraffic({ polyphony, random: seededRandom(seed), workers, signal });
  const ended = (): number => [...traffic.endings.values()].reduce((sum, count) => sum + count, 0);
  console.log(line(['minute', 'calls', 'heap MiB', 'ext. MiB', 'files', 'sockets', 'timers', 'listeners', 'held']));
  const start = performance.now();
  const minuteNow = (): number => (performance.now() - start) / 60_000;
  try {
    while (minuteNow() < minutes) {
      traffic.resume();
      await new Promise((resolve) => setTimeout(resolve, everySeconds * 1000));
      await traffic.pause();
      samples.push(await sample(polyphony, signal, { minute: minuteNow(), calls: ended() }));
      printSample(samples.at(-1) as Sample);
    }
    await polyphony.close();
  } finally {
    upstream.stop();
    watching.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return printVerdict(samples, traffic.endings, watching.problems);
}

function printVerdict(
  samples: readonly Sample[],
  endings: ReadonlyMap<string, number>,
  problems: readonly string[],
): number {
  const { rows, holds } = judge(samples);
  console.log(`\nended: ${[...endings].map(([ending, count]) => `${ending} ${count}`).join(', ')}\n`);
  for (const [name, slope, bound, isFlat] of rows) {
    console.log(`${isFlat ? 'ok  ' : 'FAIL'} ${name.padEnd(14)}${slope.padEnd(36)}bound: ${bound}`);
  }
  for (const problem of new Set(problems)) console.log(`FAIL ${problem}`);
  return holds && problems.length === 0 ? 0 : 1;
}
