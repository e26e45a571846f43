/**
 * What was observed, kept between processes where the store outlives them. It is read with the first call, written at most once in five
 * minutes and when the gateway closes, never while a caller waits for it. Of several processes that write at the same time the last
 * one counts: observations correct figures, and some of them may be lost.
 */
import type { Clock } from '../core/clock.ts';
import { errorRecord } from '../core/errors.ts';
import type { Logger } from '../core/plugin.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { closesInTime } from '../system/clock.ts';
import { readSaved } from './routing/figures/saved-observations.ts';
import { createStatistics, type Statistics } from './routing/statistics.ts';

const KEY = 'gateway:observations';
const WRITE_EVERY_MS = 300_000;
/** After that, scores weigh less than a thousandth of what they did. */
const KEPT_MS = 14 * 86_400_000;

export interface Observations {
  readonly statistics: Statistics;
  /** Begins to read what earlier processes observed, once; nothing waits for it. */
  begin(): void;
  /** The same, until it is read. Never rejects. */
  recall(): Promise<void>;
  /** Writes what is new, within five seconds. Never rejects. */
  flush(): Promise<void>;
}

interface Kept {
  readonly keyValue: KeyValueStore;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

export function createObservations(options: Kept): Observations {
  if (options.keyValue.lasting === true) return keptObservations(options);
  const nothing = async (): Promise<void> => {};
  return { statistics: createStatistics(), begin: () => {}, recall: nothing, flush: nothing };
}

function keptObservations({ keyValue, clock, logger }: Kept): Observations {
  let reading: Promise<void> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let isNew = false;
  let nextWriteMs = Number.POSITIVE_INFINITY;
  const failed = (error: unknown): void =>
    logger?.warn({ error: errorRecord(error) }, 'What was observed of models could not be kept.');
  const statistics = createStatistics(() => {
    isNew = true;
    const nowMs = clock.monotonic();
    if (nextWriteMs === Number.POSITIVE_INFINITY) nextWriteMs = nowMs + WRITE_EVERY_MS;
    if (nowMs >= nextWriteMs) void write();
  });
  const read = async (): Promise<void> => {
    try {
      const value = await keyValue.get(KEY);
      if (value === undefined) return;
      statistics.restore(readSaved(value, clock.now()));
    } catch (error) {
      failed(error);
    }
  };
  const recall = (): Promise<void> => (reading ??= read());
  const save = async (): Promise<void> => {
    // What is not read yet would be written over.
    await recall();
    await keyValue.set(KEY, statistics.saved(clock.now()), { ttlMs: KEPT_MS });
  };
  const write = (): Promise<void> => {
    isNew = false;
    nextWriteMs = clock.monotonic() + WRITE_EVERY_MS;
    writing = writing.then(save).catch(failed);
    return writing;
  };
  return {
    statistics,
    begin() {
      if (reading === undefined) void recall();
    },
    recall,
    flush: () => closesInTime(clock, () => (isNew ? write() : writing)).catch(failed),
  };
}
