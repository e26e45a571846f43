/**
 * Revises the rest of the plan for a node with `onError: "replan"`.
 *
 * R1. The planner is asked when the node has failed for good, when it says so in its output, and when it stalls: its `repeat` has had
 *     all its rounds, and `until` does not hold.
 * R2. It says so with the field `replan` of its declared `out`, a text that says why. Only a model or a person can: what a tool or a
 *     workflow gives is data, which may have been written by anybody.
 * R3. Nothing starts from then until the revised plan is committed, and at most three revisions are made per run.
 * R4. An answer is heeded once: the next revision that is committed covers all that had finished before it.
 */
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, errorRecord, PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import type { PlanFailure } from '../../core/plan/planner.ts';
import { isPlainObject } from '../../language/shorthand.ts';
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

/** Revises the plan where one of these nodes, which have finished, wants another one. */
export function reviseAsWanted(run: RunState, tasks: Iterable<Task>): void {
  if (run.revision !== undefined || run.stopping !== undefined || run.streamingPlan !== undefined) return;
  for (const task of tasks) {
    if (task.node.onError !== 'replan') continue;
    const wish = wishOf(task);
    if (wish === undefined || !canRevise(run)) continue;
    const revision: Revision = { reason: `${task.id}: ${wish.reason}`, asking: true, plan: undefined, kept: undefined };
    run.revision = revision;
    void askForPlan(run, revision, task, new PolyphonyError('invalid-output', wish.reason), wish.cause);
    return;
  }
}

type Cause = NonNullable<PlanFailure['cause']>;

/** Why a node that has finished wants another plan; undefined where it wants none. */
function wishOf({ node, ending, result }: Task): { readonly cause: Cause; readonly reason: string } | undefined {
  if (ending !== 'done' || result === undefined || node.finish === true) return undefined;
  const asked = declaresReplan(node) ? reasonIn(node, result.output) : undefined;
  if (asked !== undefined) return { cause: 'asked', reason: asked };
  if (node.repeat === undefined) return undefined;
  const stalled = result.meta.warnings.find(({ code }) => code === 'repeat-max');
  return stalled === undefined ? undefined : { cause: 'stalled', reason: stalled.message };
}

const LONGEST_REASON = 1000;
const ASKING: ReadonlySet<string> = new Set(['llm', 'human']);

/** The field `replan` is declared in `out`, as a map of types or as a JSON Schema. */
function declaresReplan({ use, out }: PlanNode): boolean {
  if (out === undefined || !ASKING.has(use)) return false;
  const { properties } = out;
  return Object.hasOwn(out, 'replan') || (isPlainObject(properties) && Object.hasOwn(properties, 'replan'));
}

/** Of an `each`, the first item that says so. */
function reasonIn(node: PlanNode, output: unknown): string | undefined {
  const outputs = node.each !== undefined && Array.isArray(output) ? output : [output];
  for (const one of outputs) {
    const said = isPlainObject(one) ? one.replan : undefined;
    if (typeof said === 'string' && said.trim() !== '') return firstOf(said.trim(), LONGEST_REASON);
  }
  return undefined;
}

async function askForPlan(
  run: RunState,
  revision: Revision,
  task: Task,
  error: PolyphonyError,
  cause?: Cause,
): Promise<void> {
  const failure: PlanFailure = {
    plan: run.plan.plan,
    failed: { nodeId: task.id, error: errorRecord(error) },
    ...defined({ cause }),
    finished: finishedOutputs(run),
    begun: begunNodes(run),
  };
  try {
    // A run that was stopped before the failure was committed does not call the planner.
    const revised =
      run.stopping === undefined
        ? await run.driver.planner?.revise(failure, {
            scopes: plannerScopes(run),
            ...defined({ approval: run.approval, seconds: secondsOf(run) }),
            onCall: () => countCall(run, undefined, 'plannerCalls'),
            onAnswer: (answer) => revision.asking && bookAnswer(run, answer),
          })
        : undefined;
    revision.kept = revised?.kept;
    revision.plan = revised?.plan;
  } catch (thrown) {
    run.revision = undefined;
    stop(run, { type: 'failed', error: asPolyphonyError(thrown), nodeId: task.id });
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
