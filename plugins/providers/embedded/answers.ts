/**
 * Answers by quotation: the sentences that match a question best by BM25 (Robertson and Zaragoza 2009) over its stems,
 * with a higher score for the kind of thing that the question asks for. A question whose words the text lacks has no answer.
 */
import { type EntityKind, entities, numbers } from './text/entities.ts';
import { kinFinder } from './text/kin.ts';
import { contentStems, guessLanguage, joiner, stem } from './text/language.ts';
import { type Passage, type Reading, rarity } from './text/passages.ts';
import { SPACED_LANGUAGES, stopWords } from './text/stop-words.ts';

export interface Answer {
  /** False: the text does not answer, and `text` is ''. */
  readonly found: boolean;
  readonly text: string;
  readonly sentences: readonly string[];
  /** 0 to 1. Low for `found: false`, because the certainty that there is no answer is unknown. */
  readonly confidence: number;
}

const SATURATION = 1.2;
const LENGTH_WEIGHT = 0.5;
/** Share of the question's weight that the best sentence and its surroundings must contain. */
const THRESHOLD = 0.5;
const NEARBY = 0.45;

type AnswerKind = 'person' | 'time' | 'place' | 'quantity' | 'reason' | 'manner' | 'definition' | 'other';

const KINDS: readonly (readonly [AnswerKind, RegExp])[] = [
  [
    'quantity',
    /\bhow (?:many|much|long|old|far|often|big|large|tall|fast)\b|\bwie ?viele?\b|\bcombien\b|\bcuánt|\bquant[oi]\b|\bhoeveel\b|いくつ|いくら|何人|何個|多少|몇|\bwhat (?:is the )?(?:price|cost|number|amount|size|percentage)\b/i,
  ],
  [
    'time',
    /\bwhen\b|\bwhat (?:year|date|day|time)\b|\bwhich (?:year|date|day)\b|\bwann\b|\bquand\b|\bcuándo\b|\bquando\b|\bwanneer\b|いつ|何年|何月|什么时候|언제/i,
  ],
  ['person', /\bwho(?:m|se)?\b|\bwer\b|\bwem\b|\bqui\b|\bquién\b|\bchi\b|\bquem\b|\bwie is\b|誰|だれ|谁|누구/i],
  [
    'place',
    /\bwhere\b|\bwhich (?:city|country|place)\b|\bwo\b|\boù(?!\p{L})|\bdónde\b|\bdove\b|\bonde\b|\bwaar\b|どこ|哪里|어디/iu,
  ],
  [
    'reason',
    /\bwhy\b|\bwarum\b|\bpourquoi\b|\bpor qué(?!\p{L})|\bperché(?!\p{L})|\bpor que\b|\bwaarom\b|なぜ|どうして|为什么|왜/iu,
  ],
  ['manner', /\bhow\b|\bwie\b|\bcomment\b|\bcómo\b|\bcome\b|\bhoe\b/i],
  ['definition', /\bwhat (?:is|are|does .* mean)\b|\bwas (?:ist|sind)\b|\bqu'est-ce\b|\bqué (?:es|son)\b|\bcos'è\b/i],
];

/** The kind of thing that a question asks for. */
export function kindOf(question: string): AnswerKind {
  return KINDS.find(([, pattern]) => pattern.test(question))?.[0] ?? 'other';
}

/** Words of questions that do not identify the topic. */
const ASKING = new Set(
  'text document file article read question answer find passage say says said mention mentions mentioned tell describe explain state states according exactly happen many much long name'
    .split(' ')
    .map((word) => stem(word, 'en')),
);

