/**
 * The calls of a unit: their inputs, their results, and whether another call follows. A unit is
 * one call unless it has rounds, or several attempts (attempts.ts).
 */
import { defined, type Growing } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { jsonSize } from '../../core/json/json-size.ts';
import type { Scope, Warning } from '../../core/model/model.ts';
import { addMoney, type NanoUsd, nanoToUsd, usdToNano } from '../../core/money/money.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import type { NodeCall, NodeMeta, NodeOutput, NodeProgress, NodeResult, NodeThread } from '../../core/run/engine.ts';
import { THREAD_KEY_LENGTH } from '../../core/stores/threads.ts';
import type { Rendering, TemplateScope } from '../../language/template.ts';
import { chargeOf } from '../state/charge.ts';
import { compiledOf } from '../state/compiled-node.ts';
import { assertFunds, charge } from '../state/money.ts';
import type { RunState } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import { idempotencyKey, noProgress, type Unit } from '../state/task.ts';
import { assertRoomOf, hold, holdAnswer, holdResult, meterOf, releaseInFlight, takeStreamed } from '../state/values.ts';
import { holdError } from '../unit/kept-errors.ts';

const NO_WARNINGS: readonly Warning[] = [];
const NO_SCOPE: TemplateScope = () => undefined;
/** In characters; a plan may write no longer one either, but what it refers to may be. */
const LONGEST_SESSION = 500;

// ---------------------------------------------------------------------------------------------------- before a call

/** @throws the reason why the unit was stopped; budget-exceeded, limit-exceeded when nothing is left for another call of it */
export function assertCallable(run: RunState, unit: Unit): void {
  if (unit.stop !== undefined) throw unit.stop;
  assertFunds(run, unit.task);
  assertRoomOf(run.values, unit.task);
}

/** The rendered `in`. Throws, such as invalid-request, for what cannot be rendered. */
export function inputsOf(run: RunState, unit: Unit): NodeCall['inputs'] {
  const { inputs } = compiledOf(unit.task);
  const { values } = run;
  releaseInFlight(values, unit);
  const rendered = inputs.dynamic ? inputs.render(scopeOf(run, unit), meterOf(values, unit)) : inputs.render(NO_SCOPE);
  unit.inputs = rendered;
  return rendered as NodeCall['inputs'];
}

/**
 * The rendered `in` in parts, for a node with several expressions; `keepInputs` then takes what they give. Undefined: `inputsOf`
 * renders it at once.
 */
export function inputsInParts(run: RunState, unit: Unit): Rendering | undefined {
  const { inParts } = compiledOf(unit.task).inputs;
  if (inParts === undefined) return undefined;
  releaseInFlight(run.values, unit);
  return inParts(scopeOf(run, unit), meterOf(run.values, unit));
}

export function keepInputs(unit: Unit, rendering: Rendering): NodeCall['inputs'] {
  unit.inputs = rendering.value();
  return unit.inputs as NodeCall['inputs'];
}

/**
 * The node's own session; the run's where the node has none, or a value that its session refers to is missing: all that lack
 * the value would otherwise share one. A value that is no text is written as JSON, as in any text.
 *
 * @throws invalid-request for one that is too long for a key
 */
export function sessionOf(run: RunState, unit: Unit): string | undefined {
  const { session } = compiledOf(unit.task);
  if (session === undefined) return run.session;
  const key = session(scopeOf(run, unit), meterOf(run.values, unit));
  if (key === undefined) return run.session;
  if (key.length <= LONGEST_SESSION) return key;
  const message = `The session of node ${unit.task.id} has ${key.length} characters, but at most ${LONGEST_SESSION} are allowed: refer to a short key, such as an id.`;
  throw new PolyphonyError('invalid-request', message);
}

/**
 * The thread of the node. Undefined where a value that its key refers to is missing: all that lack it would otherwise share one.
 *
 * @throws invalid-request for a key that is too long
 */
export function threadOf(run: RunState, unit: Unit): NodeThread | undefined {
  const { task, item } = unit;
  const meter = meterOf(run.values, unit);
  const key = compiledOf(task).thread?.(scopeOf(run, unit), meter);
  if (key === undefined) return undefined;
  if (key.length > THREAD_KEY_LENGTH) throw longKey(task.id, key.length);
  const place = item === -1 ? task.id : `${task.id}/${item}`;
  const like = run.forkOf === undefined ? {} : { like: `${run.forkOf}/${place}` };
  return { key, reader: `${run.runId}/${place}`, ...like, mostBytes: run.values.bounds.valueBytes, hold: meter.text };
}

