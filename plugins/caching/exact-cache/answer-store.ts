/** Stores answers: in memory first, then in the plugin's own store. A failing store causes misses, not errors. */
import { LRUCache } from 'lru-cache';
import { type Clock, errorRecord, type KeyValueStore, type Logger, type ModelResponse } from 'polyphony/kit';

interface Entry {
  /** Epoch milliseconds. */
  readonly until: number;
  readonly response: ModelResponse;
}

export interface AnswerStore {
  /** Reads memory, synchronously. */
  recall(key: string): ModelResponse | undefined;
  /** Reads the plugin's store. */
  fetch(key: string): Promise<ModelResponse | undefined>;
  keep(key: string, response: ModelResponse, ttlMs: number, memoryOnly: boolean): void;
  /** Waits for pending writes. */
  close(): Promise<void>;
}

export function createAnswerStore(options: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Absent: only memory is used. */
  readonly store?: KeyValueStore | undefined;
  /** False: another version of its model answers by now. */
  readonly isCurrent: (response: ModelResponse) => boolean;
}): AnswerStore {
  const { clock, logger, store, isCurrent } = options;
  const memory = new LRUCache<string, { readonly entry: Entry; readonly size: number }>({
    max: options.maxEntries,
    maxSize: options.maxBytes,
    sizeCalculation: ({ size }) => size,
  });
  const writes = new Set<Promise<void>>();
  const unexpired = (entry: Entry | undefined): ModelResponse | undefined =>
    entry !== undefined && entry.until > clock.now() && isCurrent(entry.response) ? entry.response : undefined;
  const remember = (key: string, entry: Entry): void => {
    memory.set(key, { entry, size: Math.max(1, JSON.stringify(entry).length * 2) });
  };
  const write = (key: string, entry: Entry, ttlMs: number): void => {
    const writing: Promise<void> | undefined = store
      ?.set(key, entry, { ttlMs })
      .catch((error: unknown) => logger.warn({ error: errorRecord(error) }, 'an answer was not stored in the cache'));
    if (writing === undefined) return;
    writes.add(writing);
    void writing.finally(() => writes.delete(writing));
  };
  return {
    recall: (key) => unexpired(memory.get(key)?.entry),
    async fetch(key) {
      if (store === undefined) return undefined;
      try {
        const entry = entryOf(await store.get(key));
        const response = unexpired(entry);
        if (entry !== undefined && response !== undefined) remember(key, entry);
        return response;
      } catch (error) {
        logger.warn({ error: errorRecord(error) }, 'the cache could not be read');
        return undefined;
      }
    },
    keep(key, response, ttlMs, memoryOnly) {
      const entry: Entry = { until: clock.now() + ttlMs, response: { ...response, attempts: [], costNanoUsd: 0 } };
      remember(key, entry);
      if (!memoryOnly) write(key, entry, ttlMs);
    },
    async close() {
      await Promise.all(writes);
    },
  };
}

/** The shape that `replay` relies on; anything else in the store is a miss. */
function entryOf(value: unknown): Entry | undefined {
  if (!isRecord(value) || typeof value.until !== 'number' || !isRecord(value.response)) return undefined;
  const { target, content, finishReason, usage, warnings } = value.response;
  const whole = isRecord(target) && Array.isArray(content) && Array.isArray(warnings) && isRecord(usage);
  return whole && typeof finishReason === 'string' ? (value as unknown as Entry) : undefined;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
