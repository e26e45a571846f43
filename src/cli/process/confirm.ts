/** Asks whether to go on, where somebody can answer. */
import { createInterface } from 'node:readline/promises';
import type { Terminal } from '../screen/terminal.ts';

/** Whether somebody sits at this terminal. */
export const canAsk = (terminal: Terminal): boolean => process.stdin.isTTY === true && terminal.live;

/** Undefined: nobody can be asked. Only "y" and "yes" go on. */
export async function confirmed(question: string, terminal: Terminal): Promise<boolean | undefined> {
  if (!canAsk(terminal)) return undefined;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } catch {
    // The input was closed, as by Ctrl-D.
    return false;
  } finally {
    reader.close();
  }
}
