/** The call that undoes a node: bounded in time, and with a key of its own. */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Paid } from '../core/money/usage.ts';
import { type NodeCall, type NodeRunner, SuspendRun } from '../core/run/engine.ts';
import { chargeOf } from '../runs/state/charge.ts';
import type { RunState } from '../runs/state/run-state.ts';
import { type UndoEntry, undoOf } from '../runs/state/undo.ts';
import { countCall } from '../runs/turn/count-calls.ts';

/** How long undoing a node without limits may take, in milliseconds: the run waits for it. */
const UNDO_MS = 60_000;
/** What each call gets when the time of all of them is over, in milliseconds: most effects are undone sooner. */
const LEAST_MS = 1000;

interface Undoing {
  readonly run: RunState;
  readonly runnerOf: (use: string) => NodeRunner;
}

/** Calls `settled` once: with what the call cost, and with its error if it failed. */
export function callUndo(
  undoing: Undoing,
  entry: UndoEntry,
  inputs: NodeCall['inputs'],
  settled: (paid: Paid, error?: unknown) => void,
): void {
  const { clock } = undoing.run.host.runtime;
  const controller = new AbortController();
  const { ms, limit } = timeFor(undoing.run, entry);
  const late = clock.schedule(ms, () => {
    const message = `Undoing node ${entry.node.id} took longer than ${ms / 1000} seconds (${limit}): find out whether it was undone.`;
    const error = new PolyphonyError('timeout', message);
    controller.abort(error);
    settled({ costNanoUsd: 0 }, error);
  });
  void called(undoing, callOf(undoing.run, entry, inputs, controller.signal), settled).finally(late);
}

/** That of one attempt of the node, and of what all undoing of the run may take. */
function timeFor(
  { undo, counted, host }: RunState,
  { node }: UndoEntry,
): { readonly ms: number; readonly limit: string } {
  const now = host.runtime.clock.monotonic();
  undo.since ??= now;
  const seconds = node.limits?.attemptSeconds ?? node.limits?.seconds;
  const own = seconds === undefined ? UNDO_MS : seconds * 1000;
  const left = Math.max(LEAST_MS, undo.since + counted.limits.undoMs - now);
  if (left < own) return { ms: left, limit: 'limits.run.undoMs of the config' };
  return { ms: own, limit: seconds === undefined ? 'what a node without limits gets' : 'the limits of the node' };
}

async function called(undoing: Undoing, call: NodeCall, settled: (paid: Paid, error?: unknown) => void): Promise<void> {
  try {
    const { costNanoUsd, usage } = await undoing.runnerOf(call.node.use)(call);
    settled({ costNanoUsd, ...defined({ usage }) });
  } catch (error) {
    settled(chargeOf(error), error instanceof SuspendRun ? nobodyAsked(call) : error);
  }
}

/** The run has ended, so nobody can be asked any more. */
function nobodyAsked({ node }: NodeCall): PolyphonyError {
  const message = `Undoing node ${node.id} runs ${node.use}, which needs the approval of a person, so it was not run: undo it by hand, or use a tool without approval.`;
  return new PolyphonyError('blocked', message);
}

function callOf(run: RunState, entry: UndoEntry, inputs: NodeCall['inputs'], signal: AbortSignal): NodeCall {
  const { node, item, idempotencyKey } = entry;
  const { money, runId, scopes, level } = run;
  const scope = { kind: 'run', id: runId, ...defined({ capNanoUsd: money.cap }), spentNanoUsd: money.spent } as const;
  return {
    runId,
    planId: run.plan.plan.id,
    node: { id: node.id, use: undoOf(node)?.use ?? '' },
    inputs,
    ...(item === -1 ? {} : { item }),
    idempotencyKey: `${idempotencyKey}/undo`,
    signal,
    scopes: [...scopes, scope],
    level,
    ...defined({ session: run.session, requestId: run.requestId, sensitivity: node.sensitivity }),
    emit: () => {},
    report: () => {},
    count: (what) => countCall(run, undefined, what),
  };
}
