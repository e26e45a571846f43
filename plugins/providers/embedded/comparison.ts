/** Compares texts: shared and distinct key terms, similarity, and the most typical sentences of each. */

import { keyTerms } from './terms.ts';
import { joiner } from './text/language.ts';
import { prose, type Reading } from './text/passages.ts';
import { likeness, vectors } from './text/ranking.ts';

export interface Comparison {
  /** Cosine of the texts' stems, 0 to 1. */
  readonly similarity: number;
  readonly shared: readonly string[];
  readonly documents: readonly {
    readonly name: string;
    /** Key terms that no other text contains. */
    readonly distinct: readonly string[];
    /** Sentences that contain most of them. */
    readonly typical: string;
  }[];
  readonly confidence: number;
}

interface NamedReading {
  readonly name: string;
  readonly reading: Reading;
}

const TERMS = 60;
const SHOWN = 8;

/** Compares two or more texts; the similarity of more than two is the mean over all pairs. */
export function compare(documents: readonly NamedReading[]): Comparison {
  const terms = documents.map(({ reading }) => keyTerms(reading, TERMS));
  const holds = (index: number, stems: readonly string[]) =>
    stems.every((stem) => documents[index]?.reading.frequency.has(stem) === true);
  const shared = new Map<string, { term: string; score: number }>();
  for (const { term, stems, score } of terms.flat()) {
    if (!documents.every((_, index) => holds(index, stems))) continue;
    const key = stems.join(' ');
    const known = shared.get(key);
    shared.set(key, { term: known?.term ?? term, score: (known?.score ?? 0) + score });
  }
  const bySharing = [...shared.values()].sort((a, b) => b.score - a.score || (a.term < b.term ? -1 : 1));
  return {
    similarity: similarity(documents),
    shared: bySharing.slice(0, SHOWN).map(({ term }) => term),
    documents: documents.map(({ name, reading }, index) => {
      const own = (terms[index] ?? []).filter(({ stems }) =>
        documents.every((_, other) => other === index || !holds(other, stems)),
      );
      const distinct = own.slice(0, SHOWN);
      return { name, distinct: distinct.map(({ term }) => term), typical: typicalSentences(reading, distinct) };
    }),
    confidence: documents.every(({ reading }) => reading.passages.length > 2) ? 0.7 : 0.5,
  };
}

function similarity(documents: readonly NamedReading[]): number {
  const unit = documents.map(({ reading }) => vectors([prose(reading).flatMap(({ stems }) => stems)])[0]);
  let sum = 0;
  let pairs = 0;
  for (const [index, a] of unit.entries()) {
    for (const b of unit.slice(index + 1)) {
      sum += a === undefined || b === undefined ? 0 : likeness(a, b);
      pairs++;
    }
  }
  return pairs === 0 ? 1 : sum / pairs;
}

function typicalSentences(reading: Reading, distinct: readonly { stems: readonly string[]; score: number }[]): string {
  const weights = new Map<string, number>();
  for (const { stems, score } of distinct)
    for (const stem of stems) weights.set(stem, Math.max(score, weights.get(stem) ?? 0));
  const scored = prose(reading)
    .filter(({ text, stems }) => text.length <= 400 && stems.length >= 3)
    .map((passage) => {
      const held = [...new Set(passage.stems)].reduce((sum, stem) => sum + (weights.get(stem) ?? 0), 0);
      return { passage, score: held / Math.sqrt(8 + passage.stems.length) };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.passage.index - b.passage.index)
    .slice(0, 2)
    .sort((a, b) => a.passage.index - b.passage.index);
  return scored.map(({ passage }) => passage.text).join(joiner(reading.language));
}

/** A comparison as text. */
export function describeComparison({ similarity: alike, shared, documents }: Comparison): string {
  const list = (terms: readonly string[]) => (terms.length === 0 ? 'none' : terms.join(', '));
  const lines = [
    `Similarity of wording: ${alike.toFixed(2)} (0 = nothing shared, 1 = the same words).`,
    `Shared key terms: ${list(shared)}.`,
  ];
  for (const { name, distinct } of documents) lines.push(`Only in ${name}: ${list(distinct)}.`);
  const quotes = documents
    .filter(({ typical }) => typical !== '')
    .map(({ name, typical }) => `Typical of ${name}: ${typical}`);
  return [lines.join('\n'), ...quotes].join('\n\n');
}
