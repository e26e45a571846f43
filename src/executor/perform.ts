/** One unit of a node from its first call to its result: rounds, retries, what they cost. */

import { backOffMs } from '../core/backoff.ts';
import { errorRecord, type PolyphonyError } from '../core/errors.ts';
import type { Scope, Warning } from '../core/model/model.ts';
import { addMoney, nanoToUsd, usdToNano } from '../core/money/money.ts';
import { addUsage, NO_USAGE } from '../core/money/usage.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import type { NodeCall, NodeMeta, NodeOutput, NodeProgress, NodeResult } from '../core/run/engine.ts';
import { SuspendRun } from '../core/run/engine.ts';
import { chargeOf } from '../runs/state/charge.ts';
import { compiledOf } from '../runs/state/compiled-node.ts';
import { assertFunds, charge } from '../runs/state/money.ts';
import type { RunState } from '../runs/state/run-state.ts';
import { scopeOf } from '../runs/state/scope.ts';
import { idempotencyKey, type Unit } from '../runs/state/task.ts';
import { signalOf } from '../runs/turn/stop.ts';
import { sleep } from '../system/clock.ts';

const NO_WARNINGS: readonly Warning[] = [];
const RETRY_BASE_MS = 500;
const RETRY_CEILING_MS = 30_000;

/** Rounds and retries make a unit more than one call. */
export function isSingleCall({ task }: Unit): boolean {
  const { repeat, limits, use } = task.node;
  return repeat === undefined && (limits?.retries === undefined || retriesOf(use, limits.retries) === 0);
}

/** Throws what its runner throws, or why it was stopped. */
export async function perform(run: RunState, unit: Unit): Promise<NodeResult> {
  if (unit.task.node.repeat !== undefined) return performRounds(run, unit);
  return singleResult(run, unit, await callRunner(run, unit));
}

/** Of a unit that is one call; its failures are booked with `bookFailure`. */
export function callOnce(run: RunState, unit: Unit): Promise<NodeOutput> {
  try {
    if (unit.stop !== undefined) throw unit.stop;
    assertFunds(run, unit.task);
    return run.host.runnerOf(unit.task.node.use)(callOf(run, unit));
  } catch (error) {
    return Promise.reject(error);
  }
}

export function singleResult(run: RunState, unit: Unit, output: NodeOutput): NodeResult {
  return wholeOf(unit, resultOf(run, unit, output));
}

export function bookFailure(run: RunState, unit: Unit, error: unknown): void {
  if (error instanceof SuspendRun) return;
  const { costNanoUsd, usage } = chargeOf(error);
  charge(run, unit, costNanoUsd, usage);
}

async function performRounds(run: RunState, unit: Unit): Promise<NodeResult> {
  const restored = unit.task.progress?.rounds.get(unit.item);
  if (restored !== undefined) {
    unit.round = restored.round;
    unit.previous = restored.result.output;
    unit.costNanoUsd = restored.costNanoUsd;
    unit.usage = restored.usage;
    if (isLast(run, unit, restored.result)) return lastOf(run, unit, restored.result);
  }
  for (;;) {
    unit.round += 1;
    const result = await performRound(run, unit);
    await recordRound(run, unit, result);
    unit.previous = result.output;
    if (isLast(run, unit, result)) return lastOf(run, unit, result);
  }
}

/** Its result has the money of its failed calls too, for nothing else in the journal tells it. */
async function performRound(run: RunState, unit: Unit): Promise<NodeResult> {
  const { costNanoUsd, usage } = unit;
  unit.costNanoUsd = 0;
  unit.usage = NO_USAGE;
  try {
    return wholeOf(unit, resultOf(run, unit, await callRunner(run, unit)));
  } finally {
    unit.costNanoUsd = addMoney(costNanoUsd, unit.costNanoUsd);
    unit.usage = addUsage(usage, unit.usage);
  }
}

function isLast(run: RunState, unit: Unit, result: NodeResult): boolean {
  const { node } = unit.task;
  const until = compiledOf(unit.task).until;
  return unit.round >= (node.repeat?.max ?? 1) || until?.(scopeOf(run, unit, result)) === true;
}

