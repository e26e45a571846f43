/** Asks whether to go on, where somebody can answer. */
import { createInterface } from 'node:readline/promises';
import type { Terminal } from '../screen/terminal.ts';

/** Whether somebody sits at this terminal. */
export const canAsk = (terminal: Terminal): boolean => process.stdin.isTTY === true && terminal.live;

/** Undefined: nobody can be asked. Only "y" and "yes" go on; who leaves without an answer does not. */
export async function confirmed(question: string, terminal: Terminal): Promise<boolean | undefined> {
  const answer = await askedYesNo(question, terminal);
  return answer === 'left' ? false : answer;
}

/** `left`: the person went without an answer, by Ctrl-C or Ctrl-D. Undefined: nobody can be asked. */
export async function askedYesNo(question: string, terminal: Terminal): Promise<boolean | 'left' | undefined> {
  if (!canAsk(terminal)) return undefined;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(?:es)?$/i.test((await reader.question(`${question} [y/N] `)).trim());
  } catch {
    // What follows begins on a line of its own.
    terminal.say('');
    return 'left';
  } finally {
    reader.close();
  }
}
