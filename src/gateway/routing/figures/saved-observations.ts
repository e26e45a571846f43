/** Observations as they are kept between processes. Whatever is found in the store is bounded and checked before it counts. */
import { asRecord } from '../../../kit/json/json-shape.ts';
import type { BucketWeight } from './sketch.ts';

/** Of one target, as of `at` (epoch milliseconds). Weights are numbers of observations, each counted by what was left of it. */
export interface SavedTarget {
  readonly provider: string;
  readonly model: string;
  readonly region: string | null;
  readonly at: number;
  readonly total: readonly BucketWeight[];
  readonly firstToken: readonly BucketWeight[];
  readonly outcomes: readonly [ok: number, failed: number];
  readonly scores: readonly (readonly [field: string, mean: number, weight: number])[];
  /** The mean length of answers. */
  readonly tokens: number | null;
  /** What its provider counts for one token of our own estimate. @default nothing was learned */
  readonly tokenRatio?: readonly [mean: number, weight: number];
}
export type SavedObservations = readonly SavedTarget[];

/** What is saved at most; the newest targets, and what weighs most of each. */
export const MOST_SAVED = { targets: 100, buckets: 40, fields: 32 } as const;
const LONGEST_NAME = 300;
const MOST_WEIGHT = 1e6;

/** Only the targets that have the expected shape; nothing counts as newer than `nowMs`. */
export function readSaved(value: unknown, nowMs: number): SavedObservations {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MOST_SAVED.targets).flatMap((one) => targetOf(one, nowMs) ?? []);
}

function targetOf(value: unknown, nowMs: number): SavedTarget | undefined {
  const { provider, model, region, at, total, firstToken, outcomes, scores, tokens, tokenRatio } =
    asRecord(value) ?? {};
  if (!isName(provider) || !isName(model) || !(region === null || isName(region)) || !isBelow(at, Infinity))
    return undefined;
  const [ok, failed] = Array.isArray(outcomes) ? outcomes : [];
  if (!isBelow(ok, MOST_WEIGHT) || !isBelow(failed, MOST_WEIGHT)) return undefined;
  const [mean, weight] = Array.isArray(tokenRatio) ? tokenRatio : [];
  return {
    ...{ provider, model, region, at: Math.min(at, nowMs), outcomes: [ok, failed] },
    total: bucketsOf(total),
    firstToken: bucketsOf(firstToken),
    scores: scoresOf(scores),
    tokens: isBelow(tokens, MOST_WEIGHT) ? tokens : null,
    ...(isBelow(mean, MOST_WEIGHT) && isBelow(weight, MOST_WEIGHT) ? { tokenRatio: [mean, weight] } : {}),
  };
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME;
const isBelow = (value: unknown, limit: number): value is number =>
  typeof value === 'number' && value >= 0 && value <= limit && Number.isFinite(value);

const rowsOf = (value: unknown, most: number): readonly (readonly unknown[])[] =>
  (Array.isArray(value) ? value : []).slice(0, most).filter((row): row is unknown[] => Array.isArray(row));

const bucketsOf = (value: unknown): readonly BucketWeight[] =>
  rowsOf(value, MOST_SAVED.buckets).flatMap(([bucket, weight]) =>
    Number.isInteger(bucket) && isBelow(bucket, MOST_WEIGHT) && isBelow(weight, MOST_WEIGHT)
      ? [[bucket, weight] as const]
      : [],
  );

const scoresOf = (value: unknown): SavedTarget['scores'] =>
  rowsOf(value, MOST_SAVED.fields).flatMap(([field, mean, weight]) =>
    isName(field) && isBelow(mean, 1) && isBelow(weight, MOST_WEIGHT) ? [[field, mean, weight] as const] : [],
  );
