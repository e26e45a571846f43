/**
 * Cuts texts into pieces that are whole passages where they can be. A piece is exactly a slice of its source, so what is found
 * in it can be shown there.
 */
import type { Passage } from 'polyphony/kit';

/** A passage: its `text` is `source.slice(start, end)`. */
export type Piece = Omit<Passage, 'key'>;

export interface SplitOptions {
  readonly source: string;
  readonly format: 'markdown' | 'text';
  /** The most characters of a piece. */
  readonly size: number;
  /** How many characters of the piece before may be repeated, less than half of `size`. */
  readonly overlap: number;
}

/** A passage: no blank line within, but for those of a code block. */
interface Block {
  readonly start: number;
  readonly end: number;
  readonly heading?: string | undefined;
  readonly opensSection: boolean;
}

const MAX_HEADING = 200;

export const formatOf = (source: string): SplitOptions['format'] =>
  /\.(?:md|mdx|markdown)$/i.test(source) ? 'markdown' : 'text';

/** Linear in the text. Returns at most one piece more than `most`, which the caller refuses. */
export function splitText(text: string, options: SplitOptions, most: number): readonly Piece[] {
  const lineAt = lineCounter(text);
  const pieces: Piece[] = [];
  for (const { start, end, heading } of spansOf(text, options)) {
    const piece: Piece = {
      text: text.slice(start, end),
      source: options.source,
      start,
      end,
      line: lineAt(start),
      endLine: lineAt(Math.max(start, end - 1)),
    };
    pieces.push(heading === undefined ? piece : { ...piece, heading });
    if (pieces.length > most) break;
  }
  return pieces;
}

/** For positions in any order that mostly grows; each step counts the lines between. */
function lineCounter(text: string): (position: number) => number {
  const starts: number[] = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (position) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

type Span = Pick<Block, 'start' | 'end' | 'heading'>;

/** Passages of one section together, up to the size; a longer passage in parts. */
function* spansOf(text: string, options: SplitOptions): Generator<Span> {
  const { size, overlap } = options;
  let open: Span | undefined;
  for (const block of blocksOf(text, options.format)) {
    if (open !== undefined && !block.opensSection && block.end - open.start <= size) {
      open = { ...open, end: block.end };
      continue;
    }
    if (open !== undefined) yield open;
    const isNext = open !== undefined && !block.opensSection;
    const earliest = isNext ? Math.max(open?.start ?? 0, block.start - overlap) : block.start;
    let start = overlap > 0 && isNext ? afterSpace(text, earliest, block.start) : block.start;
    while (block.end - start > size) {
      const end = cutBefore(text, start, start + size);
      yield { start, end: trimmedEnd(text, start, end), heading: block.heading };
      start = overlap > 0 ? afterSpace(text, Math.max(start + 1, end - overlap), end) : skipSpace(text, end);
    }
    open = start < block.end ? { start, end: block.end, heading: block.heading } : undefined;
  }
  if (open !== undefined) yield open;
}

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13) || code === 0xa0 || code === 0x3000;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function trimmedEnd(text: string, start: number, from: number): number {
  let at = from;
  while (at > start + 1 && isSpace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** The first beginning of a word from a position on; the limit where there is none. */
function afterSpace(text: string, from: number, limit: number): number {
  if (from === 0) return skipSpace(text, 0);
  for (let at = from; at < limit; at += 1) {
    if (isSpace(text.charCodeAt(at - 1)) && !isSpace(text.charCodeAt(at))) return at;
  }
  return skipSpace(text, limit);
}

/** The best place to cut in the second half: after a line, a sentence, a word; else anywhere but within a character. */
function cutBefore(text: string, start: number, limit: number): number {
  const least = start + ((limit - start) >> 1);
  let word = -1;
  let sentence = -1;
  for (let at = limit; at > least; at -= 1) {
    const code = text.charCodeAt(at - 1);
    if (code === 10) return at;
    if (!isSpace(code)) continue;
    if (word === -1) word = at;
    if (sentence === -1 && '.!?。！？:;'.includes(text.charAt(at - 2))) sentence = at;
  }
  if (sentence !== -1) return sentence;
  if (word !== -1) return word;
  const isHalf = (text.charCodeAt(limit - 1) & 0xfc00) === 0xd800;
  return isHalf && limit - 1 > start ? limit - 1 : limit;
}

/** Passages in order, without the blank lines between them. */
function* blocksOf(text: string, format: SplitOptions['format']): Generator<Block> {
  const headings: string[] = [];
  let fence = '';
  let open: { start: number; end: number; opensSection: boolean; heading: string | undefined } | undefined;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, end);
    const level = format === 'markdown' && fence === '' ? headingLevel(line) : 0;
    if (format === 'markdown') fence = fenceAfter(fence, line);
    const isBlank = line.trim() === '';
    if (open !== undefined && (level > 0 || (isBlank && fence === ''))) {
      yield open;
      open = undefined;
    }
    if (level > 0) {
      headings.length = Math.min(headings.length, level - 1);
      headings[level - 1] = line.slice(level, level + MAX_HEADING).trim();
    }
    if (!isBlank || (open !== undefined && fence !== '')) {
      open ??= { start: at, end, opensSection: level > 0, heading: pathOf(headings) };
      open.end = isBlank ? open.end : at + line.trimEnd().length;
    }
    at = end;
  }
  if (open !== undefined) yield open;
}

/** Levels may be left out on the way. */
function pathOf(headings: readonly string[]): string | undefined {
  const path = headings.filter((name) => name !== undefined && name !== '').join(' > ');
  return path === '' ? undefined : path.slice(0, MAX_HEADING);
}

function headingLevel(line: string): number {
  let level = 0;
  while (line.charAt(level) === '#') level += 1;
  return level <= 6 && isSpace(line.charCodeAt(level)) ? level : 0;
}

/** The mark that ends the code block that is open after the line; empty outside of one. */
function fenceAfter(fence: string, line: string): string {
  const text = line.trimStart();
  const mark = text.startsWith('```') ? '```' : text.startsWith('~~~') ? '~~~' : '';
  if (fence === '') return mark;
  return mark === fence ? '' : fence;
}
