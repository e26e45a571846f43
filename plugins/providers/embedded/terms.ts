/**
 * Key terms: runs of content words, as in RAKE (Rose et al. 2010), weighted by the TextRank of their words and by how
 * often the run itself occurs.
 */

import { COURTESY } from './summary.ts';
import { isContentWord, type Language, stem, words } from './text/language.ts';
import { type Passage, prose, type Reading } from './text/passages.ts';
import { rankWords } from './text/ranking.ts';

interface Term {
  /** In the spelling that the text uses most often. */
  readonly term: string;
  /** 0 to 1; the best term has 1. */
  readonly score: number;
  readonly count: number;
  readonly stems: readonly string[];
}

/** Sentences whose words enter the graph. */
const PASSAGE_LIMIT = 3000;
const LONGEST_RUN = 3;
/** Content words that are no term on their own. */
const VAGUE = new Set(
  `one two three first second third new good better best big small different able example thing way lot kind sort case part
  number time people work need mean help provide include allow following available various etc e.g i.e come look find know think
  tell today day year currently simply possible important well call add set run certain own right main instead note later
  become becomes happen return returns see example examples yesterday tomorrow already soon maybe might keep start end full general`.split(
    /\s+/,
  ),
);

interface Candidate {
  readonly spellings: Map<string, number>;
  readonly stems: readonly string[];
  count: number;
}

/** The `n` terms that a text is about, best first. */
export function keyTerms(reading: Reading, n = 10): Term[] {
  const perPassage = contentRuns(reading).map((runs) =>
    runs.map((run) => run.map((word) => ({ word, stem: stem(word.toLowerCase(), reading.language) }))),
  );
  // Words are neighbours even across function words; a term is a run without function words.
  const ranks = rankWords(perPassage.map((runs) => runs.flat().map((part) => part.stem)));
  const candidates = collectRuns(perPassage.flat());
  const scored = [...candidates.values()].map((candidate) => ({ ...candidate, score: weigh(candidate, ranks) }));
  scored.sort((a, b) => b.score - a.score || (a.stems.join(' ') < b.stems.join(' ') ? -1 : 1));
  const chosen = withoutOverlap(scored, Math.max(1, n));
  const highest = chosen[0]?.score || 1;
  return chosen.map(({ spellings, stems, count, score }) => ({
    term: commonSpelling(spellings),
    score: score / highest,
    count,
    stems,
  }));
}

/** The runs of content words of each heading and sentence. */
function contentRuns(reading: Reading): string[][][] {
  const passages = prose(reading)
    .filter(({ text }) => text.length >= 80 || !COURTESY.test(text))
    .slice(0, PASSAGE_LIMIT);
  const headings = reading.passages.filter(({ kind }) => kind === 'heading').slice(0, 300);
  return [...headings, ...passages].map((passage) => splitRuns(passage, reading.language));
}

function splitRuns({ text }: Passage, language: Language): string[][] {
  const runs: string[][] = [];
  const plain = text.replace(/https?:\/\/\S+|\S+@\S+\.\S+/g, ' , ');
  // Punctuation ends a run, as do function words and bare numbers.
  for (const clause of plain.split(/[,;:!?()[\]{}"“”<>|/\\=+*#&…。、！？]+|\.(?:\s|$)|\s[-–—]\s/u)) {
    let run: string[] = [];
    const spelled = spellings(clause, language);
    for (const word of spelled) {
      if (isTermWord(word.toLowerCase(), language)) run.push(word);
      else {
        if (run.length > 0) runs.push(run);
        run = [];
      }
    }
    if (run.length > 0) runs.push(run);
  }
  return runs;
}

/** The words of a clause with their own capitals, where lower-casing keeps their length. */
function spellings(clause: string, language: Language): string[] {
  const lower = clause.toLowerCase();
  const sameLength = lower.length === clause.length;
  let at = 0;
  return words(clause, language).map((word) => {
    const start = sameLength ? lower.indexOf(word, at) : -1;
    if (start === -1) return word;
    at = start + word.length;
    return clause.slice(start, at);
  });
}

function isTermWord(word: string, language: Language): boolean {
  if (!isContentWord(word, language) || VAGUE.has(word) || word.includes("'")) return false;
  if (/^[\p{L}]$/u.test(word) && /\p{Script=Latin}/u.test(word)) return false;
  return /\p{L}/u.test(word) && word.length <= 40;
}

interface TermWord {
  readonly word: string;
  readonly stem: string;
}

function collectRuns(runs: readonly (readonly TermWord[])[]): Map<string, Candidate> {
  const candidates = new Map<string, Candidate>();
  for (const run of runs) {
    for (let length = 1; length <= Math.min(LONGEST_RUN, run.length); length++) {
      for (let start = 0; start + length <= run.length; start++) {
        const part = run.slice(start, start + length);
        const stems = part.map((word) => word.stem);
        if (new Set(stems).size === stems.length) count(candidates, stems, part.map(({ word }) => word).join(' '));
      }
    }
  }
  return candidates;
}

function count(candidates: Map<string, Candidate>, stems: readonly string[], spelling: string): void {
  const key = stems.join(' ');
  const known = candidates.get(key) ?? { spellings: new Map<string, number>(), stems, count: 0 };
  known.count++;
  known.spellings.set(spelling, (known.spellings.get(spelling) ?? 0) + 1);
  candidates.set(key, known);
}

/** Mean rank of the words, raised by length and by how often the run occurs; a longer run must occur twice to count. */
function weigh({ stems, count: found }: Candidate, ranks: ReadonlyMap<string, number>): number {
  const sum = stems.reduce((total, part) => total + (ranks.get(part) ?? 0), 0);
  const mean = sum / stems.length;
  const repeated = stems.length === 1 ? 1 : found > 1 ? 1.5 + 0.2 * stems.length : 0.6;
  return mean * repeated * (1 + Math.log(found));
}

/** A term is dropped when a better one contains all its words, or is part of it and nearly always occurs with it. */
function withoutOverlap<T extends Candidate>(scored: readonly T[], n: number): T[] {
  const chosen: T[] = [];
  for (const candidate of scored) {
    if (chosen.length >= n) break;
    const clash = chosen.some(
      ({ stems }) =>
        candidate.stems.every((part) => stems.includes(part)) || stems.every((part) => candidate.stems.includes(part)),
    );
    const shared = chosen.filter(({ stems }) => stems.some((part) => candidate.stems.includes(part))).length;
    if (!clash && shared < 2) chosen.push(candidate);
  }
  return chosen;
}

function commonSpelling(spelled: ReadonlyMap<string, number>): string {
  let found = '';
  let most = 0;
  for (const [spelling, times] of spelled) {
    // On a tie the lower-case spelling wins: a capital may only be the start of a sentence.
    if (times > most || (times === most && spelling > found)) {
      found = spelling;
      most = times;
    }
  }
  return found;
}
