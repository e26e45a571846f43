/** Closes a polyphony: everything once, in order, even when something fails. Nothing can begin afterwards. */
import type { Clock } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import { settlesWithin } from '../system/clock.ts';
import type { Lazy } from './lazy-engine.ts';

export interface Lifetime<T> {
  /** Throws immediately once closing has begun. */
  readonly services: Lazy<T>;
  /** Aborts when closing begins. */
  readonly closing: AbortSignal;
  /** @throws invalid-request once closing has begun */
  assertOpen(): void;
  /**
   * A second call waits for the first. Throws the first failure after everything is closed.
   *
   * @throws store-busy when a store does not answer: the rest is closed all the same
   */
  close(): Promise<void>;
}

type Closing = () => Promise<unknown>;

/** Longer than all that waits for a locked file, one operation after the other. */
const STEP_MS = 60_000;

/** `made` is closed first, if it was used; then each of `rest` in order. */
export function lifetime<T extends { close(): Promise<void> }>(
  clock: Clock,
  made: Lazy<T>,
  rest: readonly Closing[],
): Lifetime<T> {
  const end = new AbortController();
  let closed: Promise<void> | undefined;
  const assertOpen = (): void => {
    if (!end.signal.aborted) return;
    throw new PolyphonyError(
      'invalid-request',
      'This polyphony is closed and accepts no more calls: create a new one.',
    );
  };
  const services = (): Promise<T> => {
    assertOpen();
    return made();
  };
  // A service that could not be created was reported to its caller, and leaves nothing to close.
  const closeMade = async (): Promise<void> => (await made.begun()?.catch(() => undefined))?.close();
  return {
    services: Object.assign(services, { begun: made.begun }),
    closing: end.signal,
    assertOpen,
    close() {
      end.abort();
      closed ??= closeInOrder(clock, [closeMade, ...rest]);
      return closed;
    },
  };
}

async function closeInOrder(clock: Clock, steps: readonly Closing[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    const work = (async () => step())().catch((error: unknown) => failures.push(error));
    if (!(await settlesWithin(clock, STEP_MS, work))) failures.push(silent());
  }
  if (failures.length > 0) throw failures[0];
}

const silent = (): PolyphonyError =>
  new PolyphonyError(
    'store-busy',
    `The stores have not closed within ${STEP_MS / 1000} seconds: what they have not acknowledged may be lost. Find out why they hang.`,
  );
