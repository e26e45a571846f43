/** Threads in memory. The ones that changed last are kept, and of each its newest entries. */
import type { Clock } from '../../core/clock.ts';
import { THREAD_READ_BYTES, type ThreadEntry, type ThreadStore, type ThreadView } from '../../core/stores/threads.ts';
import { assertKey } from '../counters.ts';

const MOST_THREADS = 10_000;
const MOST_ENTRIES = 1000;

interface Mark {
  readonly seen: number;
  readonly folded: number;
}

interface Thread {
  readonly entries: ThreadEntry[];
  /** By the last entry that each tells. */
  readonly summaries: Map<number, string>;
  readonly readers: Map<string, Mark & { readonly at: number }>;
  updatedAt: number;
}

function capped<K, V>(map: Map<K, V>, most: number): void {
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function viewOf({ entries, summaries }: Thread, { seen, folded }: Mark, most: number, mostBytes: number): ThreadView {
  const visible = entries.filter(({ seq }) => seq > folded && seq <= seen);
  const summary = summaries.get(folded);
  const shown = newestWithin(most === 0 ? [] : visible.slice(-most), mostBytes);
  return summary === undefined ? { entries: shown } : { entries: shown, summary };
}

function newestWithin(entries: readonly ThreadEntry[], mostBytes: number): readonly ThreadEntry[] {
  let left = mostBytes;
  const tooOld = entries.findLastIndex(({ question, answer }) => {
    left -= Buffer.byteLength(question) + Buffer.byteLength(answer);
    return left < 0;
  });
  return entries.slice(tooOld + 1);
}

const newest = ({ entries, summaries }: Thread): Mark => ({
  seen: entries.at(-1)?.seq ?? 0,
  folded: Math.max(0, ...summaries.keys()),
});

export function memoryThreads(clock: Clock): ThreadStore {
  const threads = new Map<string, Thread>();
  /** In the order of their last changes. */
  const changing = (key: string): Thread => {
    const thread = threads.get(key) ?? { entries: [], summaries: new Map(), readers: new Map(), updatedAt: 0 };
    threads.delete(key);
    threads.set(key, thread);
    capped(threads, MOST_THREADS);
    return thread;
  };
  const listed = () => [...threads].filter(([, { entries }]) => entries.length > 0);
  return {
    async open({ key, reader, like, most, mostBytes = Number.POSITIVE_INFINITY }) {
      assertKey(key);
      const thread = threads.get(key) ?? changing(key);
      const known = thread.readers.get(reader);
      const mark = known ?? (like === undefined ? undefined : thread.readers.get(like)) ?? newest(thread);
      if (known === undefined) {
        thread.readers.set(reader, { seen: mark.seen, folded: mark.folded, at: clock.now() });
        capped(thread.readers, MOST_ENTRIES);
      }
      return viewOf(thread, mark, most, mostBytes);
    },
    async append({ key, writer, question, answer }) {
      assertKey(key);
      const thread = changing(key);
      const place = thread.entries.findIndex((entry) => entry.writer === writer);
      const at = clock.now();
      const seq = thread.entries[place]?.seq ?? (thread.entries.at(-1)?.seq ?? 0) + 1;
      const entry = { seq, writer, at, question: question.toWellFormed(), answer: answer.toWellFormed() };
      thread.updatedAt = at;
      if (place !== -1) thread.entries[place] = entry;
      else {
        thread.entries.push(entry);
        if (thread.entries.length > MOST_ENTRIES) thread.entries.shift();
      }
    },
    async summarise({ key, reader, upTo, summary }) {
      assertKey(key);
      const thread = changing(key);
      const kept = thread.summaries.get(upTo) ?? summary.toWellFormed();
      thread.summaries.set(upTo, kept);
      capped(thread.summaries, MOST_ENTRIES);
      const mark = thread.readers.get(reader);
      if (mark !== undefined) thread.readers.set(reader, { ...mark, folded: upTo });
      return kept;
    },
    async list(limit = 100) {
      const all = listed().reverse();
      return all.slice(0, limit).map(([key, { entries, updatedAt }]) => ({ key, entries: entries.length, updatedAt }));
    },
    async read(key, limit = 1000, mostBytes = THREAD_READ_BYTES) {
      assertKey(key);
      const thread = threads.get(key);
      if (thread === undefined || thread.entries.length === 0) return undefined;
      const summary = thread.summaries.get(newest(thread).folded);
      const entries = newestWithin(limit === 0 ? [] : thread.entries.slice(-limit), mostBytes);
      return summary === undefined ? { entries } : { entries, summary };
    },
    async delete(key) {
      assertKey(key);
      return threads.delete(key);
    },
    async prune({ before, dryRun = false }) {
      const old = listed().filter(([, { updatedAt }]) => updatedAt < before);
      if (dryRun) return { removed: old.length };
      for (const [key] of old) threads.delete(key);
      for (const { readers } of threads.values())
        for (const [reader, { at }] of readers) if (at < before) readers.delete(reader);
      return { removed: old.length };
    },
    close: async () => {},
  };
}
