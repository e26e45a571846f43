/** Converts written dates to ISO 8601. */

/** The beginnings of the names of the months in English, German, French, Spanish and Italian. */
const MONTHS = [
  'jan|ene|gen',
  'feb|fév',
  'mar|mär',
  'apr|avr|abr',
  'may|mai|mag',
  'jun|juin|giu',
  'jul|juil|lug',
  'aug|août|ago',
  'sep|set',
  'oct|okt|ott',
  'nov',
  'dec|dez|déc|dic',
];

/** `12 March 2024`, `March 12, 2024`, `12.3.2024` and `2024-03-12` as `2024-03-12`; undefined where the day is not certain. */
export function toIsoDate(text: string): string | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (iso !== null) return valid(Number(iso[1]), Number(iso[2]), Number(iso[3]));
  const dotted = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text);
  if (dotted !== null) return valid(Number(dotted[3]), Number(dotted[2]), Number(dotted[1]));
  const slashed = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text);
  if (slashed !== null) return fromSlashes(Number(slashed[1]), Number(slashed[2]), Number(slashed[3]));
  const characters = /^(\d{4})年(\d{1,2})月(\d{1,2})日$/.exec(text);
  if (characters !== null) return valid(Number(characters[1]), Number(characters[2]), Number(characters[3]));
  const month = MONTHS.findIndex((names) => new RegExp(`(?<!\\p{L})(?:${names})`, 'iu').test(text)) + 1;
  const day = /(?:^|\s)(\d{1,2})(?:st|nd|rd|th|er|\.)?(?=[\s,]|$)/.exec(text)?.[1];
  const year = /\b(\d{4})\b/.exec(text)?.[1];
  return month === 0 || day === undefined || year === undefined ? undefined : valid(Number(year), month, Number(day));
}

/** Day and month can be distinguished only where one of them exceeds 12, or where they are equal. */
function fromSlashes(first: number, second: number, year: number): string | undefined {
  if (first > 12) return valid(year, second, first);
  return second > 12 || first === second ? valid(year, first, second) : undefined;
}

function valid(year: number, month: number, day: number): string | undefined {
  const date = new Date(Date.UTC(year, month - 1, day));
  if (month < 1 || month > 12 || date.getUTCDate() !== day) return undefined;
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
