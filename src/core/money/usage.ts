/** Tokens by kind, and sums of them. A sum leaves out kinds that no provider reported. */
import type { NanoUsd } from './money.ts';

/** Tokens by kind. `input` counts every prompt token, including cached ones; `output` every generated one, including reasoning. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  /** Part of `input` read from the provider's prompt cache. */
  readonly cacheRead?: number;
  /** Part of `input` written to the provider's prompt cache, whatever its life. */
  readonly cacheWrite?: number;
  /** Part of `cacheWrite` written for an hour instead of five minutes. */
  readonly cacheWriteLong?: number;
  /** Part of `output`. */
  readonly reasoning?: number;
  /** Part of `input`. */
  readonly audioInput?: number;
  /** Part of both `audioInput` and `cacheRead`. */
  readonly audioCacheRead?: number;
  /** Part of `output`. */
  readonly audioOutput?: number;
  /** Tokens of pictures: part of `input`. */
  readonly imageInput?: number;
  /** Tokens of pictures: part of `output`. */
  readonly imageOutput?: number;
  /** Generated pictures, if they are priced per picture. */
  readonly images?: number;
  /** Searches that the provider's server made and bills apart. */
  readonly searches?: number;
}

/** Cost and usage of calls that have no result of their own. */
export interface Paid {
  /** Null: unknown. */
  readonly costNanoUsd: NanoUsd | null;
  readonly usage?: Usage;
}

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
  'searches',
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

/** The sum without one of its parts. */
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

/** The usage of every attempt of a call, however it ended. */
export function usageOfAttempts(attempts: readonly { readonly usage: Usage | null }[]): Usage {
  return attempts.reduce((sum, attempt) => addUsage(sum, attempt.usage ?? undefined), NO_USAGE);
}
