/** A text as the engine sees it: numbered sentences with their stems, and how often each stem occurs. */
import { contentStems, guessLanguage, type Language, sentences } from './language.ts';
import { type Block, readBlocks } from './markdown.ts';

/** Sentences read per text; the rest is ignored. */
const SENTENCE_LIMIT = 20_000;

export interface Passage {
  readonly index: number;
  readonly text: string;
  readonly kind: Block['kind'];
  readonly heading: string;
  /** Content stems in order, repeats kept. */
  readonly stems: readonly string[];
  /** Index of its paragraph in the text. */
  readonly block: number;
  /** Its position in that paragraph, from 0. */
  readonly place: number;
}

export interface Reading {
  readonly language: Language;
  readonly passages: readonly Passage[];
  /** In how many passages each stem occurs. */
  readonly frequency: ReadonlyMap<string, number>;
}

/** Reads a text once; every job works on the result. */
export function read(text: string): Reading {
  const blocks = readBlocks(text);
  const language = guessLanguage(sample(blocks));
  const passages: Passage[] = [];
  const frequency = new Map<string, number>();
  for (const [block, { kind, text: content, heading }] of blocks.entries()) {
    const whole = kind === 'code' || kind === 'row' || kind === 'heading';
    const parts = whole ? [content.slice(0, 2000)] : sentences(content, language);
    for (const [place, part] of parts.entries()) {
      const stems = contentStems(part, language);
      for (const stem of new Set(stems)) frequency.set(stem, (frequency.get(stem) ?? 0) + 1);
      passages.push({ index: passages.length, text: part, kind, heading, stems, block, place });
    }
    if (passages.length >= SENTENCE_LIMIT) break;
  }
  return { language, passages, frequency };
}

function sample(blocks: readonly Block[]): string {
  let found = '';
  for (const { kind, text } of blocks) {
    if (kind !== 'code') found += `${text}\n`;
    if (found.length > 4000) break;
  }
  return found;
}

/** The prose that a summary may quote. Falls back to list items, then to all passages. */
export function prose(reading: Reading): readonly Passage[] {
  const paragraphs = reading.passages.filter(({ kind }) => kind === 'paragraph' || kind === 'item');
  if (paragraphs.length > 0) return paragraphs;
  return reading.passages.filter(({ kind }) => kind !== 'code');
}

/** How rare a stem is among the passages: BM25's inverse document frequency, never negative. */
export function rarity(reading: Reading, stem: string): number {
  const found = reading.frequency.get(stem) ?? 0;
  return Math.log(1 + (reading.passages.length - found + 0.5) / (found + 0.5));
}
