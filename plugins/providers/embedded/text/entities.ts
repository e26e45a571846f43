/** Entities found by pattern: addresses, dates, amounts, names and numbers, with their offsets. */

export interface Found {
  readonly text: string;
  /** Offset into the text, in UTF-16 units. */
  readonly at: number;
}
export interface FoundNumber extends Found {
  readonly value: number;
  /** `%`, `$`, `kg`, … or ''. */
  readonly unit: string;
}

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)';
const OTHER_MONTH =
  '(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember|janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|gennaio|febbraio|aprile|maggio|giugno|luglio|settembre|ottobre|dicembre)';
const PATTERNS = {
  email: /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g,
  url: /https?:\/\/[^\s<>"'`)\]]{1,2000}[^\s<>"'`)\].,;:!?]/g,
  date: new RegExp(
    `\\b\\d{4}-\\d{2}-\\d{2}\\b|\\b\\d{1,2}[./]\\d{1,2}[./](?:\\d{4}|\\d{2})\\b|\\b\\d{1,2}(?:st|nd|rd|th)?\\s${MONTH}\\.?,?(?:\\s\\d{4})?\\b|\\b${MONTH}\\.?\\s\\d{1,2}(?:st|nd|rd|th)?(?:,?\\s\\d{4})?\\b|\\b${MONTH}\\s\\d{4}\\b|\\b\\d{1,2}(?:\\.|er)?\\s(?:de\\s)?${OTHER_MONTH}(?:\\s(?:de\\s)?\\d{4})?(?!\\p{L})|\\d{4}年(?:\\d{1,2}月(?:\\d{1,2}日)?)?`,
    'gu',
  ),
  phone: /(?<![\w.+-])(?:\+\d{1,3}[\s-]?)?(?:\(\d{1,5}\)[\s-]?)?\d{2,9}(?:[\s-]\d{2,9}){0,4}(?![\w-])/g,
  money:
    /(?:[$€£¥]|(?:USD|EUR|GBP|CHF|JPY)\s?)\d{1,3}(?:[,.\s]?\d{3})*(?:[.,]\d{1,2})?(?:\s(?:million|billion)(?!\w))?|(?<![\d.,])(?:\d{1,3}(?:[,.'’\u00A0\u202F ]\d{3})+|\d{1,9})(?:[.,]\d{1,2})?\s?(?:(?:million|billion|Millionen|millions d[e']|millones de)\s)?(?:€|£|¥|USD|EUR|GBP|CHF|dollars?|euros?|pounds?|Euro)(?!\w)/g,
  version: /\bv?\d{1,5}\.\d{1,5}(?:\.\d{1,5})?(?:-[\w.]{1,30})?\b/g,
  name: /(?<![\p{L}\p{M}\p{N}_])(?:(?:Mr|Mrs|Ms|Dr|Prof|Herr|Frau|Mme|Sra?)\.?\s)?\p{Lu}[\p{L}\p{M}'’-]*[\p{L}\p{M}](?:\s(?:(?:von|van|den|de|der|del|da|do|dos|di|la|le|el|al|bin|ibn|zu)\s){0,2}\p{Lu}(?:[\p{L}\p{M}'’-]*[\p{L}\p{M}]|\.)?){0,3}/gu,
  identifier: /(?<![\w#-])(?:#\d{2,12}|[A-Z]{1,6}-\d{1,12}|[A-Z]{2,4}\d{3,12})(?![\w-])/g,
} as const;

export type EntityKind = keyof typeof PATTERNS;

/** Limits per kind: characters searched, and matches kept. */
const SEARCH_LIMIT = 200_000;
const MATCH_LIMIT = 500;

/** Every entity of a kind, in order. */
export function entities(text: string, kind: EntityKind): Found[] {
  const found: Found[] = [];
  for (const match of text.slice(0, SEARCH_LIMIT).matchAll(PATTERNS[kind])) {
    const kept = keep(kind, match[0], text, match.index);
    if (kept !== '') found.push({ text: kept, at: match.index });
    if (found.length >= MATCH_LIMIT) break;
  }
  return found;
}

function keep(kind: EntityKind, match: string, text: string, at: number): string {
  if (kind === 'name') return asName(match, text, at);
  if (kind !== 'phone') return match.trim();
  const digits = match.replace(/\D/g, '').length;
  const grouped = /[\s+-]/.test(match) && !/^\d{4}-\d{2}-\d{2}$/.test(match);
  return digits >= 7 && digits <= 15 && grouped ? match.trim() : '';
}

/** Words that are often capitalised without being a name. */
const NO_NAME = new Set(
  `The A An This That These Those It He She They We You I In On At For From With And But Or If When Where Who What Why How Our Your My
  His Her Its Their There Here Dear Hello Hi Hey Thanks Thank Please Regards Best Kind Sincerely Yesterday Today Tomorrow Monday Tuesday
  Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December Re Fwd
  Subject To As By After Before Since While Because However Also Yes No Not All Some Every Each Both Is Are Was Were Do Does Did Can Could
  Will Would Should Have Has Had Let Once Then So Ticket Order Invoice Question Answer`.split(/\s+/),
);

/** The match without leading words that only begin a sentence; '' when nothing is left. */
function asName(match: string, text: string, at: number): string {
  if (/^-?\d/.test(text.slice(at + match.length)) || /-$/.test(match)) return '';
  const parts = match.split(/\s/);
  while (parts.length > 0 && NO_NAME.has(parts[0] ?? '')) parts.shift();
  const name = parts.join(' ').replace(/(?:'s|’s|[.,'’-]+)$/, '');
  if (parts.length !== 1) return name;
  // A single capitalised word that begins a sentence is rarely a name.
  const before = text.slice(Math.max(0, at - 3), at);
  const opens = at === 0 || /[.!?:\n]\s*$/.test(before);
  return opens && match === parts[0] ? '' : name;
}

const NUMBER =
  /(?<![\w.,-])(?<currency>[$€£¥]\s?)?(?<sign>[-−])?(?<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,15}(?:\.\d{1,10})?)(?:\s?(?<scale>million|billion|thousand|k|M)\b)?(?:\s?(?<unit>%|percent\b|€|£|[a-zA-Z]{1,12}\b))?/g;
const SCALES: Readonly<Record<string, number>> = { thousand: 1e3, k: 1e3, million: 1e6, M: 1e6, billion: 1e9 };
const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');

/** Every number of a text with its unit, in order; small ones may be spelt out. Digits inside words do not count. */
export function numbers(text: string): FoundNumber[] {
  const found: FoundNumber[] = [];
  const searched = text.slice(0, SEARCH_LIMIT);
  for (const match of searched.matchAll(NUMBER)) {
    const groups = match.groups ?? {};
    const size = SCALES[groups.scale ?? ''] ?? 1;
    const value = Number((groups.digits ?? '').replace(/,/g, '')) * size * (groups.sign === undefined ? 1 : -1);
    const unit = groups.currency?.trim() ?? (groups.unit === 'percent' ? '%' : (groups.unit ?? ''));
    if (Number.isFinite(value)) found.push({ text: match[0].trim(), at: match.index, value, unit });
    if (found.length >= MATCH_LIMIT) return found;
  }
  for (const match of searched.matchAll(
    /\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b/gi,
  )) {
    found.push({ text: match[0], at: match.index, value: NUMBER_WORDS.indexOf(match[0].toLowerCase()), unit: '' });
    if (found.length >= MATCH_LIMIT) break;
  }
  return found.sort((a, b) => a.at - b.at);
}
