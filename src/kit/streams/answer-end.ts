/**
 * How long a body is read on after its answer has ended. Some servers leave the connection open, with or without signs of
 * life, and an answer that is complete and paid for must not wait for them, nor fail with them.
 *
 * N1. After its last event the connection has a second to end, so that it can be used again.
 * N2. After a finish reason the last event, or the usage, has two seconds. Only more of the answer prolongs them: signs of life
 *     and empty pieces do not, and a server that repeats the reason with every piece is still read to the end.
 * N3. No timer outlives the read that it bounds.
 */
import type { Clock } from '../../core/clock.ts';

/** Milliseconds for the end of the connection after the last event. */
const CLOSING_MS = 1000;
/** Milliseconds for the usage after the finish reason. */
const USAGE_MS = 2000;

type Read = IteratorResult<Uint8Array>;
const DONE: Read = { done: true, value: undefined };

export interface AnswerEnd {
  /** To be called after each piece; `grown`: it held more of the answer. An answer may begin again behind its end. */
  read(complete: boolean, reasonTold: boolean, grown: boolean): void;
  /** The next piece; the end if none came in time. */
  next(): Promise<Read>;
}

export function answerEnd(body: AsyncIterator<Uint8Array>, clock: Pick<Clock, 'monotonic' | 'schedule'>): AnswerEnd {
  let dueAt: number | undefined;
  let isComplete = false;
  const give = (ms: number): void => {
    dueAt = clock.monotonic() + ms;
  };
  return {
    read(complete, reasonTold, grown) {
      if (complete && !isComplete) give(CLOSING_MS);
      else if (!complete && !reasonTold) dueAt = undefined;
      else if (!complete && (grown || dueAt === undefined)) give(USAGE_MS);
      isComplete = complete;
    },
    next() {
      const next = body.next();
      return dueAt === undefined ? next : orDue(next, body, clock, dueAt - clock.monotonic());
    },
  };
}

function orDue(
  next: Promise<Read>,
  body: AsyncIterator<Uint8Array>,
  clock: Pick<Clock, 'schedule'>,
  leftMs: number,
): Promise<Read> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(Math.max(0, leftMs), () => {
      resolve(DONE);
      // Not awaited: the body of another transport may end its iteration only with the read that hangs.
      body.return?.().catch(() => {});
    });
    next.then(
      (read) => {
        cancel();
        resolve(read);
      },
      (error: unknown) => {
        cancel();
        reject(error);
      },
    );
  });
}
