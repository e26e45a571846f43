/** Which attempts a rule hits. */
import type { Random } from 'polyphony/kit';

const STEP = 0x6d2b79f5;
const RULE_STEP = 0x9e3779b9;

/**
 * Numbers in [0, 1), one for each attempt that a rule matches. With a seed they depend on it, on the rule and on how many there were
 * before, so that what other rules do changes nothing (mulberry32). Without one they are the given random numbers.
 */
export function draws(seed: number | undefined, rule: number, random: Random): Random {
  if (seed === undefined) return random;
  let state = (seed + Math.imul(rule + 1, RULE_STEP)) | 0;
  return () => {
    state = (state + STEP) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
