/** One schedule: which of its times is due, and the start that it asks for. */
import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { ScheduleConfig } from '../core/config.ts';
import { defined } from '../core/defined.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { dateAt } from '../system/clock.ts';
import { cronRule } from './cron.ts';
import { inputTemplate } from './input.ts';
import type { DueStart, Start } from './starts.ts';

export interface Schedule {
  readonly name: string;
  readonly run: string;
  readonly cron: string;
  readonly timeZone: string;
  /** An input as a start would have it, to be checked before any time is due. */
  sample(): Readonly<Record<string, unknown>>;
  /** The next due time after a moment, in epoch milliseconds. */
  next(afterMs: number): number | undefined;
  /**
   * What is due now: the start, and what is to be written down once it is safe in the store. Times that passed together ask
   * for one start. The first call of all counts from its moment on.
   */
  due(): Promise<DueStart | undefined>;
}

/** A time that passed longer ago was missed: the process did not run, or was asleep. */
const LATE_MS = 5 * 60_000;

/**
 * A time that was handled lies further ahead: the clock was wrong then, and waiting for it again could take years. What comes due
 * a second time has the id of the run that it had, so it starts nothing.
 */
const MOST_AHEAD_MS = 60 * 60_000;

interface Handled {
  readonly untilMs: number;
  /** Which rule that was: another rule counts from when it is first seen. */
  readonly rule: string;
}

const FIELDS = ['due'] as const;

/** @throws invalid-config naming the field of the config */
export function createSchedule(name: string, config: ScheduleConfig, store: KeyValueStore, clock: Clock): Schedule {
  const where = `schedules.${name}`;
  const { cron, timeZone = 'UTC', run, missed = 'skip', budgetUsd } = config;
  const rule = cronRule(where, cron, timeZone);
  const render = inputTemplate(`${where}.input`, config.input ?? {}, FIELDS);
  const key = `schedules/until/${name}`;
  const ruleHash = createHash('sha256')
    .update(JSON.stringify([cron, timeZone]))
    .digest('hex')
    .slice(0, 16);
  const handled = (untilMs: number) => store.set(key, { untilMs, rule: ruleHash } satisfies Handled);

  function startAt(dueMs: number): Start {
    const due = dateAt(dueMs).toISOString();
    const runId = `schedule_${name}_${due.slice(0, 16).replace(/[-:]/g, '')}Z`;
    return { runId, by: where, run, input: render({ due }), reason: due, ...defined({ budgetUsd }) };
  }

  return {
    ...{ name, run, cron, timeZone },
    sample: () => startAt(clock.now()).input,
    next: rule.next,
    async due() {
      const now = clock.now();
      const before = handledOf(await store.get(key));
      const isAhead = before !== undefined && before.untilMs > now + MOST_AHEAD_MS;
      if (before === undefined || before.rule !== ruleHash || isAhead) {
        await handled(now);
        return undefined;
      }
      // A clock that was put back must not fire again: the id of the run would be the same anyway.
      const last = rule.last(before.untilMs, now);
      if (last === undefined) return undefined;
      if (now - last > LATE_MS && missed === 'skip') {
        await handled(last);
        return undefined;
      }
      return { start: startAt(last), taken: () => handled(last) };
    },
  };
}

function handledOf(value: unknown): Handled | undefined {
  const isHandled = typeof value === 'object' && value !== null && 'untilMs' in value && 'rule' in value;
  return isHandled && typeof value.untilMs === 'number' ? (value as Handled) : undefined;
}
