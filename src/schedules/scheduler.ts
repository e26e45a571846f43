/** Fires schedules and triggers until it is stopped, or once. */
import type { Clock } from '../core/clock.ts';
import { errorRecord } from '../core/errors.ts';
import { sleep } from '../system/clock.ts';
import type { Schedule } from './schedule.ts';
import type { DueStart, Start, Starts } from './starts.ts';
import type { Trigger } from './trigger.ts';
import type { Waits } from './waits.ts';

export interface SchedulerParts {
  readonly schedules: readonly Schedule[];
  readonly triggers: readonly Trigger[];
  readonly starts: Starts;
  readonly waits: Waits;
  readonly clock: Clock;
  /** A store or a folder that cannot be read now: told once until it changes, and tried again. */
  readonly onProblem: (where: string, message: string) => void;
}

export interface Scheduler {
  /** Fires what is due until the signal aborts, then waits for the runs to stop. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Fires what is due now, and waits for it. Never rejects. */
  once(signal: AbortSignal): Promise<void>;
}

/** The longest sleep: a clock on the wall may be put forward, and a computer may have slept. */
const LONGEST_SLEEP_MS = 60_000;
/** The pause between two looks for runs that another process left behind, in milliseconds. */
const RECOVER_MS = 15_000;
/** The most runs that waited, and of those that were left behind, that go on at the same time. */
const MOST_AT_ONCE = 4;
/** The pause after a problem, in milliseconds. */
const RETRY_MS = 5000;

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { schedules, triggers, starts } = parts;
  return {
    async run(signal) {
      await Promise.all([
        followOpened(parts, signal),
        followWaits(parts, signal),
        ...schedules.map((schedule) => followSchedule(parts, schedule, signal)),
        ...triggers.map((trigger) => followTrigger(parts, trigger, signal)),
      ]);
    },
    async once(signal) {
      await Promise.all([
        told(parts, 'store', signal, () => recoverOpened(parts, signal)),
        told(parts, 'waits', signal, () => drainWaits(parts, signal)),
        ...schedules.map((schedule) =>
          told(parts, `schedules.${schedule.name}`, signal, () => fire(starts, schedule, signal)),
        ),
        ...triggers.map((trigger) =>
          told(parts, `triggers.${trigger.name}`, signal, () => drain(parts, trigger, signal)),
        ),
      ]);
    },
  };
}

async function recoverOpened({ starts }: SchedulerParts, signal: AbortSignal): Promise<void> {
  await allOf(await starts.opened(), signal, (runId) => starts.recover(runId, signal));
}

/** What was left behind goes on beside the next look: a long run must not keep those waiting that are left behind after it. */
async function followOpened(parts: SchedulerParts, signal: AbortSignal): Promise<void> {
  const { starts } = parts;
  const running = new Map<string, Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  await repeated(parts, 'store', signal, async () => {
    for (const runId of await starts.opened()) {
      if (running.size >= MOST_AT_ONCE) await Promise.race(running.values());
      if (signal.aborted || failure !== undefined) break;
      if (running.has(runId)) continue;
      const noted = (error: unknown): void => {
        failure ??= { error };
      };
      const run = starts.recover(runId, signal).catch(noted);
      running.set(
        runId,
        run.finally(() => running.delete(runId)),
      );
    }
    const failed = failure;
    failure = undefined;
    if (failed !== undefined) throw failed.error;
    return RECOVER_MS;
  });
  await Promise.all(running.values());
}

/** One run after the other: a schedule does not overlap itself in one process. */
function followSchedule(parts: SchedulerParts, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const { clock, starts } = parts;
  return repeated(parts, `schedules.${schedule.name}`, signal, async () => {
    if (await fire(starts, schedule, signal)) return 0;
    const now = clock.now();
    const next = schedule.next(now);
    return next === undefined ? LONGEST_SLEEP_MS : Math.min(LONGEST_SLEEP_MS, Math.max(1, next - now));
  });
}

