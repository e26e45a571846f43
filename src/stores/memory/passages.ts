/** Passages in memory, with an index of words that is made at the first search after a change. */
import type { Clock } from '../../core/clock.ts';
import {
  type Passage,
  type PassageBounds,
  type PassageStore,
  type PassagesFound,
  searchableText,
} from '../../core/stores/passages.ts';
import {
  joinedRankings,
  type Ranked,
  rankByVectors,
  rankByWords,
  type WordIndex,
  wordIndex,
} from '../../kit/retrieval/rank.ts';
import {
  assertName,
  boundsOf,
  MAX_RANKED,
  mostVectors,
  noIndex,
  otherLength,
  tooLarge,
  USED_MS,
  vectorBytes,
} from '../passages.ts';

const BOUNDS: PassageBounds = { passages: 50_000, textBytes: 64 * 1024 * 1024, vectorBytes: 256 * 1024 * 1024 };

interface Source {
  readonly digest: string;
  readonly passages: readonly Passage[];
  readonly bytes: number;
  words: WordIndex | undefined;
}

interface Index {
  readonly sources: Map<string, Source>;
  usedAt: number;
}

interface Vector {
  readonly key: string;
  readonly model: string;
  readonly numbers: Float32Array;
  readonly madeAt: number;
}

interface State {
  readonly clock: Clock;
  readonly bounds: PassageBounds;
  /** In the order of their last use. */
  readonly indexes: Map<string, Index>;
  /** By model and key, the oldest first. */
  readonly vectors: Map<string, Vector>;
}

const vectorKey = (model: string, key: string): string => `${model}\u0000${key}`;
const bytesOf = (passages: readonly Passage[]): number =>
  passages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);

function sizeOf(index: Index): { readonly passages: number; readonly bytes: number } {
  let passages = 0;
  let bytes = 0;
  for (const source of index.sources.values()) {
    passages += source.passages.length;
    bytes += source.bytes;
  }
  return { passages, bytes };
}

function keysOf(index: Index | undefined): Set<string> {
  const keys = new Set<string>();
  for (const { passages } of index?.sources.values() ?? []) for (const { key } of passages) keys.add(key);
  return keys;
}

function use({ clock, indexes }: State, name: string, index: Index): void {
  index.usedAt = clock.now();
  indexes.delete(name);
  indexes.set(name, index);
}

/** Forgets other indexes, the least used first, until this one fits. @throws limit-exceeded when it never does */
function makeRoom({ bounds, indexes }: State, name: string, size: { passages: number; bytes: number }): void {
  if (size.passages > bounds.passages) throw tooLarge(name, `${size.passages} passages`, bounds.passages, 'passages');
  if (size.bytes > bounds.textBytes) throw tooLarge(name, `${size.bytes} bytes of text`, bounds.textBytes, 'textBytes');
  let { passages, bytes } = size;
  const others = [...indexes].filter(([other]) => other !== name).reverse();
  let isFull = false;
  for (const [other, index] of others) {
    const own = sizeOf(index);
    passages += own.passages;
    bytes += own.bytes;
    isFull ||= passages > bounds.passages || bytes > bounds.textBytes;
    if (isFull) indexes.delete(other);
  }
}

function keepVectors(state: State, { index, model, vectors }: Parameters<PassageStore['keep']>[0]): void {
  const { bounds, clock } = state;
  const kept = keysOf(state.indexes.get(index));
  const next = new Map(state.vectors);
  for (const { key, vector } of vectors) {
    kept.add(key);
    const id = vectorKey(model, key);
    next.delete(id);
    next.set(id, { key, model, numbers: Float32Array.from(vector), madeAt: clock.now() });
  }
  let bytes = 0;
  for (const { numbers } of next.values()) bytes += vectorBytes(numbers.length);
  const most = mostVectors(bounds);
  const isFull = (): boolean => bytes > bounds.vectorBytes || next.size > most;
  for (const [id, { key, numbers, model: other }] of next) {
    if (!isFull()) break;
    if (kept.has(key) && other === model) continue;
    next.delete(id);
    bytes -= vectorBytes(numbers.length);
  }
  if (bytes > bounds.vectorBytes) throw tooLarge(index, `${bytes} bytes of vectors`, bounds.vectorBytes, 'vectorBytes');
  if (next.size > most) throw tooLarge(index, `${next.size} vectors`, most, 'passages');
  state.vectors.clear();
  for (const [id, vector] of next) state.vectors.set(id, vector);
}

