/** A new run with the finished nodes of an old one. One node, what reads a changed input, and all dependents run again. */

import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Scope } from '../../core/model/model.ts';
import type { Plan, ValidNode, ValidPlan } from '../../core/plan/plan.ts';
import type { ExecutionEngine, NodeResult, RunEvent, ToolCallRecord } from '../../core/run/engine.ts';
import { withTagScopes } from '../../core/run/tag-scopes.ts';
import { VALUE_BOUNDS } from '../../core/run/value-bounds.ts';
import { listReferences } from '../../language/template.ts';
import { knownRun, restore } from '../journal/restore.ts';
import type { Restored, RestoredNode } from '../journal/restored.ts';
import { nodesToRunAgain } from '../journal/restored-undo.ts';
import { createLargeValues } from '../records/large-values.ts';
import { createWritten, newWrittenBytes, tooMuchWritten } from '../records/written.ts';
import type { HeldLease } from '../state/driver.ts';
import { type EventDraft, stamp } from '../state/recorder.ts';
import { capOf, type RunOpening } from '../turn/opening.ts';
import { appended, type StoredRuns } from './change.ts';

type RunInput = Readonly<Record<string, unknown>>;
export type ForkOptions = Parameters<ExecutionEngine['fork']>[1];

/**
 * Writes the beginning of the new run's journal. `with` replaces fields of `in` of the node `from`.
 *
 * @throws not-found; invalid-request, also for an id that a run has; store-busy while another process gives that id to a run
 */
export async function forkRun(host: StoredRuns, runId: string, options: ForkOptions): Promise<RunOpening> {
  const old = await knownRun(host.journal, runId, 'look');
  if (old.hasPartialPlan) {
    throw new PolyphonyError(
      'invalid-request',
      `Run ${runId} stopped before its plan was whole, so it cannot be forked: resume it first.`,
    );
  }
  const plan = host.validPlan(withInputs(old.plan, options));
  const changed =
    options.input === undefined ? undefined : await newInput(host, old, { plan: plan.plan, input: options.input });
  // What the old run began with was read when it began.
  const input = changed ?? (old.started.input as Readonly<Record<string, unknown>>);
  const from = [options.from, ...nodesToRunAgain(old, plan)];
  const again = rerunFrom(plan, from, changedKeys(old.started.input, input));
  const forkId = options.runId ?? host.runtime.ids('run');
  const drafts = [startOf(old, plan, input, options), ...keptEvents(plan, old, again)];
  const at = host.runtime.clock.now();
  const prelude = drafts.map((draft, seq) => stamp(draft, seq, at, forkId));
  const records = recordsOf(forkId, prelude, host);
  // Nobody else knows an id that was made here.
  const lease = options.runId === undefined ? undefined : await appendNew(host, forkId, records);
  if (lease === undefined) await appended(host.journal, forkId, records);
  const restored = await restore(listed(records));
  const scopes = scopesOf(old, options);
  const forked = { ...options, ...defined({ scopes, input: changed }) };
  return { runId: forkId, plan, options: forked, ...defined({ restored, lease }), prelude };
}

