/** Revises the rest of the plan after a node with `onError: "replan"` has failed for good. */
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, errorRecord, type PolyphonyError } from '../../core/errors.ts';
import { bookAnswer, plannerScopes } from '../state/planner-calls.ts';
import type { EventDraft } from '../state/recorder.ts';
import type { Revision, RunState } from '../state/run-state.ts';
import type { Task } from '../state/task.ts';
import { countCall } from './count-calls.ts';
import { stop } from './stop.ts';

/** Most revisions per run. */
const REVISIONS = 3;

export const canRevise = (run: RunState): boolean =>
  run.driver.planner !== undefined && (run.revision !== undefined || run.revisions < REVISIONS);

/** Nothing starts from here on until the revised plan is there; running units may end. */
export function startRevision(run: RunState, task: Task, error: PolyphonyError, event: EventDraft): void {
  task.phase = 'settling';
  task.failures += 1;
  run.driver.releaseNode(task);
  if (run.revision !== undefined) {
    run.recorder.record(event);
    return;
  }
  const revision: Revision = {
    reason: `${task.id}: ${error.message}`,
    asking: true,
    plan: undefined,
    kept: undefined,
  };
  run.revision = revision;
  run.recorder.record(event, () => void askForPlan(run, revision, task, error));
}

async function askForPlan(run: RunState, revision: Revision, task: Task, error: PolyphonyError): Promise<void> {
  const failure = {
    plan: run.plan.plan,
    failed: { nodeId: task.id, error: errorRecord(error) },
    finished: finishedOutputs(run),
    begun: begunNodes(run),
  };
  try {
    // A run that was stopped before the failure was committed does not call the planner.
    const revised =
      run.stopping === undefined
        ? await run.driver.planner?.revise(failure, {
            scopes: plannerScopes(run),
            ...defined({ seconds: secondsOf(run) }),
            onCall: () => countCall(run, undefined, 'plannerCalls'),
            onAnswer: (answer) => revision.asking && bookAnswer(run, answer),
          })
        : undefined;
    revision.kept = revised?.kept;
    revision.plan = revised?.plan;
  } catch (cause) {
    run.revision = undefined;
    stop(run, { type: 'failed', error: asPolyphonyError(cause), nodeId: task.id });
  }
  revision.asking = false;
  run.driver.wake();
}

/** The limit of its plan goes before the operator's. */
const secondsOf = (run: RunState): number | undefined => run.plan.plan.budget?.seconds ?? run.counted.limits.seconds;

function finishedOutputs(run: RunState): Readonly<Record<string, unknown>> {
  const finished: Record<string, unknown> = {};
  for (const task of run.tasks.values()) if (task.ending === 'done') finished[task.id] = task.result?.output ?? null;
  return finished;
}

/** Nodes that have not ended, but some of their items, rounds or calls of tools may have. */
const begunNodes = (run: RunState): readonly string[] =>
  [...run.tasks.values()]
    .filter(({ ending, startedAt, progress }) => ending === undefined && (startedAt >= 0 || progress !== undefined))
    .map(({ id }) => id);