function lastOf(run: RunState, unit: Unit, result: NodeResult): NodeResult {
  const { node } = unit.task;
  const whole = wholeOf(unit, result);
  if (compiledOf(unit.task).until?.(scopeOf(run, unit, result)) === true) return whole;
  const message = `Node ${node.id} was repeated ${unit.round} times and "until" never held: its last output stands.`;
  const warnings = [...result.meta.warnings, { code: 'repeat-max', message }];
  return { ...whole, meta: { ...result.meta, warnings } };
}

/** The result of the last call with the money of all: failed attempts and earlier rounds too. */
function wholeOf(unit: Unit, result: NodeResult): NodeResult {
  const { costNanoUsd, usage } = unit;
  if (costNanoUsd === result.costNanoUsd && usage === (result.usage ?? NO_USAGE)) return result;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  return { ...result, usage, costNanoUsd, meta: { ...result.meta, costUsd } };
}

function recordRound(run: RunState, unit: Unit, result: NodeResult): Promise<void> {
  const { task, item, round } = unit;
  const place = item === -1 ? { round } : { item, round };
  return new Promise((resolve) => {
    run.recorder.record({ type: 'round-finished', nodeId: task.id, ...place, result }, resolve);
    run.wake();
  });
}

function resultOf(run: RunState, unit: Unit, output: NodeOutput): NodeResult {
  charge(run, unit, output.costNanoUsd, output.usage);
  const { usage, costNanoUsd } = output;
  const result = {
    output: output.value === undefined ? null : output.value,
    meta: metaOf(run, unit, output),
    costNanoUsd,
  };
  return usage === undefined ? result : { ...result, usage };
}

function metaOf(run: RunState, unit: Unit, output: NodeOutput): NodeMeta {
  const { model, provider, confidence, escalation, costNanoUsd } = output;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  const ms = run.host.runtime.clock.monotonic() - unit.startedAt;
  const meta = { costUsd, ms, warnings: output.warnings ?? NO_WARNINGS };
  if (model === undefined && provider === undefined && confidence === undefined && escalation === undefined)
    return meta;
  return {
    ...(model === undefined ? {} : { model }),
    ...(provider === undefined ? {} : { provider }),
    rung: escalation?.rung ?? 0,
    ...(confidence === undefined ? {} : { confidence }),
    ...meta,
  };
}

async function callRunner(run: RunState, unit: Unit): Promise<NodeOutput> {
  const { node } = unit.task;
  const retries = retriesOf(node.use, node.limits?.retries);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await callOnce(run, unit);
    } catch (error) {
      bookFailure(run, unit, error);
      if (attempt > retries || unit.stop !== undefined || !mayRetry(error)) throw error;
      await pauseBeforeRetry(run, unit, attempt, error);
    }
  }
}

/** A model's retries are the gateway's: only what is no model call runs again here. */
function retriesOf(use: string, retries = 0): number {
  return use === 'plan' || use.startsWith('tool:') || use.startsWith('workflow:') ? retries : 0;
}

const FINAL: ReadonlySet<PolyphonyError['code']> = new Set([
  'cancelled',
  'budget-exceeded',
  'blocked',
  'invalid-request',
  'invalid-plan',
  'invalid-config',
  'not-found',
]);

const mayRetry = (error: unknown): boolean => !(error instanceof SuspendRun) && !FINAL.has(errorRecord(error).code);

async function pauseBeforeRetry(run: RunState, unit: Unit, attempt: number, error: unknown): Promise<void> {
  const { clock, random } = run.host.runtime;
  const told = error instanceof Error && 'retryAfterMs' in error ? Number(error.retryAfterMs ?? 0) : 0;
  run.recorder.record({
    type: 'node-retried',
    ...placeOf(unit),
    attempt,
    error: errorRecord(error),
    ...chargeOf(error),
  });
  run.wake();
  const waitMs = backOffMs({
    failures: attempt,
    baseMs: RETRY_BASE_MS,
    maxMs: RETRY_CEILING_MS,
    random,
    atLeastMs: told,
  });
  await sleep(clock, waitMs, signalOf(unit));
}

