/**
 * A pool of abort controllers. Creating one and adding a listener to its signal costs as much as two layers of the ring, and
 * hardly any attempt is aborted.
 *
 * A source may leave something attached to a signal (a forgotten listener, a signal derived with `AbortSignal.any`), so a
 * controller serves a hundred attempts and is then garbage-collected.
 */
export interface LentController {
  readonly controller: AbortController;
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
    take: () => spare.pop() ?? { controller: new AbortController(), attempts: 0 },
    giveBack(lent) {
      lent.attempts += 1;
      const usedUp = lent.controller.signal.aborted || lent.attempts >= ATTEMPTS_PER_CONTROLLER;
      if (!usedUp && spare.length < MAX_SPARE) spare.push(lent);
    },
  };
}
