/** A mean whose observations weigh half as much each day: what a model is good at changes more slowly than how fast it answers. */
const HALF_LIFE_MS = 86_400_000;
/** Moments that come late are not before a clock that was set back by this, in milliseconds. */
export const SET_BACK_MS = 60_000;
/** Below this weight nothing is left. */
const LEAST_WEIGHT = 0.01;

export interface Rating {
  readonly mean: number;
  /** Observations, each counted by its remaining weight. */
  readonly weight: number;
}

export interface DecayingMean {
  /** `count` observations with this mean at that moment, which may be before others. @default 1 */
  add(value: number, nowMs: number, count?: number): void;
  /** Undefined where next to nothing is left. */
  read(nowMs: number): Rating | undefined;
}

export function decayingMean(): DecayingMean {
  let sum = 0;
  let weight = 0;
  let asOf = 0;
  const remaining = (nowMs: number): number => 2 ** (-Math.max(0, nowMs - asOf) / HALF_LIFE_MS);
  return {
    add(value, nowMs, count = 1) {
      const factor = weight === 0 ? 0 : remaining(nowMs);
      const added = weight === 0 ? count : count * 2 ** (-Math.max(0, asOf - nowMs) / HALF_LIFE_MS);
      sum = sum * factor + value * added;
      weight = weight * factor + added;
      asOf = Math.max(asOf, nowMs);
    },
    read(nowMs) {
      if (nowMs < asOf - SET_BACK_MS) asOf = nowMs;
      const left = weight * remaining(nowMs);
      return left < LEAST_WEIGHT ? undefined : { mean: sum / weight, weight: left };
    },
  };
}
