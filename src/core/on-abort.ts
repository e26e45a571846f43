/**
 * Follows an abort signal. A signal may serve hundreds of calls at the same time, and Node warns of a leak at the eleventh
 * listener of one, so all followers of a signal share one listener, which is removed with the last of them.
 */

const followersOf = new WeakMap<AbortSignal, Followers>();

interface Followers {
  readonly waiting: Set<() => void>;
  readonly listener: () => void;
}

/**
 * Calls `follower` once when the signal aborts; never for a signal that has aborted already.
 *
 * @returns a function that stops following; calling it again does nothing
 */
export function onAbort(signal: AbortSignal, follower: () => void): () => void {
  const { waiting, listener } = followersOf.get(signal) ?? newFollowers(signal);
  if (signal.aborted) return () => {};
  // Wrapped, so that a function that follows a signal twice is called twice and stopped separately.
  const call = (): void => follower();
  if (waiting.size === 0) signal.addEventListener('abort', listener, { once: true });
  waiting.add(call);
  return () => {
    if (waiting.delete(call) && waiting.size === 0) signal.removeEventListener('abort', listener);
  };
}

function newFollowers(signal: AbortSignal): Followers {
  const waiting = new Set<() => void>();
  const followers = { waiting, listener: () => callAll(waiting) };
  followersOf.set(signal, followers);
  return followers;
}

/** One that throws does not keep the signal from the others. */
function callAll(waiting: Set<() => void>): void {
  for (const follower of [...waiting]) {
    // One that was stopped by another one in this loop is not called.
    if (!waiting.delete(follower)) continue;
    try {
      follower();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
