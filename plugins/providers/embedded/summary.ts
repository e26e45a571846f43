/**
 * Extractive summaries: the most representative sentences of a text, in their own order. `fast` scores sentences by frequent
 * stems and position; `thorough` ranks the best of these with TextRank. Both drop sentences that repeat a chosen one
 * (maximal marginal relevance, Carbonell and Goldstein 1998).
 */
import { joiner } from './text/language.ts';
import { type Passage, prose, type Reading } from './text/passages.ts';
import { likeness, rankSentences, vectors } from './text/ranking.ts';

export type Effort = 'fast' | 'thorough';

export interface Extract {
  readonly text: string;
  readonly sentences: readonly string[];
  /** 0 to 1. */
  readonly confidence: number;
}

interface SummaryOptions {
  /** @default 3 */
  readonly sentences?: number;
  /** Maximum number of words; whole sentences are kept. @default no limit */
  readonly words?: number;
  readonly effort?: Effort;
}

/** Sentences that enter the graph: 300 need at most 44,850 comparisons. */
const GRAPH_LIMIT = 300;
const MOST_SENTENCES = 50;
/** Beginnings that refer to the previous sentence, which the summary may lack. */
const POINTING_BACK =
  /^(?:this|that|these|those|it|its|they|their|he|she|his|her|such|however|therefore|thus|hence|but|and|or|so|also|then|otherwise|instead|moreover|furthermore|additionally|similarly|in addition|for example|for instance|as a result|dies|diese[rs]?|daher|deshalb|jedoch|ce|cette|ceci|cependant|esto|esta|sin embargo|questo|questa|tuttavia|isto|isso|dit|deze|echter)\b/i;
