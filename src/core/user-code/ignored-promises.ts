/** Promises within a value that is refused: nobody can wait for them any more. */
import { isThenable } from './guarded-listener.ts';

const MOST_VISITED = 10_000;

/**
 * Takes note of what the promises in a refused value reject with, which would end the process else. Its author is told of the
 * value. Never throws.
 */
export function ignorePromises(value: unknown): void {
  const queue: unknown[] = [value];
  const seen = new Set<unknown>();
  for (let next = 0; next < queue.length && seen.size < MOST_VISITED; next += 1) {
    const current = queue[next];
    if (typeof current !== 'object' || current === null || seen.has(current)) continue;
    seen.add(current);
    try {
      if (isThenable(current)) void Promise.resolve(current).then(undefined, () => undefined);
      else for (const part of Object.values(current)) if (queue.length < MOST_VISITED) queue.push(part);
    } catch {
      // What cannot be read is named in the error of the value.
    }
  }
}
