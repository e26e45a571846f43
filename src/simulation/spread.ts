/** Percentiles of figures. */
import type { Spread } from '../core/run/simulation.ts';

/** @param values sorted in place, at least one */
export function spreadOf(values: Float64Array): Spread {
  values.sort();
  const at = (share: number): number => values[Math.min(values.length - 1, Math.ceil(share * values.length) - 1)] ?? 0;
  let sum = 0;
  for (const value of values) sum += value;
  return {
    mean: sum / values.length,
    least: values[0] ?? 0,
    p5: at(0.05),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    most: values.at(-1) ?? 0,
  };
}

/** The same in whole nano-dollars. */
export function wholeSpread(spread: Spread): Spread {
  const { mean, least, p5, p50, p90, p95, p99, most } = spread;
  const whole = Math.round;
  return {
    mean: whole(mean),
    least: whole(least),
    p5: whole(p5),
    p50: whole(p50),
    p90: whole(p90),
    p95: whole(p95),
    p99: whole(p99),
    most: whole(most),
  };
}

export function shareAbove(values: Float64Array, bound: number): number {
  let above = 0;
  for (const value of values) if (value > bound) above += 1;
  return above / values.length;
}