/** Answers from the text, or returns `found: false`. */
export function answer(reading: Reading, question: string, options: { readonly sentences?: number } = {}): Answer {
  const none: Answer = { found: false, text: '', sentences: [], confidence: 0.1 };
  const kind = kindOf(question);
  const ranked = rank(reading, question, kind);
  const best = ranked[0];
  if (best === undefined) return none;
  const isCode = ({ kind: block }: Passage) => block === 'code';
  const chosen = ranked
    .filter(({ score, passage }) => score >= 0.8 * best.score && isCode(passage) === isCode(best.passage))
    .slice(0, Math.max(1, options.sentences ?? 2))
    .map(({ passage }) => passage)
    .sort((a, b) => a.index - b.index);
  const found = chosen.map(({ text }) => text);
  const fits = kindLift(best.passage, kind) >= 1 ? 1 : 0.7;
  const text = found.join(isCode(best.passage) ? '\n\n' : joiner(reading.language));
  return { found: true, text, sentences: found, confidence: Math.min(0.95, best.held * 0.9 * fits) };
}

interface Ranked {
  readonly passage: Passage;
  /** Share of the question that it and its surroundings contain, 0 to 1. */
  readonly held: number;
  readonly score: number;
}

/** The passages that contain enough of the question, best first. */
function rank(reading: Reading, question: string, kind: AnswerKind): Ranked[] {
  const asked = askedStems(question, reading).filter((stem) => !ASKING.has(stem));
  if (asked.length === 0 || reading.passages.length === 0) return [];
  const weights = new Map(asked.map((stem) => [stem, Math.max(0.2, rarity(reading, stem))]));
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const own = reading.passages.map((passage) => match(passage, weights, reading));
  const first = reading.passages.find((passage) => passage.kind === 'paragraph')?.index;
  const ranked = reading.passages.flatMap((passage) => {
    const held = passage.kind === 'heading' ? 0 : heldShare(passage, own, { reading, weights, total });
    const headed = held > 0 && headingHits(passage, weights, reading) > 0;
    if (held < THRESHOLD || ((own[passage.index]?.stems.size ?? 0) === 0 && !headed)) return [];
    const base = (own[passage.index]?.score ?? 0) / total + 0.5 * held;
    const score = base * kindLift(passage, kind) * placeLift(passage, kind, { headed, weights, first });
    return [{ passage, held, score }];
  });
  return ranked.sort((a, b) => b.score - a.score || a.passage.index - b.passage.index);
}

