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
