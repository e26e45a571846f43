/** Sums of tokens. Kinds that nobody told stay out of the sum. */
import type { AttemptRecord, Usage } from './model.ts';

export const NO_USAGE: Usage = { input: 0, output: 0 };

const OPTIONAL_COUNTS = [
  'cacheRead',
  'cacheWrite',
  'cacheWriteLong',
  'reasoning',
  'audioInput',
  'audioCacheRead',
  'audioOutput',
  'imageInput',
  'imageOutput',
  'images',
] as const;

export function addUsage(a: Usage, b: Usage | undefined): Usage {
  if (b === undefined || b === NO_USAGE) return a;
  if (a === NO_USAGE) return b;
  const sum: { -readonly [K in keyof Usage]: Usage[K] } = { input: a.input + b.input, output: a.output + b.output };
  for (const key of OPTIONAL_COUNTS) {
    const count = (a[key] ?? 0) + (b[key] ?? 0);
    if (a[key] !== undefined || b[key] !== undefined) sum[key] = count;
  }
  return sum;
}

/** What is left of a sum without one of its parts. */
export function subtractUsage(sum: Usage, part: Usage): Usage {
  const left: { -readonly [K in keyof Usage]: Usage[K] } = {
    input: Math.max(0, sum.input - part.input),
    output: Math.max(0, sum.output - part.output),
  };
  for (const key of OPTIONAL_COUNTS) {
    const count = sum[key];
    if (count !== undefined) left[key] = Math.max(0, count - (part[key] ?? 0));
  }
  return left;
}

/** Of every attempt of a call, however it ended. */
export function usageOfAttempts(attempts: readonly AttemptRecord[]): Usage {
  return attempts.reduce((sum, attempt) => addUsage(sum, attempt.usage ?? undefined), NO_USAGE);
}
