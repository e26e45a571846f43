/** Ctrl-C and SIGTERM: the run stops cleanly, and can be resumed. */
import { systemClock } from '../../system/clock.ts';
import { EXIT } from '../input/exit-code.ts';
import type { Terminal } from '../screen/terminal.ts';
import { stoppable } from './reader.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  release(): void;
}

/** npm and a shell may both forward the same Ctrl-C. */
const SAME_KEYSTROKE_MS = 500;

/** The first signal stops the run and keeps its journal; the second exits immediately. */
export function interruptible(terminal: Terminal): Interrupt {
  const controller = new AbortController();
  let first: number | undefined;
  const onSignal = (): void => {
    const now = systemClock.monotonic();
    if (first !== undefined && now - first < SAME_KEYSTROKE_MS) return;
    if (first !== undefined) process.exit(EXIT.interrupted);
    first = now;
    terminal.say('stopping; finished nodes are kept (press Ctrl-C again to exit immediately)');
    controller.abort();
  };
  stoppable.add(controller);
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      stoppable.delete(controller);
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** Runs `work` so that signals stop it. */
export async function withInterrupt<T>(terminal: Terminal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = interruptible(terminal);
  try {
    return await work(interrupt.signal);
  } finally {
    interrupt.release();
  }
}