function nearest(
  state: State,
  name: string,
  passages: readonly Passage[],
  { model, vector }: NonNullable<Parameters<PassageStore['find']>[0]['near']>,
): readonly Ranked[] {
  const places: number[] = [];
  const vectors: Float32Array[] = [];
  let other: number | undefined;
  for (const [place, { key }] of passages.entries()) {
    const known = state.vectors.get(vectorKey(model, key))?.numbers;
    if (known === undefined) continue;
    if (known.length !== vector.length) {
      other = known.length;
      continue;
    }
    places.push(place);
    vectors.push(known);
  }
  if (vectors.length === 0 && other !== undefined) throw otherLength(name, model, vector.length, other);
  return rankByVectors(vectors, vector).map(({ index, score }) => ({ index: places[index] ?? 0, score }));
}

function found(state: State, options: Parameters<PassageStore['find']>[0]): PassagesFound {
  const index = state.indexes.get(options.index);
  if (index === undefined) throw noIndex(options.index);
  use(state, options.index, index);
  // As in the file: equal scores in the order of the names.
  const sources = [...index.sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
  for (const source of sources) source.words ??= wordIndex(source.passages.map(searchableText));
  const passages = sources.flatMap((source) => source.passages);
  const byWords = rankByWords(
    sources.flatMap(({ words }) => words ?? []),
    options.query,
  ).slice(0, MAX_RANKED);
  const byVectors = options.near === undefined ? [] : nearest(state, options.index, passages, options.near);
  const isHybrid = byVectors.length > 0;
  const ranked = isHybrid ? joinedRankings([byWords, byVectors]) : byWords;
  return {
    passages: ranked.slice(0, options.most).flatMap(({ index: place, score }) => {
      const passage = passages[place];
      return passage === undefined ? [] : [{ ...passage, score }];
    }),
    ranking: isHybrid ? 'hybrid' : 'lexical',
  };
}

function missing(state: State, options: Parameters<PassageStore['missing']>[0]) {
  const texts = new Map<string, string>();
  for (const { passages } of state.indexes.get(options.index)?.sources.values() ?? []) {
    for (const passage of passages) {
      if (passage.key <= (options.after ?? '') || state.vectors.has(vectorKey(options.model, passage.key))) continue;
      texts.set(passage.key, searchableText(passage));
    }
  }
  const keys = [...texts.keys()].sort().slice(0, options.most);
  return keys.map((key) => ({ key, text: texts.get(key) ?? '' }));
}

export function memoryPassages(clock: Clock, given?: Partial<PassageBounds>): PassageStore {
  const state: State = { clock, bounds: boundsOf(BOUNDS, given), indexes: new Map(), vectors: new Map() };
  const { indexes, vectors } = state;
  return {
    async put({ index: name, source, digest, passages }) {
      assertName(name, 'name of the index');
      assertName(source, 'name of the source');
      const index = indexes.get(name) ?? { sources: new Map(), usedAt: 0 };
      const before = index.sources.get(source);
      const size = sizeOf(index);
      const bytes = bytesOf(passages);
      makeRoom(state, name, {
        passages: size.passages + passages.length - (before?.passages.length ?? 0),
        bytes: size.bytes + bytes - (before?.bytes ?? 0),
      });
      index.sources.set(source, { digest, passages: passages.map((one) => ({ ...one })), bytes, words: undefined });
      use(state, name, index);
    },
    async sources(name) {
      assertName(name, 'name of the index');
      const index = indexes.get(name);
      if (index === undefined) return undefined;
      use(state, name, index);
      return new Map([...index.sources].map(([source, { digest }]) => [source, digest]));
    },
    async remove(name, sources) {
      for (const source of sources) indexes.get(name)?.sources.delete(source);
    },
    missing: async (options) => missing(state, options),
    async keep(options) {
      assertName(options.model, 'name of the model');
      keepVectors(state, options);
    },
    find: async (options) => found(state, options),
    async list(limit = 100) {
      const all = [...indexes].reverse().slice(0, limit);
      return all.map(([index, entry]) => {
        return { index, sources: entry.sources.size, ...sizeOf(entry), usedAt: entry.usedAt };
      });
    },
    delete: async (name) => indexes.delete(name),
    async prune({ before, dryRun = false }) {
      const old = [...indexes].filter(([, { usedAt }]) => usedAt < before - USED_MS).map(([name]) => name);
      if (dryRun) return { removed: old.length };
      for (const name of old) indexes.delete(name);
      const needed = new Set([...indexes.values()].flatMap((index) => [...keysOf(index)]));
      for (const [id, { key, madeAt }] of vectors) if (madeAt < before && !needed.has(key)) vectors.delete(id);
      return { removed: old.length };
    },
    close: async () => {},
  };
}
