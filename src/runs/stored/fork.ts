/** A new run with the finished nodes of an old one. One node, what reads a changed input, and all dependents run again. */

import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Plan, ValidNode, ValidPlan } from '../../core/plan/plan.ts';
import type { ExecutionEngine, NodeResult, RunEvent } from '../../core/run/engine.ts';
import { VALUE_BOUNDS } from '../../core/run/value-bounds.ts';
import { listReferences } from '../../language/template.ts';
import { knownRun, restore } from '../journal/restore.ts';
import type { Restored, RestoredNode } from '../journal/restored.ts';
import { createLargeValues } from '../records/large-values.ts';
import { createWritten, newWrittenBytes, tooMuchWritten } from '../records/written.ts';
import { type EventDraft, stamp } from '../state/recorder.ts';
import { capOf, type RunOpening } from '../turn/opening.ts';
import { appended, type StoredRuns } from './change.ts';

type RunInput = Readonly<Record<string, unknown>>;
export type ForkOptions = Parameters<ExecutionEngine['fork']>[1];

/** Writes the beginning of the new run's journal. `with` replaces fields of `in` of the node `from`. */
export async function forkRun(
  host: Omit<StoredRuns, 'lock'>,
  runId: string,
  options: ForkOptions,
): Promise<RunOpening> {
  const old = await knownRun(host.journal, runId, 'look');
  if (old.hasPartialPlan) {
    throw new PolyphonyError(
      'invalid-request',
      `Run ${runId} stopped before its plan was whole, so it cannot be forked: resume it first.`,
    );
  }
  const plan = host.validPlan(withInputs(old.plan, options));
  const changed = options.input === undefined ? undefined : await newInput(host, plan.plan, options.input);
  // What the old run began with was read when it began.
  const input = changed ?? (old.started.input as Readonly<Record<string, unknown>>);
  const again = rerunFrom(plan, options.from, changedKeys(old.started.input, input));
  const forkId = options.runId ?? host.runtime.ids('run');
  const drafts = [startOf(old, plan, input, options), ...keptEvents(plan, old, again)];
  const at = host.runtime.clock.now();
  const prelude = drafts.map((draft, seq) => stamp(draft, seq, at, forkId));
  for await (const _event of host.journal.read(forkId)) {
    throw new PolyphonyError('invalid-request', `Run ${forkId} already exists: choose another id for the fork.`);
  }
  const records = recordsOf(forkId, prelude, host);
  await appended(host.journal, forkId, records);
  const restored = await restore(listed(records));
  return {
    runId: forkId,
    plan,
    options: { ...options, ...defined({ input: changed }) },
    ...defined({ restored }),
    prelude,
  };
}

const newInput = async (
  { readInput }: Pick<StoredRuns, 'readInput'>,
  plan: Plan,
  input: RunInput,
): Promise<RunInput> => (readInput === undefined ? input : readInput(plan, input));

async function* listed(events: readonly RunEvent[]): AsyncGenerator<RunEvent> {
  yield* events;
}

/** @throws limit-exceeded when the beginning is more than a run may write */
function recordsOf(
  forkId: string,
  prelude: readonly RunEvent[],
  { valueBounds }: Pick<StoredRuns, 'valueBounds'>,
): RunEvent[] {
  const bytes = newWrittenBytes((valueBounds?.() ?? VALUE_BOUNDS).writtenBytes);
  const written = createWritten(forkId, bytes, createLargeValues(), 0);
  return prelude.map((event) => {
    const kept = written.keep(event);
    if (kept === undefined) throw tooMuchWritten(event, bytes.limit);
    return kept;
  });
}

function withInputs(plan: Plan, { from, with: replaced }: ForkOptions): Plan {
  const node = plan.nodes.find(({ id }) => id === from);
  if (node === undefined) {
    const ids = plan.nodes.map(({ id }) => id).join(', ');
    throw new PolyphonyError(
      'invalid-request',
      `The plan has no node ${JSON.stringify(from)}: fork from one of ${ids}.`,
    );
  }
  if (replaced === undefined) return plan;
  const changed = { ...node, in: { ...node.in, ...replaced } };
  return { ...plan, nodes: plan.nodes.map((other) => (other === node ? changed : other)) };
}

function changedKeys(before: unknown, after: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const old = (before ?? {}) as Readonly<Record<string, unknown>>;
  const keys = [...Object.keys(old), ...Object.keys(after)];
  return new Set(keys.filter((key) => JSON.stringify(old[key]) !== JSON.stringify(after[key])));
}

/** Ids of the node, of those that read a changed input, and of all their dependents. */
function rerunFrom(plan: ValidPlan, from: string, changed: ReadonlySet<string>): ReadonlySet<string> {
  const again = new Set([from]);
  for (const valid of plan.nodes) {
    const isDependent = valid.dependencies.some((id) => again.has(id));
    if (isDependent || (changed.size > 0 && readsInput(valid, changed))) again.add(valid.node.id);
  }
  return again;
}

/** Conditions are not parsed here: one that mentions `input` counts as reading all of it. */
function readsInput({ node }: ValidNode, changed: ReadonlySet<string>): boolean {
  if (/\binput\b/.test(`${node.when ?? ''} ${node.repeat?.until ?? ''}`)) return true;
  return listReferences([node.in, node.each, node.session]).some(({ reference }) =>
    reference.alternatives.some((alternative) => {
      if (alternative.type !== 'path' || alternative.head !== 'input') return false;
      const [key] = alternative.path;
      return key === undefined || changed.has(String(key));
    }),
  );
}

function startOf(
  old: Restored,
  plan: ValidPlan,
  input: Readonly<Record<string, unknown>>,
  options: ForkOptions,
): EventDraft {
  const { started } = old;
  const cap = options.budgetUsd === undefined ? old.capNanoUsd : capOf(plan, options);
  const { tags = started.tags, scopes = started.scopes, session = started.session } = options;
  return {
    type: 'run-started',
    plan: plan.plan,
    planHash: plan.hash,
    input,
    ...defined({ capNanoUsd: cap }),
    parent: { runId: started.runId, nodeId: options.from, kind: 'fork' },
    ...defined({ tags, scopes, session }),
  };
}

function* keptEvents(plan: ValidPlan, old: Restored, again: ReadonlySet<string>): Generator<EventDraft> {
  for (const { node } of plan.nodes) {
    const kept = again.has(node.id) ? undefined : old.nodes.get(node.id);
    const draft = kept === undefined ? undefined : keptEvent(node.id, kept);
    if (draft !== undefined) yield draft;
  }
}

/** What the old run paid is not charged again: the figures stay in `meta`, and the cost is 0 here. */
function keptEvent(nodeId: string, { ending, result, error }: RestoredNode): EventDraft | undefined {
  if (ending === 'skipped') return { type: 'node-skipped', nodeId, reason: 'it was skipped in the original run' };
  if (result === undefined) return undefined;
  const { usage: _usage, ...withoutUsage } = result;
  const free: NodeResult = { ...withoutUsage, costNanoUsd: 0 };
  if (ending === 'done') return { type: 'node-finished', nodeId, result: free };
  if (ending !== 'handled' || error === undefined) return undefined;
  return { type: 'node-failed', nodeId, error, handled: 'value', result: free, costNanoUsd: 0 };
}
