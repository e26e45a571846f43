/** One unit of a node from its first call to its result: rounds and retries, and the calls that runners see. */

import type { Scope } from '../core/model/model.ts';
import type { Plan, PlanNode } from '../core/plan/plan.ts';
import type { NodeCall, NodeOutput, NodeResult } from '../core/run/engine.ts';
import type { Rendering } from '../language/template.ts';
import type { RecordedLoop } from '../runs/records/recorded-loop.ts';
import { takeWritten } from '../runs/records/written.ts';
import type { Unit } from '../runs/state/task.ts';
import { attemptMsOf, mayRetry, recordRetry } from '../runs/turn/attempts.ts';
import {
  answerOf,
  assertCallable,
  bookFailure,
  bookOutput,
  inputsInParts,
  inputsOf,
  keepInputs,
  nextRound,
  recordRound,
  scopesOf,
  sessionOf,
  takeDelta,
  takeProgress,
  takeRound,
  takeUpRounds,
  threadOf,
  unitKey,
} from '../runs/turn/calls.ts';
import { countCall } from '../runs/turn/count-calls.ts';
import { isAwaited } from '../runs/unit/awaited.ts';
import { nodeWithModel } from '../runs/unit/model-of-node.ts';
import { anotherSlot, giveSlotBack, slotAgain, standBy, takeSlot } from '../runs/unit/slots.ts';
import { timeLeftMs } from '../runs/unit/time-left.ts';
import { loopRecords, takeUpLoop } from '../runs/unit/tool-loop.ts';
import { sleep } from '../system/clock.ts';
import { callWithin } from './attempt.ts';
import { type Driving, runnerOf, signalOf } from './driving.ts';

/** Throws what its runner throws, or the reason why the unit was stopped. */
export async function perform(driving: Driving, unit: Unit): Promise<NodeResult> {
  if (unit.task.node.repeat !== undefined) return performRounds(driving, unit);
  return bookOutput(driving.run, unit, await callRunner(driving, unit));
}

/**
 * One call. The caller charges it with `bookOutput` or `bookFailure`.
 *
 * @param signal stops this call. @default that of the unit
 */
export function callOnce(driving: Driving, unit: Unit, signal?: AbortSignal): Promise<NodeOutput> {
  try {
    const loop = unit.task.progress === undefined ? undefined : takeUpLoop(unit);
    assertCallable(driving.run, unit);
    if (!unit.hasSlot) takeSlot(driving.run, unit);
    const beside = loop === undefined && signal === undefined ? NOTHING_BESIDE : { loop, signal };
    const rendering = inputsInParts(driving.run, unit);
    if (rendering !== undefined && !partOf(driving, rendering)) return callLater(driving, unit, beside, rendering);
    const inputs = rendering === undefined ? inputsOf(driving.run, unit) : keepInputs(unit, rendering);
    return runnerOf(driving, unit.task.node.use)(callOf(driving, unit, beside, inputs));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Expressions that take long are worked out over several slices, so that all else has its turn between them. */
async function callLater(driving: Driving, unit: Unit, beside: CallParts, rendering: Rendering): Promise<NodeOutput> {
  // The part is done within the callback: of all that wait, those that follow one that took long wait for the slice after it.
  const nextPart = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      driving.host.slice.next(() => {
        try {
          assertCallable(driving.run, unit);
          resolve(partOf(driving, rendering));
          driving.host.slice.end();
        } catch (error) {
          reject(error);
        }
      });
    });
  while (!(await nextPart()));
  const inputs = keepInputs(unit, rendering);
  return runnerOf(driving, unit.task.node.use)(callOf(driving, unit, beside, inputs));
}

/** One part. Where more are left, nothing else begins in the slice. */
function partOf({ host: { slice, runtime } }: Driving, rendering: Rendering): boolean {
  slice.take(runtime.clock.monotonic());
  const isWhole = rendering.next();
  if (!isWhole) slice.end();
  return isWhole;
}

async function performRounds(driving: Driving, unit: Unit): Promise<NodeResult> {
  const { run } = driving;
  const finished = takeUpRounds(run, unit);
  if (finished !== undefined) return finished;
  for (;;) {
    const result = await performRound(driving, unit);
    await new Promise<void>((committed) => recordRound(run, unit, result, committed));
    const last = takeRound(run, unit, result);
    if (last !== undefined) return last;
  }
}

async function performRound(driving: Driving, unit: Unit): Promise<NodeResult> {
  const closeRound = nextRound(unit);
  driving.host.slice.take(driving.host.runtime.clock.monotonic());
  try {
    return bookOutput(driving.run, unit, await callRunner(driving, unit));
  } finally {
    closeRound();
  }
}

async function callRunner(driving: Driving, unit: Unit): Promise<NodeOutput> {
  const { run, host } = driving;
  const ms = attemptMsOf(unit.task.node);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (ms === undefined
        ? callOnce(driving, unit)
        : callWithin(driving, unit, ms, (signal) => callOnce(driving, unit, signal)));
    } catch (error) {
      bookFailure(run, unit, error);
      if (!mayRetry(unit, attempt, error)) throw error;
      await sleep(host.runtime.clock, recordRetry(run, unit, attempt, error), signalOf(driving, unit));
    }
  }
}

