/** One call for all that ask the same at the same time. Each of them still has its own time and its own cancel. */
import type { Clock } from '../../core/clock.ts';
import { onAbort } from '../../core/on-abort.ts';

export interface Said {
  /** Null for no class, or no answer. */
  readonly task: string | null;
  /** It failed for what only its caller has: a cancel, a cap, a deadline. Others ask for themselves then. */
  readonly isOwn: boolean;
}

/**
 * What the call said that is under way for this key, or else what `ask` says, which others then wait for. Null once the signal has aborted
 * or the time is over. `ask` gets the milliseconds that are left of it, at least one, and must not reject.
 */
export type ShareAsking = (
  key: string,
  waiting: { readonly signal: AbortSignal; readonly ms: number },
  ask: (leftMs: number) => Promise<Said>,
) => Promise<Said | null>;

export function shareAsking(clock: Clock): ShareAsking {
  const underWay = new Map<string, Promise<Said>>();
  return async (key, { signal, ms }, ask) => {
    const end = clock.monotonic() + ms;
    for (let other = underWay.get(key); other !== undefined; other = underWay.get(key)) {
      const said = await endOf(other, signal, end - clock.monotonic(), clock);
      if (said === null || !said.isOwn) return said;
    }
    // Who has waited for another's question has less time for its own.
    const leftMs = Math.floor(end - clock.monotonic());
    if (leftMs < 1) return null;
    const asking = ask(leftMs).finally(() => underWay.delete(key));
    underWay.set(key, asking);
    return asking;
  };
}

function endOf(other: Promise<Said>, signal: AbortSignal, ms: number, clock: Clock): Promise<Said | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => {
    const settle = (said: Said | null): void => {
      stop();
      cancel();
      resolve(said);
    };
    const stop = onAbort(signal, () => settle(null));
    const cancel = clock.schedule(Math.max(0, ms), () => settle(null));
    void other.then(settle);
  });
}
