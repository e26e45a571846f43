/** Listeners of callers: what they throw, or reject with, ends neither the work that they listen to nor the process. */

const ignore = (): void => undefined;

/**
 * The listener as it can be called anywhere: it never throws, and a promise that it returns is not waited for.
 *
 * @param failed gets what the listener threw or rejected with. @default nobody
 */
export function guardedListener<A extends unknown[]>(
  listener: (...args: A) => unknown,
  failed: (error: unknown) => void = ignore,
): (...args: A) => void {
  return (...args) => {
    try {
      const returned = listener(...args);
      if (isThenable(returned)) void Promise.resolve(returned).then(ignore, failed);
    } catch (error) {
      failed(error);
    }
  };
}

/** A promise of any kind. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