async function fire(starts: Starts, schedule: Schedule, signal: AbortSignal): Promise<boolean> {
  const due = await schedule.due();
  if (due === undefined || signal.aborted) return false;
  await starts.open(due);
  await starts.drive(due.start, signal);
  return true;
}

/** Runs that wait are put down shortly before their moment, and continued at it. */
async function followWaits(parts: SchedulerParts, signal: AbortSignal): Promise<void> {
  const { clock, starts, waits } = parts;
  const running = new Set<Promise<void>>();
  let pending: Start[] = [];
  await repeated(parts, 'waits', signal, async () => {
    pending.push(...(await putDown(parts, await waits.look(RECOVER_MS))));
    const due = pending.filter(({ dueMs = 0 }) => dueMs <= clock.now()).slice(0, MOST_AT_ONCE - running.size);
    pending = pending.filter((start) => !due.includes(start));
    for (const start of due) {
      const run = told(parts, start.by, signal, () => starts.wake(start, signal)).finally(() => running.delete(run));
      running.add(run);
    }
    if (running.size >= MOST_AT_ONCE) await Promise.race(running);
    const next = Math.min(...pending.map(({ dueMs = 0 }) => dueMs));
    return Math.max(1, Math.min(RECOVER_MS, next - clock.now()));
  });
  await Promise.all(running);
}

async function drainWaits(parts: SchedulerParts, signal: AbortSignal): Promise<void> {
  const due = await putDown(parts, await parts.waits.look(0));
  await allOf(due, signal, (start) => parts.starts.wake(start, signal));
}

async function allOf<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (signal.aborted) return;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, worker));
}

async function putDown({ starts }: SchedulerParts, found: readonly DueStart[]): Promise<readonly Start[]> {
  for (const due of found) await starts.open(due);
  return found.map(({ start }) => start);
}

async function followTrigger(parts: SchedulerParts, trigger: Trigger, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  await repeated(parts, `triggers.${trigger.name}`, signal, async () => {
    await lookAndStart(parts, trigger, running, signal);
    return trigger.pollMs;
  });
  await Promise.all(running);
}

/** Until nothing stands still that was not taken. */
async function drain(parts: SchedulerParts, trigger: Trigger, signal: AbortSignal): Promise<void> {
  const running = new Set<Promise<void>>();
  await trigger.look(0);
  await sleep(parts.clock, trigger.settleMs, signal);
  while (!signal.aborted) {
    await lookAndStart(parts, trigger, running, signal);
    if (running.size === 0) return;
    await Promise.race(running);
  }
  await Promise.all(running);
}

async function lookAndStart(
  parts: SchedulerParts,
  trigger: Trigger,
  running: Set<Promise<void>>,
  signal: AbortSignal,
): Promise<void> {
  const { starts } = parts;
  const free = trigger.concurrency - running.size;
  const due: readonly DueStart[] = await trigger.look(free);
  for (const one of due) {
    if (signal.aborted) return;
    await starts.open(one);
    const run = told(parts, one.start.by, signal, () => starts.drive(one.start, signal)).finally(() =>
      running.delete(run),
    );
    running.add(run);
  }
}

/** Works, then pauses for as long as the work said, until the signal aborts. */
async function repeated(
  parts: SchedulerParts,
  where: string,
  signal: AbortSignal,
  work: () => Promise<number>,
): Promise<void> {
  let told = '';
  while (!signal.aborted) {
    let pauseMs = RETRY_MS;
    try {
      pauseMs = await work();
      told = '';
    } catch (error) {
      const { message } = errorRecord(error);
      if (message !== told && !signal.aborted) parts.onProblem(where, message);
      told = message;
    }
    if (pauseMs > 0) await sleep(parts.clock, pauseMs, signal).catch(() => undefined);
  }
}

async function told(
  parts: SchedulerParts,
  where: string,
  signal: AbortSignal,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!signal.aborted) parts.onProblem(where, errorRecord(error).message);
  }
}
