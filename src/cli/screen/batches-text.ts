/** Calls that wait for a batch, as an operator reads them. */
import type { AnsweredCall, BatchedCall, WaitingBatch } from '../../core/gateway.ts';
import type { ModelResponse } from '../../core/model/model.ts';
import { textOf } from '../../core/model/response.ts';
import { formatUsd } from '../../core/money/money.ts';
import { oneLine, printable } from '../../drawing/plain-text.ts';
import { dateAt } from '../../system/clock.ts';
import { tableText } from './result-text.ts';
import type { Terminal } from './terminal.ts';

export interface AnswerTotals {
  readonly answers: number;
  readonly failures: number;
  /** Of those whose cost is known. */
  readonly costNanoUsd: number;
}

export function totalsOf(answered: readonly AnsweredCall[]): AnswerTotals {
  const failures = answered.filter(({ error }) => error !== null).length;
  const costNanoUsd = answered.reduce((sum, { costNanoUsd: cost }) => sum + (cost ?? 0), 0);
  return { answers: answered.length - failures, failures, costNanoUsd };
}

export interface WaitingLine extends Omit<WaitingBatch, 'batch'> {
  readonly name: string;
}

export const lineOfBatch = ({ batch, ...waiting }: WaitingBatch): WaitingLine => ({
  name: batch ?? 'queued',
  ...waiting,
});
export const lineOfCall = ({ id, ...call }: BatchedCall): WaitingLine => ({ ...call, name: id, calls: 1 });

/** @param all how many lines there would be */
export function printWaiting(
  lines: readonly WaitingLine[],
  { what, all }: { readonly what: 'batch' | 'call'; readonly all: number },
  { answers, failures, costNanoUsd }: AnswerTotals,
  { print, say, paint }: Terminal,
): void {
  if (lines.length === 0) say('no call waits for a batch');
  else print(tableText([[what, 'model', 'calls', 'held', 'since', 'deadline'], ...lines.map(cellsOf)], paint));
  if (all > lines.length) say(`${all - lines.length} more: add -n ${all}`);
  if (answers + failures === 0) return;
  print(paint.dim(`answers that are kept: ${answers}, failures: ${failures}, cost: ${formatUsd(costNanoUsd)}`));
}

function cellsOf(line: WaitingLine): string[] {
  const { name, calls, heldNanoUsd, queuedAt, deadline } = line;
  const held = heldNanoUsd === 0 ? '–' : formatUsd(heldNanoUsd);
  const until = deadline === null ? '–' : minuteOf(deadline);
  return [oneLine(name), modelOf(line), String(calls), held, minuteOf(queuedAt), until];
}

export function waitingText(call: BatchedCall): string {
  const { id, state, batch, queuedAt, deadline, heldNanoUsd, scopes } = call;
  const where = batch === null ? state : `${state} in ${oneLine(batch)}`;
  const until = deadline === null ? '' : `, until ${minuteOf(deadline)}`;
  const held = heldNanoUsd === 0 ? '' : `, holds ${formatUsd(heldNanoUsd)}`;
  const payers = scopes.map(({ kind, id: payer }) => oneLine(`${kind} ${payer}`)).join(', ');
  const paidBy = payers === '' ? '' : ` (${payers})`;
  return `${oneLine(id)}: ${where}, ${modelOf(call)}, since ${minuteOf(queuedAt)}${until}${held}${paidBy}`;
}

export function printAnswer(answer: ModelResponse, { print, paint }: Terminal): void {
  const { costNanoUsd } = answer;
  print(printable(textOf(answer)));
  print(paint.dim(`${modelOf(answer)}, ${costNanoUsd === null ? 'unknown cost' : formatUsd(costNanoUsd)}`));
}

const modelOf = ({ target }: Pick<BatchedCall, 'target'>): string => oneLine(`${target.provider}/${target.model}`);

/** In UTC. */
const minuteOf = (ms: number): string => dateAt(ms).toISOString().slice(0, 16).replace('T', ' ');