const BOILERPLATE =
  /^(?:see|note|click|for (?:more|further) (?:details|information))\b|^please (?:don't|do not|see|note|read)\b|copyright|©|all rights reserved/i;
/** Greetings and closings of letters. */
export const COURTESY =
  /^(?:(?:best|kind|warm) )?(?:regards|wishes)\b|^(?:sincerely|thanks|thank you|cheers|hello|hi|dear)\b/i;

/** The most representative sentences. */
export function summarise(reading: Reading, options: SummaryOptions = {}): Extract {
  const candidates = prose(reading);
  const wanted = Math.max(1, Math.min(MOST_SENTENCES, Math.floor(options.sentences ?? 3)));
  const light = frequencyScores(reading, candidates);
  const pool = best(candidates, light, GRAPH_LIMIT);
  const unit = vectors(pool.map(({ stems }) => stems));
  const ranks = options.effort === 'thorough' ? rankSentences(unit) : undefined;
  const scores = pool.map((passage, index) => {
    const base = light.get(passage.index) ?? 0;
    const rank = ranks?.[index];
    return rank === undefined
      ? base + leadBonus(passage, candidates)
      : 0.35 * base + 0.65 * rank * fitness(passage) + leadBonus(passage, candidates);
  });
  const chosen = choose(pool, scores, unit, { wanted, words: options.words ?? Number.POSITIVE_INFINITY });
  const found = chosen.map(({ text }) => text);
  return { text: found.join(joiner(reading.language)), sentences: found, confidence: coverage(reading, chosen) };
}

/** Mean weight of a sentence's stems, times its fitness, plus a bonus for its position. */
function frequencyScores(reading: Reading, candidates: readonly Passage[]): Map<number, number> {
  const counts = new Map<string, number>();
  for (const { stems } of candidates) for (const stem of stems) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  const raw = candidates.map((passage, order) => {
    let sum = 0;
    for (const stem of new Set(passage.stems)) sum += Math.log(1 + (counts.get(stem) ?? 0));
    const mean = sum / Math.sqrt(Math.max(6, passage.stems.length));
    return mean * fitness(passage) * placeLift(reading, passage, order, candidates.length);
  });
  const highest = raw.reduce((most, value) => Math.max(most, value), 0) || 1;
  return new Map(candidates.map((passage, index) => [passage.index, (raw[index] ?? 0) / highest]));
}

/** The beginning of a text most often says what it is about, which the graph does not know. */
function leadBonus(passage: Passage, candidates: readonly Passage[]): number {
  const opens = passage.index === candidates[0]?.index && passage.stems.length >= 3 && passage.text.length < 400;
  return opens && !BOILERPLATE.test(passage.text) && !COURTESY.test(passage.text) ? 0.8 : 0;
}

function placeLift(reading: Reading, passage: Passage, order: number, total: number): number {
  const lead = order < 3 ? 1.35 - 0.1 * order : 1;
  const opening = passage.place === 0 ? 1.1 : 1;
  const close = total > 8 && order >= total - 2 ? 1.05 : 1;
  const titled = passage.heading !== '' && reading.passages[0]?.heading === passage.heading ? 1.05 : 1;
  return lead * opening * close * titled;
}

/** How well a sentence reads on its own: complete, of readable length, not mostly symbols. 0 to 1. */
function fitness({ text, stems, kind }: Passage): number {
  let value = 1;
  const symbols = (text.match(/[^\p{L}\p{N}\s.,;:'’"“”()-]/gu) ?? []).length / Math.max(1, text.length);
  const digits = (text.match(/\p{N}/gu) ?? []).length / Math.max(1, text.length);
  if (stems.length < 4) value *= 0.35;
  if (text.length > 350) value *= 0.65;
  if (text.length > 700) value *= 0.3;
  if (symbols > 0.06) value *= 0.5;
  if (digits > 0.15) value *= 0.6;
  if (!/[.!?…。！？]["'”’)\]]*$/.test(text)) value *= kind === 'item' ? 0.6 : 0.5;
  if (/^https?:|^\W*$/.test(text)) value *= 0.1;
  if (text.endsWith('?')) value *= 0.7;
  if (POINTING_BACK.test(text)) value *= 0.75;
  if (BOILERPLATE.test(text)) value *= 0.4;
  if (text.length < 80 && COURTESY.test(text)) value *= 0.1;
  return kind === 'item' ? value * 0.85 : value;
}

function best(candidates: readonly Passage[], scores: ReadonlyMap<number, number>, limit: number): Passage[] {
  const value = (passage: Passage) => scores.get(passage.index) ?? 0;
  return [...candidates]
    .sort((a, b) => value(b) - value(a) || a.index - b.index)
    .slice(0, limit)
    .sort((a, b) => a.index - b.index);
}

function choose(
  pool: readonly Passage[],
  scores: readonly number[],
  unit: ReturnType<typeof vectors>,
  bounds: { readonly wanted: number; readonly words: number },
): Passage[] {
  const chosen: number[] = [];
  const nearest = pool.map(() => 0);
  let left = bounds.words;
  while (chosen.length < Math.min(bounds.wanted, pool.length)) {
    const next = bestRemaining(scores, nearest, chosen);
    const passage = next === undefined ? undefined : pool[next];
    const vector = next === undefined ? undefined : unit[next];
    if (next === undefined || passage === undefined || vector === undefined) break;
    left -= passage.text.split(' ').length;
    if (left < 0 && chosen.length > 0) break;
    chosen.push(next);
    for (const [index, other] of unit.entries()) {
      nearest[index] = Math.max(nearest[index] ?? 0, likeness(vector, other));
    }
  }
  return chosen.sort((a, b) => a - b).flatMap((index) => pool[index] ?? []);
}

function bestRemaining(
  scores: readonly number[],
  nearest: readonly number[],
  chosen: readonly number[],
): number | undefined {
  let found: number | undefined;
  let highest = Number.NEGATIVE_INFINITY;
  for (const [index, score] of scores.entries()) {
    if (chosen.includes(index) || (nearest[index] ?? 0) > 0.85) continue;
    const value = score * (1 - 0.7 * (nearest[index] ?? 0));
    if (value > highest) {
      highest = value;
      found = index;
    }
  }
  return found;
}

/** Share of the text's weight of frequent stems in the chosen sentences, as a confidence from 0.3 to 0.95. */
function coverage(reading: Reading, chosen: readonly Passage[]): number {
  if (chosen.length === 0) return 0;
  const held = new Set(chosen.flatMap(({ stems }) => stems));
  const top = [...reading.frequency].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 30);
  const total = top.reduce((sum, [, count]) => sum + count, 0);
  const kept = top.reduce((sum, [stem, count]) => sum + (held.has(stem) ? count : 0), 0);
  return total === 0 ? 0.3 : 0.3 + 0.65 * (kept / total);
}
