/** Plans that a person has to approve: what they are estimated at, and the question where somebody sits at the terminal. */
import { formatUsd } from '../../core/money/money.ts';
import { PLAN_APPROVAL } from '../../core/plan/approval.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { RunHandle, RunResult } from '../../core/run/engine.ts';
import { printable } from '../../drawing/plain-text.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import type { Polyphony } from '../../polyphony.ts';
import type { Terminal } from '../screen/terminal.ts';
import { askedYesNo } from './confirm.ts';

/** One line before anything is paid; none for a plan that costs nothing. */
export function sayEstimate({ estimate }: Pick<ValidPlan, 'estimate'>, terminal: Terminal): void {
  const { lowNanoUsd, expectedNanoUsd, highNanoUsd } = estimate;
  if (highNanoUsd === 0) return;
  const from = lowNanoUsd === null ? '' : `, from ${formatUsd(lowNanoUsd)}`;
  const to = highNanoUsd === null ? '' : ` to ${formatUsd(highNanoUsd)}`;
  terminal.say(terminal.paint.dim(`estimated at ${formatUsd(expectedNanoUsd)}${from}${to}`));
}

export const sayCached = (terminal: Terminal): void =>
  terminal.say(terminal.paint.dim('the plan comes from the plan cache; --fresh plans anew'));

/**
 * Asks whether the plan of the run may go on, and answers for the person.
 *
 * @returns the run that goes on; undefined where that is not what the run waits for, or nobody answers
 */
export async function answerAtTerminal(
  { runId, waiting = [] }: RunResult,
  runs: Polyphony['runs'],
  terminal: Terminal,
): Promise<RunHandle | undefined> {
  const asked = waiting.find(({ nodeId, data }) => nodeId.startsWith(PLAN_APPROVAL) && isOfPlan(data));
  if (asked === undefined) return undefined;
  const answer = await askedYesNo(printable(asked.question), terminal);
  // Without an answer the run goes on waiting, so that it can be answered later.
  if (answer === undefined || answer === 'left') return undefined;
  return runs.answer(runId, asked.id, answer ? 'yes' : 'no');
}

const isOfPlan = (data: unknown): boolean => isPlainObject(data) && data.approval === 'plan';
