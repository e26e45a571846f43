/** A world of processes that fire the same schedules and triggers, on a clock that the test moves and without an engine. */
import type { ScheduleConfig, TriggerConfig } from '../../src/core/config.ts';
import type { RunStatus } from '../../src/core/run/engine.ts';
import type { KeyValueStore } from '../../src/core/stores.ts';
import type { FolderLook, FoundFile } from '../../src/schedules/folder.ts';
import { createSchedule } from '../../src/schedules/schedule.ts';
import { createScheduler, type Scheduler } from '../../src/schedules/scheduler.ts';
import { createStarts, type Ending, type RunStarter, type Start, type StartEvent } from '../../src/schedules/starts.ts';
import { createTrigger } from '../../src/schedules/trigger.ts';
import { createWaits } from '../../src/schedules/waits.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeClock, fakeClock } from '../../src/testing/fakes.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const START = Date.parse('2026-03-02T06:30:00Z');

/** The runs that all processes see, and who drives them. */
export interface World {
  readonly clock: FakeClock;
  readonly store: KeyValueStore;
  readonly runs: Map<string, RunStatus>;
  readonly started: Start[];
  readonly resumed: string[];
  /** Ends a run that is held. */
  readonly held: Map<string, (status: RunStatus) => void>;
  hold: boolean;
  /** Suspended runs: when they go on, in epoch milliseconds. */
  readonly moments: Map<string, number>;
  files: FoundFile[];
}

export function world(startMs = START): World {
  const clock = fakeClock(startMs);
  const { keyValue: store } = memoryStores({ clock });
  return {
    clock,
    store,
    runs: new Map(),
    started: [],
    resumed: [],
    held: new Map(),
    hold: false,
    moments: new Map(),
    files: [],
  };
}

export interface Process {
  readonly scheduler: Scheduler;
  readonly events: StartEvent[];
  readonly problems: string[];
  readonly control: AbortController;
  /** The process is gone: what it drives never ends, and what it does has no effect. A store may not tell that of its runs. */
  kill(seenAs?: 'interrupted' | 'running'): void;
}

export interface Given {
  readonly schedules?: Readonly<Record<string, ScheduleConfig>>;
  readonly triggers?: Readonly<Record<string, TriggerConfig>>;
  readonly lookInto?: () => Promise<FolderLook>;
  /** What it throws keeps a run from going on here. */
  readonly beforeResume?: (runId: string) => Promise<void>;
}

const never = new Promise<never>(() => {});

export function processIn(all: World, { schedules = {}, triggers = {}, lookInto, beforeResume }: Given): Process {
  const events: StartEvent[] = [];
  const problems: string[] = [];
  const control = new AbortController();
  let dead = false;
  const alive = <T>(work: () => Promise<T>): Promise<T> => (dead ? never : work());
  const store: KeyValueStore = {
    ...all.store,
    get: (key) => alive(() => all.store.get(key)),
    set: (key, value, options) => alive(() => all.store.set(key, value, options)),
    delete: (key) => alive(() => all.store.delete(key)),
    keys: (prefix, limit) => alive(() => all.store.keys(prefix, limit)),
  };
  const driven = async (runId: string, signal: AbortSignal, onBegun: () => void): Promise<Ending> => {
    all.runs.set(runId, 'running');
    onBegun();
    const status = all.hold
      ? await new Promise<RunStatus>((resolve) => {
          all.held.set(runId, resolve);
          signal.addEventListener('abort', () => resolve('cancelled'));
        })
      : 'done';
    if (dead) return never;
    all.runs.set(runId, status);
    return { status, costNanoUsd: 0, ms: 1 };
  };
  const starter: RunStarter = {
    status: async (runId) => all.runs.get(runId),
    moment: async (runId) => (all.runs.get(runId) === 'suspended' ? all.moments.get(runId) : undefined),
    start: (start, signal, onBegun) =>
      alive(async () => {
        if (all.runs.has(start.runId)) return { status: 'elsewhere' };
        all.started.push(start);
        return driven(start.runId, signal, onBegun);
      }),
    resume: (runId, signal, onBegun) =>
      alive(async () => {
        if (all.held.has(runId) && all.runs.get(runId) === 'running') return { status: 'elsewhere' };
        await beforeResume?.(runId);
        all.resumed.push(runId);
        return driven(runId, signal, onBegun);
      }),
  };
  const { clock } = all;
  const scheduler = createScheduler({
    schedules: Object.entries(schedules).map(([name, one]) => createSchedule(name, one, store, clock)),
    triggers: Object.entries(triggers).map(([name, one]) =>
      createTrigger(name, one, {
        ...{ store, clock, folderOf: (folder) => `/watched/${folder}`, pathOf: (folder, file) => `${folder}/${file}` },
        lookInto: lookInto ?? (async () => ({ files: all.files, truncated: false })),
      }),
    ),
    starts: createStarts({ store, starter, onEvent: (event) => events.push(event), clock }),
    waits: createWaits({
      clock,
      moment: starter.moment,
      suspended: () =>
        alive(async () =>
          [...all.runs]
            .filter(([, status]) => status === 'suspended')
            .map(([runId]) => ({ runId, updatedAt: all.moments.get(runId) ?? 0 })),
        ),
    }),
    clock,
    onProblem: (where, message) => problems.push(`${where}: ${message}`),
  });
  const kill = (seenAs: 'interrupted' | 'running' = 'interrupted'): void => {
    dead = true;
    for (const [runId] of all.held) {
      if (all.runs.get(runId) !== 'running') continue;
      all.held.delete(runId);
      all.runs.set(runId, seenAs);
    }
  };
  return { scheduler, events, problems, control, kill };
}