/** What a call has beside its unit. */
interface CallParts {
  readonly loop: RecordedLoop | undefined;
  readonly signal: AbortSignal | undefined;
}

const NOTHING_BESIDE: CallParts = { loop: undefined, signal: undefined };

function callOf(driving: Driving, unit: Unit, parts: CallParts, inputs: NodeCall['inputs']): NodeCall {
  const { run } = driving;
  const { task, item, round } = unit;
  const node = nodeWithModel(run, unit);
  const call = new LiveCall(driving, unit, node, inputs, parts);
  if (item !== -1) call.item = item;
  if (round !== 0) call.round = round;
  const session = sessionOf(run, unit);
  if (session !== undefined) call.session = session;
  if (node.thread !== undefined) {
    const thread = threadOf(run, unit);
    if (thread !== undefined) call.thread = thread;
  }
  if (node.sensitivity !== undefined) call.sensitivity = node.sensitivity;
  if (node.cache !== undefined) call.cache = node.cache;
  const answer = task.progress === undefined ? undefined : answerOf(unit);
  if (answer !== undefined) call.answer = answer;
  const approved = task.progress?.approved.get(item);
  if (approved !== undefined) call.approvedCall = approved;
  return call;
}

type Optional<K extends keyof NodeCall> = Exclude<NodeCall[K], undefined>;

/**
 * A call as the engine makes it. It is a class because getters create what most steps never read only on demand: in a large
 * plan, closures and signals would be most of the work.
 */
class LiveCall implements NodeCall {
  readonly #driving: Driving;
  readonly #unit: Unit;
  readonly #parts: CallParts;
  readonly runId: string;
  readonly node: PlanNode;
  readonly inputs: NodeCall['inputs'];
  readonly idempotencyKey: string;
  declare item?: number;
  declare round?: number;
  declare session?: string;
  declare thread?: Optional<'thread'>;
  declare sensitivity?: Optional<'sensitivity'>;
  declare cache?: Optional<'cache'>;
  declare answer?: Optional<'answer'>;
  declare approvedCall?: Optional<'approvedCall'>;

  constructor(driving: Driving, unit: Unit, node: PlanNode, inputs: NodeCall['inputs'], parts: CallParts) {
    this.#driving = driving;
    this.#unit = unit;
    this.#parts = parts;
    this.runId = driving.run.runId;
    this.node = node;
    this.inputs = inputs;
    this.idempotencyKey = unitKey(driving.run, unit);
  }
  get planId(): string | undefined {
    return this.#driving.run.plan.plan.id;
  }
  get approval(): NodeCall['approval'] {
    return this.#driving.run.approval;
  }
  get requestId(): string | undefined {
    return this.#driving.run.requestId;
  }
  get level(): number {
    return this.#driving.run.level;
  }
  get plan(): Plan {
    return this.#driving.run.plan.plan;
  }
  get signal(): AbortSignal {
    return this.#parts.signal ?? signalOf(this.#driving, this.#unit);
  }
  get concurrency(): number {
    return this.#driving.run.slots.limit;
  }
  get giveSlotBack(): () => void {
    return () => giveSlotBack(this.#driving.run, this.#unit);
  }
  get takeSlot(): () => Promise<void> {
    return () => slotAgain(this.#driving.run, this.#unit, this.signal);
  }
  get anotherSlot(): NodeCall['anotherSlot'] {
    return () => anotherSlot(this.#driving.run, this.signal);
  }
  get standBy(): NodeCall['standBy'] {
    return () => standBy(this.#driving.run, this.#unit, this.signal);
  }
  get timeLeftMs(): () => number {
    return () => timeLeftMs(this.#driving.run, this.#unit);
  }
  get scopes(): readonly Scope[] {
    return scopesOf(this.#driving.run, this.#unit);
  }
  get emit(): NodeCall['emit'] {
    return (text, options) => takeDelta(this.#driving.run, this.#unit, text, options?.restart === true);
  }
  get tags(): NodeCall['tags'] {
    return this.#driving.run.tags;
  }
  get countWritten(): NodeCall['countWritten'] {
    return (bytes) => takeWritten(this.#driving.run.writtenBytes, bytes, this.node.id);
  }
  get count(): NodeCall['count'] {
    return (what) => countCall(this.#driving.run, this.#unit, what);
  }
  get isAwaited(): () => boolean {
    return () => isAwaited(this.#driving.run, this.#unit);
  }
  get loop(): NodeCall['loop'] {
    return loopRecords(this.#driving.run, this.#unit, { rounds: this.#parts.loop?.rounds, signal: this.signal });
  }
  get report(): NodeCall['report'] {
    return (event) => takeProgress(this.#driving.run, this.#unit, event);
  }
}