/** The lease goes on to the drive of the fork: in between, nobody else could tell it from a run that was left behind. */
async function appendNew(host: StoredRuns, forkId: string, records: readonly RunEvent[]): Promise<HeldLease> {
  // Whoever drives a run of that id is not disturbed by somebody who only looks.
  await assertUnknown(host, forkId);
  const lease = await heldLease(host, forkId);
  try {
    await assertUnknown(host, forkId);
    await appended(host.journal, forkId, records);
    return lease;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

async function heldLease({ lock }: StoredRuns, runId: string): Promise<HeldLease> {
  const lost: unknown[] = [];
  let tell = (error: unknown): void => void lost.push(error);
  const release = await lock(runId, (error) => tell(error));
  return {
    release,
    whenLost(onLost) {
      tell = onLost;
      for (const error of lost) onLost(error);
    },
  };
}

async function assertUnknown({ journal }: StoredRuns, forkId: string): Promise<void> {
  for await (const _event of journal.read(forkId)) {
    throw new PolyphonyError('invalid-request', `Run ${forkId} already exists: choose another id for the fork.`);
  }
}

interface Changed {
  readonly plan: Plan;
  readonly input: RunInput;
}

async function newInput({ readInput }: StoredRuns, { started }: Restored, { plan, input }: Changed): Promise<RunInput> {
  return readInput === undefined ? input : readInput(plan, input, { isPlanned: started.request !== undefined });
}

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

/** Ids of these nodes, of those that read a changed input, and of all their dependents. */
function rerunFrom(plan: ValidPlan, from: readonly string[], changed: ReadonlySet<string>): ReadonlySet<string> {
  const again = new Set(from);
  for (const valid of plan.nodes) {
    const isDependent = valid.dependencies.some((id) => again.has(id));
    if (isDependent || (changed.size > 0 && readsInput(valid, changed))) again.add(valid.node.id);
  }
  return again;
}

/** Conditions are not parsed here: one that mentions `input` counts as reading all of it. */
function readsInput({ node }: ValidNode, changed: ReadonlySet<string>): boolean {
  if (/\binput\b/.test(`${node.when ?? ''} ${node.repeat?.until ?? ''}`)) return true;
  return listReferences([node.in, node.each, node.session, node.thread, node.model]).some(({ reference }) =>
    reference.alternatives.some((alternative) => {
      if (alternative.type !== 'path' || alternative.head !== 'input') return false;
      const [key] = alternative.path;
      return key === undefined || changed.has(String(key));
    }),
  );
}

/** Other tags take the place of the old ones, also among the scopes. */
function scopesOf({ started }: Restored, options: ForkOptions): readonly Scope[] | undefined {
  const { tags } = options;
  const replaced = new Set(tags === undefined ? [] : withTagScopes([], started.tags).map(({ id }) => id));
  const before = started.scopes?.filter(({ kind, id }) => kind !== 'tag' || !replaced.has(id));
  const scopes = withTagScopes(options.scopes ?? before, tags ?? (options.scopes && started.tags));
  return scopes.length === 0 ? undefined : scopes;
}

function startOf(
  old: Restored,
  plan: ValidPlan,
  input: Readonly<Record<string, unknown>>,
  options: ForkOptions,
): EventDraft {
  const { started } = old;
  const cap = options.budgetUsd === undefined ? old.capNanoUsd : capOf(plan, options);
  const { tags = started.tags, session = started.session, approval = started.approval } = options;
  const scopes = scopesOf(old, options);
  return {
    type: 'run-started',
    plan: plan.plan,
    planHash: plan.hash,
    ...(old.repaired.length === 0 ? {} : { repaired: old.repaired }),
    input,
    ...defined({ capNanoUsd: cap }),
    parent: { runId: started.runId, nodeId: options.from, kind: 'fork' },
    ...defined({ tags, scopes, session, requestId: options.requestId, approval }),
  };
}

function* keptEvents(plan: ValidPlan, old: Restored, again: ReadonlySet<string>): Generator<EventDraft> {
  for (const { node } of plan.nodes) {
    const kept = again.has(node.id) ? undefined : old.nodes.get(node.id);
    if (kept === undefined) continue;
    const draft = keptEvent(node.id, kept);
    if (draft !== undefined) yield draft;
    else if (kept.ending === undefined) yield* keptLoops(node.id, kept);
  }
}

/** What a model and its tools did for a node that has not ended. Calls that have not ended get keys of the new run. */
function* keptLoops(nodeId: string, { progress }: RestoredNode): Generator<EventDraft> {
  for (const [of, { repeat, rounds }] of progress.loops) {
    if (repeat > 1) continue;
    const place = { nodeId, ...(of === -1 ? {} : { item: of }), ...(repeat === 0 ? {} : { repeat }) };
    for (const { answer, calls } of rounds) {
      const { round, content, finishReason, asked } = answer;
      const { citations, warnings, model, provider } = answer;
      const said = { round, content, finishReason, asked, ...defined({ citations, warnings, model, provider }) };
      yield { type: 'model-answered', ...place, ...said, costNanoUsd: 0 };
      for (const call of calls.values()) yield { ...toolCall(call), type: 'tool-call', ...place, costNanoUsd: 0 };
    }
  }
}

function toolCall({ round, index, callId, name, arguments: given, approval, result, error }: ToolCallRecord) {
  return { round, index, callId, name, arguments: given, ...defined({ approval, result, error }) };
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
