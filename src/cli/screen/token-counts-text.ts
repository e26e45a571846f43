/** What providers counted beside our own estimates, for `polyphony spend --tokens`. */

import type { UsageLedger } from '../../core/stores.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { SHORTEST, tokenCounts } from '../../stores/token-counts.ts';
import { tableText } from './result-text.ts';
import type { Terminal } from './terminal.ts';

const DAY_MS = 86_400_000;
const MONTH_MS = 30 * DAY_MS;

/** @param spanMs how far back. @default 30 days; the last week of it is recent, of less than four weeks the last quarter */
export async function printTokenCounts(
  ledger: UsageLedger,
  nowMs: number,
  spanMs = MONTH_MS,
  json: boolean,
  { print, say, paint }: Terminal,
): Promise<void> {
  const counts = await tokenCounts(ledger.rows({ from: nowMs - spanMs }), nowMs - Math.min(7 * DAY_MS, spanMs / 4));
  if (json) {
    print(safeJson(counts, 2));
    return;
  }
  if (counts.length === 0) {
    say(`no answer in that time states the tokens of a prompt of text of at least ${SHORTEST} estimated tokens`);
    return;
  }
  const rows = counts.map(({ model, answers, estimated, claimed, before, recent, drift }) => [
    oneLine(model),
    String(answers),
    String(estimated),
    String(claimed),
    before?.toFixed(2) ?? '–',
    recent?.toFixed(2) ?? '–',
    drift === null ? '–' : `${drift < 0 ? '' : '+'}${(drift * 100).toFixed(1)} %`,
  ]);
  const head = ['model', 'answers', 'estimated', 'counted', 'before', 'recent', 'drift'];
  print(tableText([head, ...rows], paint));
}