function longKey(nodeId: string, length: number): PolyphonyError {
  const message = `The key of the thread of node ${nodeId} has ${length} characters, but at most ${THREAD_KEY_LENGTH} are allowed: refer to a short one, such as an id.`;
  return new PolyphonyError('invalid-request', message);
}

export const unitKey = ({ runId }: RunState, { task, item, round, key }: Unit): string =>
  round === 0 ? key : idempotencyKey(runId, task, item, round);

export function answerOf({ task, item }: Unit): NodeCall['answer'] {
  const { progress } = task;
  const question = progress?.questions.get(item);
  if (question === undefined || !progress?.answers.has(item)) return undefined;
  return { question, value: progress.answers.get(item) };
}

/** What a call is charged to: the caller's scopes, the run, the node, each with its cap and what it spent. */
export function scopesOf(run: RunState, { task }: Unit): readonly Scope[] {
  const { money, runId } = run;
  const usd = task.node.limits?.usd;
  const node = scopeOfPayer('node', `${runId}/${task.id}`, usd === undefined ? undefined : usdToNano(usd), task.paid);
  return [...run.scopes, scopeOfPayer('run', runId, money.cap, money.spent), node];
}

function scopeOfPayer(kind: 'run' | 'node', id: string, cap: NanoUsd | undefined, spentNanoUsd: NanoUsd): Scope {
  const scope: Growing<Scope> = { kind, id };
  if (cap !== undefined) scope.capNanoUsd = cap;
  if (spentNanoUsd !== 0) scope.spentNanoUsd = spentNanoUsd;
  return scope;
}

// ---------------------------------------------------------------------------------------------------- during a call

export function takeDelta(run: RunState, unit: Unit, text: string, restart: boolean): void {
  if (unit.settled) return;
  if (restart && unit.used !== undefined) unit.used.streamed = 0;
  takeStreamed(run.values, unit, text);
  run.recorder.record({ type: 'node-delta', ...placeOf(unit), text, ...(restart ? { restart } : {}) });
  run.driver.wake();
}

export function takeProgress(run: RunState, unit: Unit, event: NodeProgress): void {
  if (unit.settled) return;
  if (event.type === 'node-retried') holdError(run.values, event.error, unit.task.id);
  else holdBeside(run, unit, event.escalation, 'The report of an escalation');
  run.recorder.record({ ...event, ...placeOf(unit) });
  run.driver.wake();
}

export function placeOf(unit: Unit): { nodeId: string; item?: number; round?: number } {
  const { task, item, round } = unit;
  const place: { nodeId: string; item?: number; round?: number } = { nodeId: task.id };
  if (item !== -1) place.item = item;
  if (round !== 0) place.round = round;
  return place;
}

// ---------------------------------------------------------------------------------------------------- after a call

/**
 * Charges a call that succeeded; the result carries the cost of all calls of the unit, failed attempts included.
 *
 * @throws invalid-output, limit-exceeded for what it returned, which is charged even then
 */
export function bookOutput(run: RunState, unit: Unit, output: NodeOutput): NodeResult {
  charge(run, unit, output.costNanoUsd, output.usage);
  // A result that comes too late is not kept.
  if (!unit.settled) {
    holdResult(run.values, unit, output.value);
    if (output.answer !== undefined) holdAnswer(run.values, output.answer, unit.task.id);
    if (output.warnings !== undefined) holdBeside(run, unit, output.warnings, 'The list of warnings');
  }
  const { usage, costNanoUsd } = output;
  const value = output.value === undefined ? null : output.value;
  const result: Growing<NodeResult> = { output: value, meta: metaOf(run, unit, output), costNanoUsd };
  if (usage !== undefined) result.usage = usage;
  return withAllMoney(unit, result);
}

/** Counts what is recorded beside the values. @throws limit-exceeded */
function holdBeside({ values }: RunState, { task }: Unit, recorded: object, noun: string): void {
  hold(values, jsonSize(recorded).added, { noun, nodeId: task.id });
}

