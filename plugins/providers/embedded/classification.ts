/**
 * Classification into given labels by the evidence in the text: the label's own words, the words of its description
 * and the lexicon's cues. The confidence is the label's smoothed share of all evidence, so that without evidence it is
 * one over the number of labels. It is not calibrated.
 */
import { contentStems, guessLanguage, type Language, sentences, stem, words } from './text/language.ts';
import { cuesOf, FALLBACK_LABEL, NEGATIONS, OPPOSITES } from './text/lexicon.ts';

export interface Label {
  readonly name: string;
  /** Its description in the request. */
  readonly description?: string;
}

interface Classification {
  readonly label: string;
  /** 0 to 1. */
  readonly confidence: number;
  /** Each label's share, in the order given; they add up to 1. */
  readonly scores: Readonly<Record<string, number>>;
  /** The labels with any evidence. */
  readonly supported: readonly string[];
  /** The sentence with the most evidence for the label, or ''. */
  readonly evidence: string;
}

/** Characters that are read: the beginning and the end of a longer text. */
const TEXT_LIMIT = 60_000;
const OWN_WORD = 1.5;
const DESCRIPTION_WORD = 1.5;
const CUE = 1;
/** Evidence added to every label (smoothing). */
const PRIOR = 0.5;

interface Cue {
  readonly stems: readonly string[];
  readonly label: number;
  readonly weight: number;
  readonly opposite: number | undefined;
}

/** The label with the most evidence. Without evidence, the label for "other" if there is one, else the first, at chance. */
export function classify(text: string, labels: readonly (string | Label)[]): Classification {
  const known = labels.map((label) => (typeof label === 'string' ? { name: label } : label));
  const shown = text.length <= TEXT_LIMIT ? text : `${text.slice(0, TEXT_LIMIT / 2)}\n${text.slice(-TEXT_LIMIT / 2)}`;
  const language = guessLanguage(shown);
  const cues = indexCues(known, language);
  const totals = known.map(() => 0);
  const evidence = known.map(() => ({ sentence: '', weight: 0 }));
  const seen = new Map<string, number>();
  for (const line of shown.split(/\n+/)) {
    for (const sentence of sentences(line, language)) {
      const found = weigh(sentence, { cues, language, seen, labels: known.length });
      for (const [index, weight] of found.entries()) {
        totals[index] = (totals[index] ?? 0) + weight;
        if (weight > (evidence[index]?.weight ?? 0)) evidence[index] = { sentence, weight };
      }
    }
  }
  return decide(known, totals, evidence);
}

function decide(
  known: readonly Label[],
  totals: readonly number[],
  evidence: readonly { sentence: string }[],
): Classification {
  const sum = totals.reduce((total, value) => total + value, 0);
  const shares = totals.map((value) => (value + PRIOR) / (sum + PRIOR * known.length));
  const highest = Math.max(...totals, 0);
  const fallback = known.findIndex(({ name }) => FALLBACK_LABEL.test(name));
  const best = highest === 0 && fallback !== -1 ? fallback : Math.max(0, totals.indexOf(highest));
  return {
    label: known[best]?.name ?? '',
    // Without evidence the label is a guess, and no threshold should take it for an answer.
    confidence: Math.min(highest > 0 ? 0.95 : fallback === -1 ? 0.25 : 0.5, shares[best] ?? 0),
    scores: Object.fromEntries(known.map(({ name }, index) => [name, shares[index] ?? 0])),
    supported: known.filter((_, index) => (totals[index] ?? 0) > 0).map(({ name }) => name),
    evidence: highest === 0 ? '' : (evidence[best]?.sentence ?? ''),
  };
}

/** Cues by their first stem. A cue that several labels share has less weight for each. */
function indexCues(labels: readonly Label[], language: Language): Map<string, Cue[]> {
  const concepts = labels.map(({ name }) => cuesOf(name));
  const all: Cue[] = [];
  for (const [label, { name, description }] of labels.entries()) {
    const concept = concepts[label];
    const turned = OPPOSITES.get(concept?.concept ?? '');
    const found = concepts.findIndex((other) => other.concept === turned);
    const opposite = turned === undefined || found === -1 ? undefined : found;
    const add = (stems: readonly string[], weight: number) => {
      if (stems.length > 0) all.push({ stems, label, weight, opposite });
    };
    // A label such as "a" has no word that a text could contain as evidence.
    const own = name.replace(/[_/-]+/g, ' ');
    if (contentStems(own, language).length > 0) add(stemsOf(own, language), OWN_WORD);
    for (const word of new Set(contentStems(description ?? '', language))) add([word], DESCRIPTION_WORD);
    for (const cue of new Set((concept?.cues ?? []).map((text) => stemsOf(text, language).join(' ')))) {
      add(cue.split(' '), cue.includes(' ') ? CUE * 1.5 : CUE);
    }
  }
  return byFirstStem(all);
}

function byFirstStem(all: readonly Cue[]): Map<string, Cue[]> {
  const holders = new Map<string, Map<number, Cue>>();
  for (const cue of all) {
    const key = cue.stems.join(' ');
    const held = holders.get(key) ?? new Map<number, Cue>();
    if ((held.get(cue.label)?.weight ?? 0) < cue.weight) held.set(cue.label, cue);
    holders.set(key, held);
  }
  const index = new Map<string, Cue[]>();
  for (const held of holders.values()) {
    for (const cue of held.values()) {
      const first = cue.stems[0] ?? '';
      const list = index.get(first) ?? [];
      list.push({ ...cue, weight: cue.weight / held.size });
      index.set(first, list);
    }
  }
  return index;
}

const stemsOf = (text: string, language: Language): string[] =>
  words(text, language).map((word) => stem(word, language));

interface Weighing {
  readonly cues: ReadonlyMap<string, readonly Cue[]>;
  readonly language: Language;
  /** How often each cue was found: each repetition counts less. */
  readonly seen: Map<string, number>;
  readonly labels: number;
}

function weigh(sentence: string, { cues, language, seen, labels }: Weighing): number[] {
  const totals = new Array<number>(labels).fill(0);
  const plain = words(sentence, language);
  const stems = plain.map((word) => stem(word, language));
  for (const [at, first] of stems.entries()) {
    for (const cue of cues.get(first) ?? []) {
      if (!cue.stems.every((part, offset) => stems[at + offset] === part)) continue;
      const key = `${cue.label}/${cue.stems.join(' ')}`;
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      const negated = plain.slice(Math.max(0, at - 3), at).some((word) => NEGATIONS.has(word));
      const label = negated && cue.opposite !== undefined ? cue.opposite : cue.label;
      totals[label] = (totals[label] ?? 0) + cue.weight / times;
    }
  }
  return totals;
}
