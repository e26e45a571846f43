/**
 * Follows an abort signal. A signal may serve hundreds of calls at the same time, and Node warns of a leak at the eleventh
 * listener of one, so all followers of a signal share one listener, which is removed with the last of them.
 */

const followersOf = new WeakMap<AbortSignal, Followers>();

/** A link of a list; nothing follows with it once `run` is undefined. A class: see docs/decisions/objects-of-a-call.md. */
class Follower {
  run: (() => void) | undefined;
  previous: Follower | undefined;
  next: Follower | undefined = undefined;

  constructor(run: () => void, previous: Follower | undefined) {
    this.run = run;
    this.previous = previous;
  }
}

/**
 * In the order in which they came. A list of links, because adding to a Set and removing from it costs twice as much, at every
 * call.
 */
interface Followers {
  first: Follower | undefined;
  last: Follower | undefined;
  readonly listener: () => void;
}

/**
 * Calls `follower` once when the signal aborts; never for a signal that has aborted already.
 *
 * @returns a function that stops following; calling it again does nothing
 */
export function onAbort(signal: AbortSignal, follower: () => void): () => void {
  if (signal.aborted) return () => {};
  const followers = followersOf.get(signal) ?? newFollowers(signal);
  if (followers.first === undefined) signal.addEventListener('abort', followers.listener, { once: true });
  const link = append(followers, follower);
  return () => {
    if (remove(followers, link) !== undefined && followers.first === undefined)
      signal.removeEventListener('abort', followers.listener);
  };
}

export interface JoinedSignal {
  /** Aborts with the first of the signals, for its reason. */
  readonly signal: AbortSignal;
  /** Stops following them. */
  readonly release: () => void;
}

/**
 * One signal for several, until it is released. What `AbortSignal.any` returns stays attached to its signals for their life: a
 * kilobyte for each call where one of them lives as long as the process.
 */
export function joinedSignal(signals: readonly AbortSignal[]): JoinedSignal {
  const joined = new AbortController();
  const stops = signals.map((signal) => {
    if (signal.aborted) joined.abort(signal.reason);
    return onAbort(signal, () => joined.abort(signal.reason));
  });
  return {
    signal: joined.signal,
    release() {
      for (const stop of stops) stop();
    },
  };
}

function newFollowers(signal: AbortSignal): Followers {
  const followers: Followers = { first: undefined, last: undefined, listener: () => callAll(followers) };
  followersOf.set(signal, followers);
  return followers;
}

function append(followers: Followers, run: () => void): Follower {
  const link = new Follower(run, followers.last);
  if (followers.last === undefined) followers.first = link;
  else followers.last.next = link;
  followers.last = link;
  return link;
}

/** What it would have called; undefined if it was removed before. */
function remove(followers: Followers, link: Follower): (() => void) | undefined {
  const { run, previous, next } = link;
  if (run === undefined) return undefined;
  if (previous === undefined) followers.first = next;
  else previous.next = next;
  if (next === undefined) followers.last = previous;
  else next.previous = previous;
  link.run = undefined;
  link.previous = undefined;
  link.next = undefined;
  return run;
}

/** One that throws does not keep the signal from the others. One that another one stops is not called. */
function callAll(followers: Followers): void {
  while (followers.first !== undefined) {
    const run = remove(followers, followers.first);
    try {
      run?.();
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}
