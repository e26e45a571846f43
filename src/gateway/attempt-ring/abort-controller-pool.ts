/**
 * Abort controllers that are used again. Making one and hanging a listener on its signal costs as much as two layers of the
 * ring, and of a thousand attempts hardly one is aborted.
 *
 * What a source leaves hanging on a signal (a listener that it forgot, something derived with `AbortSignal.any`) stays
 * there, so a controller serves a hundred attempts and is then left to the collector.
 */
export interface LentController {
  readonly controller: AbortController;
  attempts: number;
}

export interface Controllers {
  take(): LentController;
  /** After the attempt has ended. One that was aborted is not kept. */
  giveBack(lent: LentController): void;
}

const ATTEMPTS_A_CONTROLLER = 100;
const MOST_SPARE = 256;

export function createControllers(): Controllers {
  const spare: LentController[] = [];
  return {
    take: () => spare.pop() ?? { controller: new AbortController(), attempts: 0 },
    giveBack(lent) {
      lent.attempts += 1;
      const worn = lent.controller.signal.aborted || lent.attempts >= ATTEMPTS_A_CONTROLLER;
      if (!worn && spare.length < MOST_SPARE) spare.push(lent);
    },
  };
}
