/**
 * A pool of abort controllers. Creating one and adding a listener to its signal costs as much as two layers of the ring, and
 * hardly any attempt is aborted.
 *
 * Each signal is followed from the beginning, so that followers that come and go share one listener that stays.
 *
 * A source may leave something attached to a signal (a forgotten listener, a signal derived with `AbortSignal.any`), so a
 * controller serves a hundred attempts and is then garbage-collected.
 */
import { onAbort } from '../../../core/on-abort.ts';

export interface LentController {
  readonly controller: AbortController;
  /** That of the controller, and whether it is aborted: Node 20 takes longer to read them from it than from here. */
  readonly signal: AbortSignal;
  isAborted: boolean;
  attempts: number;
}

export interface Controllers {
  take(): LentController;
  /** Call it when the attempt has ended. An aborted controller is not kept. */
  giveBack(lent: LentController): void;
}

const ATTEMPTS_PER_CONTROLLER = 100;
const MAX_SPARE = 256;

export function createControllers(): Controllers {
  const spare: LentController[] = [];
  return {
    take: () => spare.pop() ?? newController(),
    giveBack(lent) {
      lent.attempts += 1;
      const usedUp = lent.isAborted || lent.attempts >= ATTEMPTS_PER_CONTROLLER;
      if (!usedUp && spare.length < MAX_SPARE) spare.push(lent);
    },
  };
}

function newController(): LentController {
  const controller = new AbortController();
  const { signal } = controller;
  const lent: LentController = { controller, signal, isAborted: false, attempts: 0 };
  onAbort(signal, () => {
    lent.isAborted = true;
  });
  return lent;
}