/** The question's stems, each as the text has it: `leads` finds `leader`. Its own function words count in no language. */
function askedStems(question: string, reading: Reading): string[] {
  const own = guessLanguage(question);
  const language = SPACED_LANGUAGES.find((known) => known === own && known !== reading.language);
  const ignored = language === undefined ? undefined : stopWords(language);
  const plain =
    ignored === undefined
      ? question
      : question.replace(/[\p{L}'’-]+/gu, (word) => (ignored.has(word.toLowerCase()) ? ' ' : word));
  const kin = kinFinder(reading.frequency);
  return [
    ...new Set(
      contentStems(plain, reading.language).map((stem) => (reading.frequency.has(stem) ? stem : (kin(stem) ?? stem))),
    ),
  ];
}

interface Match {
  readonly score: number;
  readonly stems: ReadonlySet<string>;
}

function match(passage: Passage, weights: ReadonlyMap<string, number>, reading: Reading): Match {
  const counts = new Map<string, number>();
  for (const stem of passage.stems) if (weights.has(stem)) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  const average = 12;
  const length = 1 - LENGTH_WEIGHT + (LENGTH_WEIGHT * passage.stems.length) / average;
  let score = 0;
  for (const [stem, count] of counts) {
    score += ((weights.get(stem) ?? 0) * count * (SATURATION + 1)) / (count + SATURATION * length);
  }
  // A heading is no answer itself; the text below it is.
  return { score: score + 0.6 * headingHits(passage, weights, reading), stems: new Set(counts.keys()) };
}

function headingHits(passage: Passage, weights: ReadonlyMap<string, number>, reading: Reading): number {
  if (passage.heading === '' || passage.kind === 'heading') return 0;
  let sum = 0;
  for (const stem of new Set(contentStems(passage.heading, reading.language))) sum += weights.get(stem) ?? 0;
  return sum;
}

/** Stems of questions that an entity of this kind answers even where the text lacks the word. */
const HELD_BY_KIND: ReadonlyMap<string, EntityKind> = new Map([
  ['number', 'identifier'],
  ['id', 'identifier'],
  ['code', 'identifier'],
  ['mail', 'email'],
  ['email', 'email'],
  ['e-mail', 'email'],
  ['phon', 'phone'],
  ['telephon', 'phone'],
  ['pric', 'money'],
  ['cost', 'money'],
  ['amount', 'money'],
  ['date', 'date'],
  ['day', 'date'],
  ['year', 'date'],
  ['websit', 'url'],
  ['link', 'url'],
]);

function holdsKind(passage: Passage, stem: string): boolean {
  const kind = HELD_BY_KIND.get(stem);
  return kind !== undefined && entities(passage.text, kind).length > 0;
}

interface Held {
  readonly reading: Reading;
  readonly weights: ReadonlyMap<string, number>;
  readonly total: number;
}

/** Share of the question that the sentence contains; its heading and the neighbouring sentences count in part. */
function heldShare(passage: Passage, own: readonly Match[], { reading, weights, total }: Held): number {
  const heading = new Set(contentStems(passage.heading, reading.language));
  const near = [passage.index - 1, passage.index + 1].filter((at) => reading.passages[at]?.block === passage.block);
  let sum = 0;
  for (const [stem, weight] of weights) {
    if (own[passage.index]?.stems.has(stem)) sum += weight;
    else if (heading.has(stem) || holdsKind(passage, stem)) sum += 0.8 * weight;
    else if (near.some((at) => own[at]?.stems.has(stem))) sum += NEARBY * weight;
  }
  return sum / total;
}

interface TextPlace {
  /** True when its heading contains words of the question. */
  readonly headed: boolean;
  readonly weights: ReadonlyMap<string, number>;
  /** Index of the text's first sentence. */
  readonly first: number | undefined;
}

/** A sentence that begins with the topic of the question is about it; the first sentence of a text defines its title. */
function placeLift(
  { stems, kind: block, index }: Passage,
  kind: AnswerKind,
  { headed, weights, first }: TextPlace,
): number {
  if (block === 'code') return headed && kind === 'manner' ? 1.6 : 1;
  if (headed && kind === 'definition' && index === first) return 3;
  return headed || stems.slice(0, 2).some((stem) => weights.has(stem)) ? 1.25 : 1;
}

/** Above 1 where the sentence contains the kind of thing that is asked for, below 1 where that is required and missing. */
function kindLift({ text, kind: block }: Passage, kind: AnswerKind): number {
  switch (kind) {
    case 'quantity':
      return numbers(text).length > 0 ? 1.4 : 0.6;
    case 'time':
      return entities(text, 'date').length > 0 ||
        /\b(?:1[5-9]|20)\d\d\b|\b\d{1,2}:\d{2}\b|\b(?:days?|weeks?|months?|years?|ago|when|while|after|before|every)\b/i.test(
          text,
        )
        ? 1.4
        : 0.6;
    case 'person':
      return entities(text, 'name').length > 0 ? 1.3 : 0.7;
    case 'place':
      return entities(text, 'name').length > 0 || /\b(?:in|at|near|under|from|to)\s/i.test(text) ? 1.15 : 0.8;
    case 'reason':
      return /\b(?:because|since|due to|so that|therefore|reason|caused?|in order to|weil|denn|car|parce|porque|perché|omdat)\b/i.test(
        text,
      )
        ? 1.4
        : 1;
    case 'manner':
      return block === 'code' || block === 'item' || /\b(?:by|using|use|run|with|to|first|then)\b/i.test(text)
        ? 1.15
        : 1;
    case 'definition':
      return /\b(?:is|are|means|refers to|shall mean|ist|est|es|è|é)\b/i.test(text) ? 1.2 : 1;
    default:
      return block === 'code' ? 0.7 : 1;
  }
}
