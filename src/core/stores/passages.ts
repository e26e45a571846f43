/** The store of passages: texts that a search finds by their words, and by vectors where they have some. */
import type { Pruned, PruneOptions } from './pruning.ts';

/** The most characters of the name of an index, of a source, and of a model in it. */
export const PASSAGE_NAME_LENGTH = 500;

/** A part of a source, with its place. */
export interface Passage {
  /** Of what is embedded (`searchableText`), such as its SHA-256: passages with one key share their vector. */
  readonly key: string;
  readonly text: string;
  readonly source: string;
  /** In UTF-16 units of the source. */
  readonly start: number;
  readonly end: number;
  /** The first and the last line, from 1. */
  readonly line: number;
  readonly endLine: number;
  /** The headings above it, outermost first. */
  readonly heading?: string;
}

/** What is embedded of a passage, and what its words are: the headings above it say what it is about. */
export const searchableText = ({ text, heading }: Pick<Passage, 'text' | 'heading'>): string =>
  heading === undefined ? text : `${heading}\n${text}`;

export interface FoundPassage extends Passage {
  /** Higher is better; comparable only within one answer. */
  readonly score: number;
}

export interface PassagesFound {
  /** The best ones first. */
  readonly passages: readonly FoundPassage[];
  /** `hybrid`: by words and by vectors. `lexical`: by words alone, because nothing of the index has a vector of that model. */
  readonly ranking: 'hybrid' | 'lexical';
}

export interface PassageVector {
  /** Of the passage. */
  readonly key: string;
  /** Kept with single precision. */
  readonly vector: readonly number[];
}

export interface PassageIndexSummary {
  readonly index: string;
  readonly sources: number;
  readonly passages: number;
  /** Of the texts, in UTF-8. */
  readonly bytes: number;
  /** Epoch milliseconds, to the hour. */
  readonly usedAt: number;
}

/** How much a store of passages holds. */
export interface PassageBounds {
  /** Passages of all indexes; as many vectors are kept twice over. */
  readonly passages: number;
  /** Bytes of the texts of all indexes. */
  readonly textBytes: number;
  /** Bytes of all vectors, four a number. */
  readonly vectorBytes: number;
}

/**
 * Bounded: when it is full, whole indexes are forgotten that were not used for longest, and vectors that no index needs. An
 * index that does not fit alone is refused. Safe for several processes at the same time. Methods that take a name throw
 * invalid-request for one that is empty, longer than `PASSAGE_NAME_LENGTH`, or has half a surrogate pair.
 */
export interface PassageStore {
  /**
   * Makes the passages of one source those given. The index is made when it is missing.
   *
   * @param digest of whatever the passages were made of, for `sources`
   * @throws limit-exceeded when the index would not fit; nothing is changed then
   */
  put(source: {
    readonly index: string;
    readonly source: string;
    readonly digest: string;
    readonly passages: readonly Passage[];
  }): Promise<void>;
  /** The digests of the sources of an index; undefined where there is no such index. Counts as a use of it. */
  sources(index: string): Promise<ReadonlyMap<string, string> | undefined>;
  remove(index: string, sources: readonly string[]): Promise<void>;
  /** Texts of the index that have no vector of this model, each once, in the order of their keys. */
  missing(options: {
    readonly index: string;
    readonly model: string;
    readonly most: number;
    /** The last key of the part before. @default the first part */
    readonly after?: string;
  }): Promise<readonly { readonly key: string; readonly text: string }[]>;
  /**
   * Keeps vectors of one model, for every index with passages of these keys. Resolves when they are committed.
   *
   * @param index what they are kept for: its other vectors stay
   * @throws limit-exceeded when they do not fit; none is kept then
   */
  keep(options: {
    readonly index: string;
    readonly model: string;
    readonly vectors: readonly PassageVector[];
  }): Promise<void>;
  /**
   * @param vector of the query, by the model that made those of the passages
   * @throws invalid-request for an index that is not there, and a vector whose length is not that of the index
   */
  find(options: {
    readonly index: string;
    readonly query: string;
    readonly most: number;
    readonly near?: { readonly model: string; readonly vector: readonly number[] };
  }): Promise<PassagesFound>;
  /** Those that were used last come first. @default at most 100 */
  list(limit?: number): Promise<readonly PassageIndexSummary[]>;
  /** Its vectors stay until they are pruned, for when it is made again. @returns whether there was one */
  delete(index: string): Promise<boolean>;
  /** Removes whole indexes that were not used since, and vectors that no index needs. Counts indexes. */
  prune(options: PruneOptions): Promise<Pruned>;
  close(): Promise<void>;
}
