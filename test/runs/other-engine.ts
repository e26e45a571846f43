/**
 * A test engine, and no product: it drives the rules of a run as a stateless process would. Before each step it reads the
 * state from the journal, runs one unit at most, waits until all that follows is committed, and forgets everything.
 */
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ExecutionEngine, RunEvent, RunHandle, RunOptions, RunResult } from '../../src/core/run/engine.ts';
import { knownRun } from '../../src/runs/journal/restore.ts';
import { answerRun } from '../../src/runs/stored/answer.ts';
import { cancelStored } from '../../src/runs/stored/cancel.ts';
import type { StoredRuns } from '../../src/runs/stored/change.ts';
import { forkRun } from '../../src/runs/stored/fork.ts';
import { inspectRun } from '../../src/runs/stored/inspect.ts';
import { advance } from '../../src/runs/turn/concluding.ts';
import { considerAll } from '../../src/runs/turn/ending.ts';
import { type Beginning, begin, type RunOpening } from '../../src/runs/turn/opening.ts';
import { stop } from '../../src/runs/turn/stop.ts';
import { nextUnit, settleUnit } from '../../src/runs/turn/units.ts';
import { type Followed, type OtherEngineParts, openStep, runUnit, type Step } from './other-engine-step.ts';

export function otherEngine(parts: OtherEngineParts): ExecutionEngine {
  const { journal, runtime, validPlan } = parts;
  const live = new Map<string, Followed>();
  const owner = runtime.ids('other');
  const stored: StoredRuns = {
    journal,
    runtime,
    validPlan,
    async lock(runId) {
      if (!(await journal.claim(runId, owner, 60_000))) throw new PolyphonyError('store-busy', `${runId} is driven.`);
      return async () => journal.release(runId, owner);
    },
  };
  const follow = (opening: RunOpening, beginning: Beginning): RunHandle => {
    const followed = newFollowed(opening.runId);
    live.set(opening.runId, followed);
    followSignal(followed, opening.options.signal);
    const result = driveToEnd(parts, stored, { opening, beginning, followed }).finally(() => {
      live.delete(opening.runId);
      for (const wake of followed.waiters.splice(0)) wake();
    });
    return { runId: opening.runId, events: () => eventsOf(followed), result: () => result, cancel: cancelOf(followed) };
  };
  return {
    start: (plan, options = {}) =>
      follow({ runId: options.runId ?? runtime.ids('run'), plan, options }, { type: 'started' }),
    async resume(runId, options = {}) {
      const restored = await knownRun(journal, runId);
      return follow({ runId, plan: validPlan(restored.plan), options, restored }, { type: 'resumed' });
    },
    answer: (runId, nodeId, answer, options) => answerRun(stored, undefined, { ...options, runId, nodeId, answer }),
    async fork(runId, options) {
      const opening = await forkRun(stored, runId, options);
      return follow(opening, { type: 'forked', prelude: opening.prelude ?? [] });
    },
    replay: (runId) => journal.read(runId),
    inspect: async (runId) => inspectRun(await knownRun(journal, runId)),
    cancel: (runId, reason = 'by its operator') => cancelStored(stored, runId, reason),
    list: (filter) => journal.list(filter),
    async close() {
      for (const followed of live.values()) cancelOf(followed)('the engine was closed');
    },
  };
}

const newFollowed = (runId: string): Followed => ({
  runId,
  shown: [],
  waiters: [],
  step: undefined,
  cancelled: undefined,
  result: undefined,
});

function cancelOf(followed: Followed): (reason?: string) => void {
  return (reason = 'by its caller') => {
    followed.cancelled ??= reason;
    if (followed.step !== undefined) stop(followed.step.run, { type: 'cancelled', reason });
  };
}

function followSignal(followed: Followed, signal: RunOptions['signal']): void {
  signal?.addEventListener('abort', () => cancelOf(followed)('by its signal'), { once: true });
}

async function* eventsOf(followed: Followed): AsyncGenerator<RunEvent> {
  for (let at = 0; ; at += 1) {
    while (at >= followed.shown.length) {
      if (followed.result !== undefined) return;
      await new Promise<void>((resolve) => followed.waiters.push(resolve));
    }
    const event = followed.shown[at];
    if (event !== undefined) yield event;
  }
}

interface Drive {
  readonly opening: RunOpening;
  readonly beginning: Beginning;
  readonly followed: Followed;
}

async function driveToEnd(parts: OtherEngineParts, stored: StoredRuns, drive: Drive): Promise<RunResult> {
  const { opening, beginning, followed } = drive;
  const { runId, options } = opening;
  const release = await stored.lock(runId);
  try {
    const first = openStep(parts, followed, opening);
    await new Promise<void>((begun) => begin(first.run, opening, beginning, begun));
    while (followed.result === undefined) {
      const restored = await knownRun(stored.journal, runId);
      // Events that no journal keeps have had their numbers too.
      restored.nextSeq = Math.max(restored.nextSeq, (followed.shown.at(-1)?.seq ?? -1) + 1);
      const plan = stored.validPlan(restored.plan);
      await takeStep(openStep(parts, followed, { runId, plan, options, restored }), followed);
    }
    return followed.result;
  } finally {
    await release();
  }
}

async function takeStep(step: Step, followed: Followed): Promise<void> {
  const { run } = step;
  followed.step = step;
  if (followed.cancelled !== undefined) stop(run, { type: 'cancelled', reason: followed.cancelled });
  considerAll(run);
  await step.committed();
  const unit = nextUnit(run);
  if (unit === undefined) advance(run);
  else {
    try {
      settleUnit(run, unit, await runUnit(step, unit), undefined);
    } catch (error) {
      settleUnit(run, unit, undefined, error);
    }
  }
  await step.committed();
  // That it is stopping, or is given another plan, no journal tells: it is seen through within the step.
  while (run.result === undefined && (run.stopping !== undefined || run.revision !== undefined)) {
    if (!advance(run)) await step.woken();
    await step.committed();
  }
  step.close();
  followed.step = undefined;
}
