/** What a process holds while no call is under way, and whether it holds more and more. */
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import type { Polyphony } from '../../../src/index.ts';

export interface Sample {
  readonly minute: number;
  readonly calls: number;
  readonly heapMiB: number;
  readonly externalMiB: number;
  /** Sockets and files that are open, idle ones too; 0 where the system does not show them. */
  readonly files: number;
  /** Sockets that keep the process alive. */
  readonly sockets: number;
  readonly timers: number;
  /** On the signal that all calls share. */
  readonly listeners: number;
  /** What the cap has counted above what the ledger says, in nano-dollars: held, or lost. */
  readonly heldNanoUsd: number;
}

const MIB = 1_048_576;

const openFiles = (): number => (existsSync(FILES) ? readdirSync(FILES).length : 0);
const FILES = '/proc/self/fd';

const countOf = (name: string): number => process.getActiveResourcesInfo().filter((one) => one.startsWith(name)).length;

async function heldBy({ stores }: Polyphony): Promise<number> {
  await stores.ledger.flush();
  const totals = await stores.ledger.totals('outcome', { scope: { kind: 'tenant', id: 'soak' } });
  const counted = Number((await stores.keyValue.get('budget:tenant:soak')) ?? 0);
  return counted - totals.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
}

export async function sample(
  polyphony: Polyphony,
  signal: AbortSignal,
  at: Pick<Sample, 'minute' | 'calls'>,
): Promise<Sample> {
  const heldNanoUsd = await heldBy(polyphony);
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return {
    ...at,
    heapMiB: heapUsed / MIB,
    externalMiB: external / MIB,
    files: openFiles(),
    sockets: countOf('TCP'),
    timers: countOf('Timeout'),
    listeners: getEventListeners(signal, 'abort').length,
    heldNanoUsd,
  };
}

interface Line {
  /** Per minute. */
  readonly slope: number;
  readonly mean: number;
}

/** Least squares over the minutes. */
function lineOf(samples: readonly Sample[], read: (one: Sample) => number): Line {
  const count = samples.length;
  const meanAt = samples.reduce((sum, { minute }) => sum + minute, 0) / count;
  const mean = samples.reduce((sum, one) => sum + read(one), 0) / count;
  const spread = samples.reduce((sum, { minute }) => sum + (minute - meanAt) ** 2, 0);
  const together = samples.reduce((sum, one) => sum + (one.minute - meanAt) * (read(one) - mean), 0);
  return { slope: spread === 0 ? 0 : together / spread, mean };
}

/** Of the time, before which caches fill and code is compiled. */
const WARM_UP = 0.3;
/** The most that a line may rise over the rest of the time, as a share of its mean. */
const MOST_RISE = 0.05;
const MOST_MORE = 2;
/** As a share: how many connections are kept idle depends on what the last calls were. */
const MOST_FILES = 0.2;

export interface Verdict {
  readonly rows: readonly (readonly [name: string, slope: string, bound: string, holds: boolean])[];
  readonly holds: boolean;
}

export function judge(samples: readonly Sample[]): Verdict {
  const last = samples.at(-1)?.minute ?? 0;
  const warm = samples.filter(({ minute }) => minute >= last * WARM_UP);
  const minutes = last * (1 - WARM_UP);
  const memory = (['heapMiB', 'externalMiB'] as const).map((name) => {
    const { slope, mean } = lineOf(warm, (one) => one[name]);
    const rise = (slope * minutes) / mean;
    const shown = `${slope.toFixed(3)} a minute, ${(100 * rise).toFixed(1)} % in all`;
    return [name, shown, `${100 * MOST_RISE} % of ${mean.toFixed(1)}`, rise <= MOST_RISE] as const;
  });
  const counts = (['sockets', 'timers'] as const).map((name) => {
    const { slope } = lineOf(warm, (one) => one[name]);
    const rise = slope * minutes;
    return [name, `${rise.toFixed(1)} more in all`, `${MOST_MORE}`, rise <= MOST_MORE] as const;
  });
  const none = (['listeners', 'heldNanoUsd'] as const).map((name) => {
    const most = Math.max(...samples.map((one) => Math.abs(one[name])));
    return [name, `at most ${most}`, '0 at any time', most === 0] as const;
  });
  const { slope, mean } = lineOf(warm, ({ files: open }) => open);
  const more = slope * minutes;
  const files = [
    'files',
    `${more.toFixed(1)} more in all`,
    `${MOST_FILES * 100} % of ${mean.toFixed(0)}`,
    more <= MOST_FILES * mean,
  ] as const;
  const rows = [...memory, files, ...counts, ...none];
  return { rows, holds: rows.every(([, , , holds]) => holds) };
}
