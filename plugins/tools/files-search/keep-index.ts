/** Keeps an index of the store equal to files or documents: only what has changed is split and written. */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Passage, type PassageStore, searchableText, type ToolContext } from 'polyphony/kit';
import { failed, listFilesIn, readFileIn, tooMany } from '../files/folder.ts';
import type { FolderIndexOptions } from './folder-index.ts';
import { formatOf, type SplitOptions, splitText } from './split.ts';
import { type Document, textsOf } from './texts.ts';

export interface IndexInput {
  readonly index: string;
  readonly pattern?: string;
  readonly documents?: readonly unknown[];
  readonly format?: SplitOptions['format'];
  readonly size: number;
  readonly overlap: number;
}

export interface KeptIndex {
  readonly index: string;
  readonly sources: number;
  /** Sources that were written and that are gone. */
  readonly changed: number;
  readonly removed: number;
}

/** What a store writes of a passage besides its texts: its key, its place, and where its words are. */
const PASSAGE_BYTES = 512;

/** Its words are written once more, for the search. */
const writtenBytes = (index: string, passages: readonly Passage[]): number =>
  passages.reduce(
    (sum, passage) =>
      sum + PASSAGE_BYTES + Buffer.byteLength(index + passage.source) + 2 * Buffer.byteLength(searchableText(passage)),
    PASSAGE_BYTES,
  );

/** Of one source; the store bounds them all. */
const MAX_PASSAGES = 10_000;

/** @throws tool-failed, and limit-exceeded when the index does not fit into the store */
export async function keepIndex(
  input: IndexInput,
  store: PassageStore,
  folder: FolderIndexOptions,
  { signal, countWritten }: Pick<ToolContext, 'signal' | 'countWritten'>,
): Promise<KeptIndex> {
  const { index, pattern, documents } = input;
  if ((pattern === undefined) === (documents === undefined))
    throw failed('Give either "pattern" or "documents", and not both.');
  const known = (await store.sources(index)) ?? new Map<string, string>();
  const sources = new Set<string>();
  let changed = 0;
  const given = pattern === undefined ? textsOf(documents ?? []) : filesOf(folder, pattern, signal);
  for await (const document of given) {
    signal.throwIfAborted();
    if (sources.has(document.source))
      throw failed(`Two documents have the source "${document.source}": give each one of its own.`);
    sources.add(document.source);
    const digest = digestOf(document, input);
    if (known.get(document.source) === digest) continue;
    changed += 1;
    const passages = await passagesOf(document, input);
    signal.throwIfAborted();
    countWritten?.(writtenBytes(index, passages));
    await store.put({ index, source: document.source, digest, passages });
  }
  if (sources.size === 0)
    throw failed(`There is no text to keep in the index "${index}": give files or documents that have some.`);
  const gone = [...known.keys()].filter((source) => !sources.has(source));
  if (gone.length > 0) await store.remove(index, gone);
  return { index, sources: sources.size, changed, removed: gone.length };
}

async function* filesOf(folder: FolderIndexOptions, pattern: string, signal: AbortSignal): AsyncGenerator<Document> {
  const { files, truncated } = await listFilesIn(folder, pattern, signal);
  if (truncated) throw tooMany(folder, pattern);
  if (files.length === 0) throw failed(`No file matches "${pattern}": correct the pattern, or the folder of the tool.`);
  for (const path of files) {
    // Binary or too large, as the folder may hold anything.
    const text = await readFileIn(folder, path).then(
      (content) => content.text,
      () => undefined,
    );
    if (text !== undefined) yield { text, source: path };
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Also of how it is split. */
const digestOf = ({ text, source }: Document, { format, size, overlap }: IndexInput): string =>
  sha256(JSON.stringify([format ?? formatOf(source), size, overlap, text]));

/** Passages between two turns of the event loop: others have theirs while a long text is prepared. */
const PASSAGES_PER_TURN = 500;

async function passagesOf(
  { text, source }: Document,
  { format, size, overlap }: IndexInput,
): Promise<readonly Passage[]> {
  const pieces = splitText(text, { source, size, overlap, format: format ?? formatOf(source) }, MAX_PASSAGES);
  if (pieces.length > MAX_PASSAGES)
    throw failed(`"${source}" has more than ${MAX_PASSAGES} passages: give a larger "size", or a shorter text.`);
  const passages: Passage[] = [];
  for (const piece of pieces) {
    if (passages.length % PASSAGES_PER_TURN === 0) await setImmediate();
    passages.push({ ...piece, key: sha256(searchableText(piece)) });
  }
  return passages;
}
