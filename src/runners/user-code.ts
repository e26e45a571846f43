/**
 * The boundary to code of the user: tools, steps of plugins and of workflows.
 *
 * U1. It gets copies. What it does to them changes nothing that others hold.
 * U2. What it gives becomes JSON before anybody sees it, so that a run goes on with what a resume would read.
 * U3. What it throws keeps its message and cause, names the step, the node and the item, and is logged with its stack.
 */
import { abortError, asPolyphonyError, type ErrorCode, errorRecord, PolyphonyError } from '../core/errors.ts';
import { copyJson } from '../core/json/copy-json.ts';
import type { Logger, Step } from '../core/plugin.ts';
import { type NodeCall, type NodeOutput, type NodeRunner, SuspendRun } from '../core/run/engine.ts';
import { plainJson } from '../core/run/plain-json.ts';
import { thrownText } from '../core/user-code/thrown-text.ts';
import { chargeOf, withCharge } from '../runs/state/charge.ts';

/** Where code of the user runs. */
export interface UserCodePlace {
  readonly call: Pick<NodeCall, 'runId' | 'node' | 'item' | 'round' | 'session' | 'tags' | 'countWritten'>;
  readonly logger?: Logger | undefined;
  /** The model reads the message, and knows nothing of nodes. @default false */
  readonly isForModel?: boolean;
}

export interface UserCode {
  /** Such as `Tool load`. */
  readonly noun: string;
  /** The code of an error that is no PolyphonyError. */
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly place: UserCodePlace;
}

/** ` in node a, item 2`; empty where a model is the reader. */
export function inNode({ call: { node, item }, isForModel }: UserCodePlace): string {
  if (isForModel === true) return '';
  return ` in node ${node.id}${item === undefined ? '' : `, item ${item}`}`;
}

export function placeDetails({ call: { node, item, round } }: UserCodePlace): Readonly<Record<string, unknown>> {
  return {
    nodeId: node.id,
    ...(item === undefined ? {} : { item }),
    ...(round === undefined ? {} : { round }),
  };
}

/**
 * The error of a run for what code of the user threw, which is its cause. A PolyphonyError keeps its code and its message.
 * Logs it.
 */
export function failureOf(code: UserCode, thrown: unknown): PolyphonyError {
  const { noun, place } = code;
  const failure = withCharge(errorOf(code, thrown), chargeOf(thrown));
  const { logger, call } = place;
  if (logger !== undefined) {
    const { runId } = call;
    // The cause of an error is clean, which what was thrown may not be.
    const { cause } = failure;
    const fields = { runId, ...code.details, ...placeDetails(place), error: errorRecord(failure), cause };
    logger.warn(fields, `${noun} failed${inNode({ call })}`);
  }
  return failure;
}

function errorOf({ noun, code, details, place }: UserCode, thrown: unknown): PolyphonyError {
  const where = { ...details, ...placeDetails(place) };
  const known = asPolyphonyError(thrown);
  const isOwn = known !== thrown || known.code === 'plugin-failed' || known.code === 'tool-failed';
  const { retryAfterMs, status } = known;
  const options = {
    cause: thrown,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(status === undefined ? {} : { status }),
    details: { ...where, ...known.details },
  };
  if (!isOwn) {
    return new PolyphonyError(known.code, known.message, {
      ...options,
      retryable: known.retryable,
      unsent: known.unsent,
    });
  }
  const text = known === thrown ? known.message : thrownText(thrown);
  const retryable = known === thrown ? known.retryable : false;
  return new PolyphonyError(code, `${noun} failed${inNode(place)}: ${text}`, { ...options, retryable });
}

/** The runner of a step that a plugin or a workflow brings. */
export function stepRunner(step: Step, logger: Logger | undefined): NodeRunner {
  const { use } = step.type;
  const noun = `step ${use}`;
  return async function runStep(call) {
    const place = { call, logger };
    let output: unknown;
    try {
      output = await step.run(spreadable(call));
    } catch (error) {
      if (call.signal.aborted) throw withCharge(abortError(call.signal), chargeOf(error));
      throw isSuspension(error)
        ? askedBy(use, place, error)
        : failureOf({ noun: `Step ${use}`, code: 'plugin-failed', details: { step: use }, place }, error);
    }
    return ownOutput(noun, place, output);
  };
}

function isSuspension(error: unknown): error is SuspendRun {
  try {
    return error instanceof SuspendRun;
  } catch {
    return false;
  }
}

/** A question that shares nothing with the step that asks it. */
function askedBy(use: string, place: UserCodePlace, { question }: SuspendRun): SuspendRun {
  const asked = plainJson(question, () => ({
    noun: `The question of step ${use}${inNode(place)}`,
    code: 'invalid-output',
    details: { step: use, ...placeDetails(place) },
  }));
  return new SuspendRun(asked as SuspendRun['question']);
}

