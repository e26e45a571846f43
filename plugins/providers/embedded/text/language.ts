/**
 * Sentences, words, stems and the language guess. Intl.Segmenter copies its whole input again for every segment it
 * yields (1 MB in one piece takes minutes, in paragraphs a fraction of a second), so it gets only short pieces.
 */
import { PARTICLES, SPACED_LANGUAGES, type SpacedLanguage, stopWords } from './stop-words.ts';

export type Language = SpacedLanguage | 'ja' | 'zh' | 'ko' | 'th';

/** Characters that a segmenter gets at a time. */
const PIECE = 1500;
const WORD = /[\p{L}\p{N}_]+(?:['’.-][\p{L}\p{N}_]+)*/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const HANGUL = /\p{Script=Hangul}/u;
/** Abbreviations whose full stop does not end a sentence. */
const ABBREVIATION =
  /(?:^|[\s(["'])(?:(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|cf|al|approx|no|No|Nr|vol|pp|Fig|fig|Inc|Ltd|Co|bzw|ca|z\.B|d\.h|usw|Sra?|Dra?|M|Mme|op|ed|eds|dept|est|Gen|Gov|Sen|Rep|Hon|Rev)|\p{Lu})\.\s*$/u;

const GERMAN_MONTH = /^(?:Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)/;

const segmenters = new Map<string, Intl.Segmenter>();

function segmenter(language: Language, granularity: 'sentence' | 'word'): Intl.Segmenter {
  const key = `${language}/${granularity}`;
  let known = segmenters.get(key);
  if (known === undefined) {
    known = new Intl.Segmenter(language, { granularity });
    segmenters.set(key, known);
  }
  return known;
}

/** Cuts a long text into pieces of bounded size, at a space where there is one. */
function pieces(text: string): string[] {
  if (text.length <= PIECE) return [text];
  const found: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + PIECE, text.length);
    if (end < text.length) {
      const space = text.lastIndexOf(' ', end);
      if (space > start + PIECE / 2) end = space + 1;
      else if (/[\uD800-\uDBFF]/.test(text.charAt(end - 1))) end--;
    }
    found.push(text.slice(start, end));
    start = end;
  }
  return found;
}

/** The sentences of one paragraph, trimmed, in order. Abbreviations and lower-case continuations are joined again. */
export function sentences(paragraph: string, language: Language = 'en'): string[] {
  const found: string[] = [];
  let current = '';
  const flat = paragraph.replace(/\s+/g, ' ').trim();
  for (const piece of pieces(flat)) {
    for (const { segment } of segmenter(language, 'sentence').segment(piece)) {
      if (current !== '' && !endsBefore(current, segment)) current += segment;
      else {
        if (current.trim() !== '') found.push(current.trim());
        current = segment;
      }
      if (current.length > PIECE) {
        found.push(current.trim());
        current = '';
      }
    }
  }
  if (current.trim() !== '') found.push(current.trim());
  return found;
}

function endsBefore(current: string, next: string): boolean {
  if (/^\p{Ll}/u.test(next) || /^(?:[)\]”’,;]|["'](?:\s|$))/.test(next)) return false;
  if (!/[.!?…。！？:;)”"'’\]]\s*$/.test(current)) return false;
  if (/\s\d{1,2}\.\s*$/.test(current) && GERMAN_MONTH.test(next)) return false;
  return !ABBREVIATION.test(current);
}

/** The words of a text in lower case, function words included. */
export function words(text: string, language: Language = 'en'): string[] {
  if (!UNSPACED.test(text)) return (text.toLowerCase().match(WORD) ?? []).map((word) => word.replace(/’/g, "'"));
  const found: string[] = [];
  for (const piece of pieces(text)) {
    for (const { segment, isWordLike } of segmenter(language, 'word').segment(piece)) {
      if (isWordLike === true) found.push(segment.toLowerCase());
    }
  }
  return found;
}

/** True for a word that carries content. */
export function isContentWord(word: string, language: Language): boolean {
  // Short words of hiragana alone are endings and particles of Japanese.
  if (UNSPACED.test(word) || HANGUL.test(word))
    return !PARTICLES.has(word) && !/^\p{Script=Hiragana}{1,3}$/u.test(word);
  if (word.length < 2 && !/\d/.test(word)) return false;
  return !stopWords(spaced(language)).has(word);
}

function spaced(language: Language): SpacedLanguage {
  return SPACED_LANGUAGES.find((candidate) => candidate === language) ?? 'en';
}

/** `l'école`, `dell'arte`: the article is no part of the word; nor is the pronoun in `accueille-t-il`. */
const ELIDED = /^(?:[ldjmnstc]|qu|jusqu|lorsqu|puisqu|un|dell|all|nell|dall|sull|quell)'(?=\p{L})/u;
const CLITIC = /-(?:t-)?(?:ils?|elles?|on|je|tu|nous|vous|ce)$/u;

/** The stems of the words that carry content. */
export function contentStems(text: string, language: Language): string[] {
  const found: string[] = [];
  const elided = language === 'fr' || language === 'it';
  for (const whole of words(text, language)) {
    const word = elided ? whole.replace(ELIDED, '').replace(CLITIC, '') : whole;
    if (isContentWord(word, language)) found.push(stem(word, language));
  }
  return found;
}

/** A light stem: plural and verb endings are removed, so that `charged`, `charges` and `charge` are equal. */
export function stem(word: string, language: Language): string {
  const base = word.replace(/'s$|'$/, '');
  if ((base.length < 4 && language !== 'ko') || base.length > 60 || /\d/.test(base) || UNSPACED.test(base)) return base;
  switch (language) {
    case 'en':
      return stemEnglish(base);
    case 'de':
    case 'nl':
      return base.length > 5 ? base.replace(/(?:ern|ens|en|er|es|e|n|s)$/, '') : base.replace(/(?:en|e)$/, '');
    case 'ko':
      // Particles stand behind a word without a blank.
      return base.length > 2 ? base.replace(/(?:에서|으로|은|는|이|가|을|를|의|에|로|와|과|도)$/, '') : base;
    case 'fr':
      return base.replace(/(?:es|e|s|x)$/, '');
    case 'es':
    case 'pt':
    case 'it':
      return base.replace(/(?:os|as|es|o|a|e|i|s)$/, '');
    default:
      return base;
  }
}

function stemEnglish(word: string): string {
  let base = word;
  if (base.endsWith('ies') && base.length > 4) base = `${base.slice(0, -3)}y`;
  else if (/(?:ss|x|z|ch|sh)es$/.test(base)) base = base.slice(0, -2);
  else if (/[^sui]s$/.test(base)) base = base.slice(0, -1);
  const verb = base.endsWith('ing') ? base.slice(0, -3) : base.endsWith('ed') ? base.slice(0, -2) : '';
  if (verb.length >= 3 && /[aeiouy]/.test(verb)) base = verb.replace(/([bdfgmnprt])\1$/, '$1');
  if (base.endsWith('ly') && base.length > 5) base = base.slice(0, -2);
  return base.length > 4 ? base.replace(/e$/, '') : base;
}

/** The language of a text by its script, else by the function words of its first part; English when neither decides. */
export function guessLanguage(text: string): Language {
  const sample = text.slice(0, 4000);
  const letters = (sample.match(/\p{L}/gu) ?? []).length;
  const share = (script: RegExp) => (sample.match(script) ?? []).length / Math.max(1, letters);
  if (share(/[\p{Script=Hiragana}\p{Script=Katakana}]/gu) > 0.1) return 'ja';
  if (share(/\p{Script=Hangul}/gu) > 0.3) return 'ko';
  if (share(/\p{Script=Han}/gu) > 0.3) return 'zh';
  if (share(/\p{Script=Thai}/gu) > 0.3) return 'th';
  const found = sample.toLowerCase().match(WORD) ?? [];
  let best: SpacedLanguage = 'en';
  let most = 0;
  for (const language of SPACED_LANGUAGES) {
    const known = stopWords(language);
    const count = found.reduce((sum, word) => sum + (known.has(word) ? 1 : 0), 0);
    if (count > most) {
      most = count;
      best = language;
    }
  }
  return best;
}

/** The separator between two sentences of a language. */
export function joiner(language: Language): string {
  return language === 'zh' || language === 'ja' || language === 'th' ? '' : ' ';
}