function placeOf(unit: Unit): { nodeId: string; item?: number; round?: number } {
  const { task, item, round } = unit;
  const place: { nodeId: string; item?: number; round?: number } = { nodeId: task.id };
  if (item !== -1) place.item = item;
  if (round !== 0) place.round = round;
  return place;
}

function callOf(run: RunState, unit: Unit): NodeCall {
  const { task, item, round } = unit;
  const { node } = task;
  const { inputs, session } = compiledOf(task);
  const rendered = inputs.dynamic ? inputs.render(scopeOf(run, unit)) : (node.in ?? NO_INPUTS);
  const call = new LiveCall(run, unit, rendered as NodeCall['inputs'], idempotencyKey(run.runId, task, item, round));
  if (item !== -1) call.item = item;
  if (round !== 0) call.round = round;
  if (run.session !== undefined) call.session = run.session;
  if (session !== undefined) call.session = String(session.render(scopeOf(run, unit)));
  if (node.sensitivity !== undefined) call.sensitivity = node.sensitivity;
  if (node.cache !== undefined) call.cache = node.cache;
  const answer = task.progress === undefined ? undefined : answerOf(unit);
  if (answer !== undefined) call.answer = answer;
  return call;
}

const NO_INPUTS = {};
type Optional<K extends keyof NodeCall> = Exclude<NodeCall[K], undefined>;

/**
 * A call as the engine makes it. What most steps never look at is made when it is read, which is why this is a class: of a
 * large plan, closures and signals would be most of the work.
 */
class LiveCall implements NodeCall {
  readonly #run: RunState;
  readonly #unit: Unit;
  readonly runId: string;
  readonly node: PlanNode;
  readonly inputs: NodeCall['inputs'];
  readonly idempotencyKey: string;
  readonly level: number;
  declare item?: number;
  declare round?: number;
  declare session?: string;
  declare sensitivity?: Optional<'sensitivity'>;
  declare cache?: Optional<'cache'>;
  declare answer?: Optional<'answer'>;

  constructor(run: RunState, unit: Unit, inputs: NodeCall['inputs'], key: string) {
    this.#run = run;
    this.#unit = unit;
    this.runId = run.runId;
    this.node = unit.task.node;
    this.inputs = inputs;
    this.idempotencyKey = key;
    this.level = run.level;
  }
  get signal(): AbortSignal {
    return signalOf(this.#unit);
  }
  get scopes(): readonly Scope[] {
    return scopesOf(this.#run, this.#unit);
  }
  get emit(): NodeCall['emit'] {
    return (text, options) => emitDelta(this.#run, this.#unit, text, options?.restart === true);
  }
  get report(): NodeCall['report'] {
    return (event) => reportProgress(this.#run, this.#unit, event);
  }
}

function emitDelta(run: RunState, unit: Unit, text: string, restart: boolean): void {
  if (unit.settled) return;
  run.recorder.record({ type: 'node-delta', ...placeOf(unit), text, ...(restart ? { restart } : {}) });
  run.wake();
}

function reportProgress(run: RunState, unit: Unit, event: NodeProgress): void {
  if (unit.settled) return;
  run.recorder.record({ ...event, ...placeOf(unit) });
  run.wake();
}

function answerOf(unit: Unit): NodeCall['answer'] {
  const { progress } = unit.task;
  const question = progress?.questions.get(unit.item);
  if (question === undefined || !progress?.answers.has(unit.item)) return undefined;
  return { question, value: progress.answers.get(unit.item) };
}

function scopesOf(run: RunState, { task }: Unit): readonly Scope[] {
  const { money, runId } = run;
  const usd = task.node.limits?.usd;
  const paid: Scope = { kind: 'run', id: runId, ...(money.cap === undefined ? {} : { capNanoUsd: money.cap }) };
  const node: Scope = {
    kind: 'node',
    id: `${runId}/${task.id}`,
    ...(usd === undefined ? {} : { capNanoUsd: usdToNano(usd) }),
  };
  return [
    ...run.scopes,
    money.spent === 0 ? paid : { ...paid, spentNanoUsd: money.spent },
    task.paid === 0 ? node : { ...node, spentNanoUsd: task.paid },
  ];
}