/**
 * What a step gave, as JSON that shares nothing with the step.
 *
 * @param noun what gave it, such as `step load`
 * @throws invalid-output for what is no output, and for a value that JSON does not have
 */
export function ownOutput(noun: string, place: UserCodePlace, output: unknown): NodeOutput {
  if (typeof output !== 'object' || output === null) {
    const message = `The ${noun}${inNode(place)} returned ${output === null ? 'null' : typeof output}, not an output: return { value, costNanoUsd }.`;
    throw new PolyphonyError('invalid-output', message, { details: placeDetails(place) });
  }
  const given = output as NodeOutput;
  const value = plainJson(given.value, () => ({
    noun: `The result of ${noun}${inNode(place)}`,
    code: 'invalid-output',
    details: placeDetails(place),
  }));
  return value === given.value ? given : { ...given, value };
}

/**
 * A call for code of the user, with inputs of its own. Code of the user spreads calls, and a spread takes only what stands in the
 * object itself, so that all fields do. Three of them are created only when they are read: an abort controller for a step that
 * never reads it costs more than everything else about that step.
 */
export function spreadable(call: NodeCall): NodeCall {
  return new OwnCall(call);
}

type Stated<K extends keyof NodeCall> = Exclude<NodeCall[K], undefined>;

/** A class because getters in an object literal are functions of each object, which made them most of the time of a free step. */
class OwnCall implements NodeCall {
  readonly #call: NodeCall;
  readonly runId: string;
  readonly planId: string | undefined;
  readonly plan: NodeCall['plan'];
  readonly node: NodeCall['node'];
  readonly inputs: NodeCall['inputs'];
  readonly idempotencyKey: string;
  readonly tags: NodeCall['tags'];
  readonly level: number;
  declare readonly requestId?: Stated<'requestId'>;
  declare readonly concurrency?: number;
  readonly giveSlotBack: NodeCall['giveSlotBack'];
  readonly takeSlot: NodeCall['takeSlot'];
  readonly anotherSlot: NodeCall['anotherSlot'];
  readonly standBy: NodeCall['standBy'];
  readonly timeLeftMs: NodeCall['timeLeftMs'];
  readonly emit: NodeCall['emit'];
  readonly report: NodeCall['report'];
  readonly count: NodeCall['count'];
  declare readonly signal: AbortSignal;
  declare readonly scopes: NodeCall['scopes'];
  declare readonly loop: NodeCall['loop'];
  declare item?: Stated<'item'>;
  declare round?: Stated<'round'>;
  declare session?: Stated<'session'>;
  declare sensitivity?: Stated<'sensitivity'>;
  declare cache?: Stated<'cache'>;
  declare thread?: Stated<'thread'>;
  declare answer?: Stated<'answer'>;

  constructor(call: NodeCall) {
    this.#call = call;
    this.runId = call.runId;
    this.planId = call.planId;
    this.plan = call.plan;
    this.node = call.node;
    this.inputs = copyJson(call.inputs);
    this.idempotencyKey = call.idempotencyKey;
    this.tags = call.tags;
    this.level = call.level;
    if (call.requestId !== undefined) this.requestId = call.requestId;
    if (call.concurrency !== undefined) this.concurrency = call.concurrency;
    this.giveSlotBack = call.giveSlotBack;
    this.takeSlot = call.takeSlot;
    this.anotherSlot = call.anotherSlot;
    this.standBy = call.standBy;
    this.timeLeftMs = call.timeLeftMs;
    this.emit = call.emit;
    this.report = call.report;
    this.count = call.count;
    Object.defineProperty(this, 'signal', OwnCall.#signal);
    Object.defineProperty(this, 'scopes', OwnCall.#scopes);
    Object.defineProperty(this, 'loop', OwnCall.#loop);
    if (call.item !== undefined) this.item = call.item;
    if (call.round !== undefined) this.round = call.round;
    if (call.session !== undefined) this.session = call.session;
    if (call.sensitivity !== undefined) this.sensitivity = call.sensitivity;
    if (call.cache !== undefined) this.cache = call.cache;
    if (call.thread !== undefined) this.thread = call.thread;
    if (call.answer !== undefined) this.answer = call.answer;
  }

  static readonly #signal = {
    enumerable: true,
    get(this: OwnCall) {
      return this.#call.signal;
    },
  };
  static readonly #scopes = {
    enumerable: true,
    get(this: OwnCall) {
      return this.#call.scopes;
    },
  };
  static readonly #loop = {
    enumerable: true,
    get(this: OwnCall) {
      return this.#call.loop;
    },
  };
}
