/**
 * Runs that are suspended until a moment: a `wait` that ends, the time of a question that is up. The process that suspended them,
 * or was asked to recover them, continues them at that moment, while it lives. Nothing keeps a process alive for it: whoever
 * resumes the run later finds that the moment has come.
 */
import type { Clock } from '../core/clock.ts';
import { errorRecord, PolyphonyError } from '../core/errors.ts';
import type { Logger } from '../core/plugin.ts';
import type { ExecutionEngine, RunHandle, RunResult } from '../core/run/engine.ts';
import { nextMomentOf } from '../runs/records/waiting.ts';

export interface AlarmParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly engine: () => Pick<ExecutionEngine, 'inspect' | 'resume'>;
  /** Whether no node of another run started it: those are continued with the run around them. */
  readonly isOutermost: (runId: string) => Promise<boolean>;
}

export interface Alarms {
  /** A run is driven from now on. It is continued at its moment if it ends suspended. */
  follow(handle: RunHandle): void;
  /** A run that nobody drives. */
  set(result: RunResult): Promise<void>;
  close(): void;
}

export function createAlarms({ clock, logger, engine, isOutermost }: AlarmParts): Alarms {
  const timers = new Map<string, () => void>();
  let isClosed = false;
  const clear = (runId: string): void => {
    timers.get(runId)?.();
    timers.delete(runId);
  };
  const schedule = (runId: string, at: number): void => {
    const ring = (): void => {
      timers.delete(runId);
      // A timer may be shorter than was asked for.
      if (clock.now() < at) schedule(runId, at);
      else goOn(runId).catch((error: unknown) => tell(runId, error));
    };
    timers.set(runId, clock.schedule(Math.max(0, at - clock.now()), ring, { background: true }));
  };
  /** Another process may have ended the run, or have continued it until a later moment. */
  const goOn = async (runId: string): Promise<void> => {
    const { status, waiting = [] } = await engine().inspect(runId);
    const at = status === 'suspended' ? nextMomentOf(waiting) : undefined;
    if (at === undefined || isClosed || timers.has(runId)) return;
    if (at > clock.now()) schedule(runId, at);
    else await engine().resume(runId);
  };
  const tell = (runId: string, cause: unknown): void => {
    // Somebody else continues it, or has ended it.
    const isTaken = cause instanceof PolyphonyError && (cause.code === 'store-busy' || cause.code === 'not-found');
    if (!isTaken && !isClosed) logger.warn({ runId, error: errorRecord(cause) }, 'a run could not go on at its moment');
  };
  const set = async ({ runId, status, waiting = [] }: RunResult): Promise<void> => {
    const at = status === 'suspended' ? nextMomentOf(waiting) : undefined;
    if (at === undefined || isClosed || !(await isOutermost(runId)) || isClosed) return;
    clear(runId);
    schedule(runId, at);
  };
  return {
    set,
    follow(handle) {
      const { runId } = handle;
      clear(runId);
      handle
        .result()
        .then(set)
        .catch((error: unknown) => tell(runId, error));
    },
    close() {
      isClosed = true;
      for (const runId of [...timers.keys()]) clear(runId);
    },
  };
}
