/** An index of the text files of the opened folder, in memory: a file is read again only when it has changed. */
import { searchableText, type WordIndex, wordIndex } from 'polyphony/kit';
import { type FolderOptions, failed, listFilesIn, openIn, readFileIn, tooMany } from '../files/folder.ts';
import { formatOf, type Piece, splitText } from './split.ts';

export interface FolderIndexOptions extends FolderOptions {
  /** Of all texts that the index holds. */
  readonly maxIndexBytes: number;
}

interface IndexedFile {
  readonly mark: string;
  readonly bytes: number;
  readonly pieces: readonly Piece[];
  readonly index: WordIndex;
}

/** In the order of their last use, the oldest first. */
export type FolderIndex = Map<string, IndexedFile>;

const SIZE = 1200;
const MAX_PIECES_OF_FILE = 10_000;

/** The indexes of the files that match, in their order. @throws tool-failed when they are too many or too large */
export async function indexedFiles(
  known: FolderIndex,
  options: FolderIndexOptions,
  pattern: string,
  signal: AbortSignal,
): Promise<readonly IndexedFile[]> {
  const { files, truncated } = await listFilesIn(options, pattern, signal);
  const most = options.maxIndexBytes;
  if (truncated) throw tooMany(options, pattern);
  const indexed: IndexedFile[] = [];
  let bytes = 0;
  for (const path of files) {
    signal.throwIfAborted();
    const file = await indexedFile(known, options, path);
    bytes += file?.bytes ?? 0;
    if (bytes > most)
      throw failed(`The files of "${pattern}" have more than ${most} bytes: give a pattern that fits fewer.`);
    if (file !== undefined) indexed.push(file);
  }
  forget(known, most);
  return indexed;
}

/** Undefined for what is no text. */
async function indexedFile(
  known: FolderIndex,
  options: FolderIndexOptions,
  path: string,
): Promise<IndexedFile | undefined> {
  const mark = await markOf(options, path);
  const before = known.get(path);
  known.delete(path);
  const file = before !== undefined && before.mark === mark ? before : await readAnew(options, path, mark);
  if (file !== undefined) known.set(path, file);
  return file;
}

async function markOf(options: FolderIndexOptions, path: string): Promise<string> {
  const { handle } = await openIn(options, path);
  try {
    const { ino, size, mtimeMs } = await handle.stat();
    return `${ino} ${size} ${mtimeMs}`;
  } finally {
    await handle.close();
  }
}

async function readAnew(options: FolderIndexOptions, path: string, mark: string): Promise<IndexedFile | undefined> {
  const text = await readFileIn(options, path).then(
    (content) => content.text,
    // Binary or too large, as the folder may hold anything.
    () => undefined,
  );
  if (text === undefined) return undefined;
  const pieces = splitText(text, { source: path, format: formatOf(path), size: SIZE, overlap: 0 }, MAX_PIECES_OF_FILE);
  return { mark, bytes: Buffer.byteLength(text), pieces, index: wordIndex(pieces.map(searchableText)) };
}

function forget(known: FolderIndex, most: number): void {
  let bytes = 0;
  for (const file of known.values()) bytes += file.bytes;
  for (const [path, file] of known) {
    if (bytes <= most) return;
    known.delete(path);
    bytes -= file.bytes;
  }
}