/** Charges a call that failed, or that asks a question after it has paid for something. */
export function bookFailure(run: RunState, unit: Unit, error: unknown): void {
  const { costNanoUsd, usage } = chargeOf(error);
  charge(run, unit, costNanoUsd, usage);
}

function metaOf(run: RunState, unit: Unit, output: NodeOutput): NodeMeta {
  const { model, provider, confidence, escalation, answer, costNanoUsd } = output;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  const nowMs = run.host.runtime.clock.monotonic();
  run.recorder.tick(nowMs);
  const ms = nowMs - unit.startedAt;
  const meta = { costUsd, ms, warnings: output.warnings ?? NO_WARNINGS };
  if (model === undefined && provider === undefined && confidence === undefined && escalation === undefined)
    return meta;
  return defined({ model, provider, rung: escalation?.rung ?? 0, confidence, ...answer, ...meta });
}

function withAllMoney(unit: Unit, result: NodeResult): NodeResult {
  const { costNanoUsd, usage } = unit;
  if (costNanoUsd === result.costNanoUsd && usage === (result.usage ?? NO_USAGE)) return result;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  return { output: result.output, usage, costNanoUsd, meta: { ...result.meta, costUsd } };
}

// ---------------------------------------------------------------------------------------------------- rounds

/** Continues after the rounds that an earlier process finished. Returns the unit's result when none is left. */
export function takeUpRounds(run: RunState, unit: Unit): NodeResult | undefined {
  const restored = unit.task.progress?.rounds.get(unit.item);
  if (restored === undefined) return undefined;
  unit.round = restored.round;
  unit.previous = restored.result.output;
  unit.costNanoUsd = restored.costNanoUsd;
  unit.usage = restored.usage;
  return lastRound(run, unit, restored.result);
}

/**
 * Begins the next round. Its result carries the cost of its own failed calls, because no other event records it.
 *
 * @returns a function that ends the round, however it went, and adds its cost to the unit's
 */
export function nextRound(unit: Unit): () => void {
  const { costNanoUsd, usage } = unit;
  unit.round += 1;
  unit.costNanoUsd = 0;
  unit.usage = NO_USAGE;
  return () => {
    unit.costNanoUsd = addMoney(costNanoUsd, unit.costNanoUsd);
    unit.usage = addUsage(usage, unit.usage);
  };
}

/** Records the round that ended; calls `committed` once the journal has it. */
export function recordRound(run: RunState, unit: Unit, result: NodeResult, committed: () => void): void {
  const { task, item, round } = unit;
  const place = item === -1 ? { round } : { item, round };
  unit.loop = undefined;
  const recorded = run.recorder.record({ type: 'round-finished', nodeId: task.id, ...place, result }, committed);
  // The run is stopping, and the next call throws why.
  if (!recorded) committed();
  run.driver.wake();
}

/** Returns the unit's result after its last round; undefined when another round follows. */
export function takeRound(run: RunState, unit: Unit, result: NodeResult): NodeResult | undefined {
  const { task, item, round, costNanoUsd, usage } = unit;
  unit.previous = result.output;
  // The next round asks anew, and if it does, the unit that takes the answer goes on from here.
  task.progress ??= noProgress();
  const { questions, answers, rounds } = task.progress;
  questions.delete(item);
  answers.delete(item);
  const last = lastRound(run, unit, result);
  if (last === undefined) rounds.set(item, { round, result, costNanoUsd, usage });
  else rounds.delete(item);
  return last;
}

function lastRound(run: RunState, unit: Unit, result: NodeResult): NodeResult | undefined {
  const { node } = unit.task;
  const holds = compiledOf(unit.task).until?.(scopeOf(run, unit, result)) === true;
  if (!holds && unit.round < (node.repeat?.max ?? 1)) return undefined;
  const last = withAllMoney(unit, result);
  if (holds) return last;
  const message = `Node ${node.id} ran ${unit.round} rounds and "until" was never true, so its last output is used: raise "max" or relax "until".`;
  const warning = { code: 'repeat-max', message } as const;
  holdBeside(run, unit, warning, 'A warning');
  const warnings = [...result.meta.warnings, warning];
  return { ...last, meta: { ...result.meta, warnings } };
}
