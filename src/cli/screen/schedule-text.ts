/** Schedules, triggers and the runs that they start, as lines and as parts of a JSON document. */

import { defined } from '../../core/defined.ts';
import { formatUsd, nanoToUsd } from '../../core/money/money.ts';
import { oneLine } from '../../drawing/plain-text.ts';
import type { Schedule } from '../../schedules/schedule.ts';
import type { Ending, Start, StartEvent } from '../../schedules/starts.ts';
import type { Trigger } from '../../schedules/trigger.ts';
import { dateAt } from '../../system/clock.ts';
import { durationText } from './progress.ts';
import type { Paint } from './terminal.ts';

/** What `--list` and the start of the command show: when each schedule is due next, and what each trigger watches. */
export function scheduleLines(
  schedules: readonly Schedule[],
  triggers: readonly Trigger[],
  nowMs: number,
  paint: Paint,
): string {
  const times = schedules.map((schedule) => {
    const { name, cron, timeZone, run } = schedule;
    const next = schedule.next(nowMs);
    const when = next === undefined ? 'never' : timeIn(next, timeZone);
    return `${paint.bold(name)}  next ${when} ${timeZone}  ${paint.dim(`(${cron})`)}  ${oneLine(run)}`;
  });
  const folders = triggers.map(
    ({ name, folder, pattern, run }) =>
      `${paint.bold(name)}  files ${oneLine(pattern)} in ${oneLine(folder)}  ${oneLine(run)}`,
  );
  return [...times, ...folders].join('\n');
}

export function scheduleDocument(schedules: readonly Schedule[], triggers: readonly Trigger[], nowMs: number): object {
  return {
    schedules: schedules.map((schedule) => {
      const { name, cron, timeZone, run } = schedule;
      const next = schedule.next(nowMs);
      return { name, cron, timeZone, next: next === undefined ? null : dateAt(next).toISOString(), run };
    }),
    triggers: triggers.map(({ name, folder, pattern, run }) => ({ name, folder, pattern, run })),
  };
}

/** Such as `2026-03-31 07:00`. */
function timeIn(ms: number, timeZone: string): string {
  const two = '2-digit';
  const options = { hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two } as const;
  return new Intl.DateTimeFormat('sv-SE', { timeZone, ...options }).format(ms);
}

export function startLine(event: StartEvent, paint: Paint): string {
  const { start } = event;
  const what = `${paint.bold(start.by.replace(/^[a-z]+\./, ''))} ${oneLine(start.reason)}`;
  if (event.type === 'begun') return `${event.resumed ? 'resumed' : 'started'} ${what}  ${paint.dim(start.runId)}`;
  if (event.type === 'left') return `${paint.yellow('left')} ${what}: ${oneLine(event.error.message)}`;
  const { status, ms, costNanoUsd, error } = event.ending;
  const word = status === 'done' ? paint.green(status) : paint.red(status);
  const facts = [
    ...(ms === undefined ? [] : [durationText(ms)]),
    ...(typeof costNanoUsd === 'number' ? [formatUsd(costNanoUsd)] : []),
  ];
  const reason = error === undefined ? '' : `: ${oneLine(error.message)}`;
  return `${word} ${what}${facts.length === 0 ? '' : `  ${paint.dim(facts.join(' · '))}`}${reason}`;
}

/** One run in the document of `--once --json`. */
export function endingDocument({ runId, by, reason }: Start, { status, costNanoUsd, ms, error }: Ending): object {
  return {
    runId,
    by,
    reason,
    status,
    costUsd: typeof costNanoUsd === 'number' ? nanoToUsd(costNanoUsd) : null,
    ...defined({ ms: ms === undefined ? undefined : Math.round(ms), error }),
  };
}
