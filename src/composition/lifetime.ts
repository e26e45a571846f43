/** Closes a polyphony: everything once, in order, even when something fails. Nothing can begin afterwards. */
import { PolyphonyError } from '../core/errors.ts';
import type { Lazy } from './lazy-engine.ts';

export interface Lifetime<T> {
  /** Throws immediately once closing has begun. */
  readonly services: Lazy<T>;
  /** Aborts when closing begins. */
  readonly closing: AbortSignal;
  /** @throws invalid-request once closing has begun */
  assertOpen(): void;
  /** A second call waits for the first. Throws the first failure after everything is closed. */
  close(): Promise<void>;
}

type Closing = () => Promise<unknown>;

/** `made` is closed first, if it was used; then each of `rest` in order. */
export function lifetime<T extends { close(): Promise<void> }>(made: Lazy<T>, rest: readonly Closing[]): Lifetime<T> {
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
      closed ??= closeInOrder([closeMade, ...rest]);
      return closed;
    },
  };
}

async function closeInOrder(steps: readonly Closing[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
