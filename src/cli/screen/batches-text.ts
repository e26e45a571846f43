/** Calls that wait for a batch, as an operator reads them. */
import type { AnsweredCall, BatchedCall } from '../../core/gateway.ts';
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

/** A line for each batch, or for each call. */
export function printWaiting(
  waiting: readonly BatchedCall[],
  { answers, failures, costNanoUsd }: AnswerTotals,
  { limit, calls = false }: { readonly limit: number; readonly calls?: boolean },
  { print, say, paint }: Terminal,
): void {
  const rows = calls ? waiting.map((call) => lineOf(call.id, [call])) : linesOf(waiting);
  if (rows.length === 0) say('no call waits for a batch');
  else {
    const head = [calls ? 'call' : 'batch', 'model', 'calls', 'held', 'since', 'deadline'];
    print(tableText([head, ...rows.slice(0, limit)], paint));
  }
  if (rows.length > limit) say(`${rows.length - limit} more: add -n ${rows.length}`);
  if (answers + failures === 0) return;
  print(paint.dim(`answers that are kept: ${answers}, failures: ${failures}, cost: ${formatUsd(costNanoUsd)}`));
}

/** What is queued for one model waits together, as what one batch holds. */
function linesOf(waiting: readonly BatchedCall[]): string[][] {
  const groups = new Map<string, BatchedCall[]>();
  for (const call of waiting) {
    const key = call.batch ?? ` ${modelOf(call)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups].map(([key, calls]) => lineOf(key.startsWith(' ') ? 'queued' : key, calls));
}

function lineOf(name: string, calls: readonly BatchedCall[]): string[] {
  const [oldest] = calls;
  const deadlines = calls.flatMap(({ deadline }) => (deadline === null ? [] : [deadline]));
  const held = calls.reduce((sum, { heldNanoUsd }) => sum + heldNanoUsd, 0);
  return [
    oneLine(name),
    oldest === undefined ? '' : modelOf(oldest),
    String(calls.length),
    held === 0 ? '–' : formatUsd(held),
    oldest === undefined ? '' : minuteOf(oldest.queuedAt),
    deadlines.length === 0 ? '–' : minuteOf(deadlines.reduce((first, at) => Math.min(first, at))),
  ];
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
