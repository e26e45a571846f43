/** Waits of a target: log-normal, with a share that stalls for 3 seconds. */
import { seededRandom } from '../../src/testing/fakes.ts';

export interface Late {
  readonly medianMs: number;
  readonly sigma: number;
  /** The share of answers that stall. */
  readonly stalls: number;
}

const STALL_MS = 3000;

/** The same waits in every run. */
export function waitsOf({ medianMs, sigma, stalls }: Late, seed = 7): () => number {
  const random = seededRandom(seed);
  return () => {
    if (random() < stalls) return STALL_MS;
    // Box and Muller: two uniform numbers make a normal one.
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return medianMs * Math.exp(sigma * normal);
  };
}
