/** Random numbers that depend on a seed and on what they are for, not on the order in which they are drawn. */
import type { Random } from '../core/clock.ts';

/** A seed for something that belongs to what `seed` is for. */
export function mixed(seed: number, key: number): number {
  let value = Math.imul(seed ^ Math.imul(key + 0x9e3779b9, 0x85ebca6b), 0xc2b2ae35);
  value ^= value >>> 15;
  value = Math.imul(value, 0x27d4eb2f);
  return (value ^ (value >>> 13)) >>> 0;
}

/** One number, uniform in [0, 1). */
export const drawOf = (seed: number, key: number): number => mixed(mixed(seed, key), 0x51ed270b) / 4_294_967_296;

/** A sequence of numbers, uniform in [0, 1). */
export function drawsOf(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Standard normal, by Box and Muller. */
export function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** How often something is done that goes on with this chance each time, at least once and at most `most` times. */
export function repeats(random: Random, chance: number, most: number): number {
  let count = 1;
  while (count < most && random() < chance) count += 1;
  return count;
}
