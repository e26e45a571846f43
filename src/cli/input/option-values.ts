/** Parsers of option values. */
import { InvalidArgumentError } from 'commander';

/** For an option that may be repeated. */
export const collectValues = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function amount(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0 && value <= 9_000_000) return value;
  throw new InvalidArgumentError('Give a number above 0 and up to 9000000, such as 0.25.');
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 10_000) return value;
  throw new InvalidArgumentError('Give a whole number from 1 to 10000.');
}

/** Index of an item, from 0. */
export function itemIndex(text: string): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text)) return value;
  throw new InvalidArgumentError('Give the index of an item, a whole number from 0 on.');
}

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** `12h`, `7d`, `4w` in milliseconds. */
export function spanMs(text: string): number {
  const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) throw new InvalidArgumentError('Give a number followed by h, d or w, such as 7d.');
  return Number(count) * unitMs;
}
