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
  readonly call: Pick<NodeCall, 'runId' | 'node' | 'item' | 'round' | 'session' | 'tags'>;
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
    return ownOutput(`step ${use}`, place, output);
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
  const details = placeDetails(place);
  if (typeof output !== 'object' || output === null) {
    const message = `The ${noun}${inNode(place)} returned ${output === null ? 'null' : typeof output}, not an output: return { value, costNanoUsd }.`;
    throw new PolyphonyError('invalid-output', message, { details });
  }
  const given = output as NodeOutput;
  const value = plainJson(given.value, () => ({
    noun: `The result of ${noun}${inNode(place)}`,
    code: 'invalid-output',
    details,
  }));
  return value === given.value ? given : { ...given, value };
}

/**
 * A call for code of the user: with inputs of its own, and with fields that the engine's calls create only when they are read;
 * a spread would lose them. These getters keep that: an abort controller for a step that never reads it costs more than
 * everything else about that step.
 */
export function spreadable(call: NodeCall): NodeCall {
  return {
    get plan() {
      return call.plan;
    },
    get signal() {
      return call.signal;
    },
    get scopes() {
      return call.scopes;
    },
    get emit() {
      return call.emit;
    },
    get report() {
      return call.report;
    },
    get count() {
      return call.count;
    },
    get giveSlotBack() {
      return call.giveSlotBack;
    },
    get tags() {
      return call.tags;
    },
    get takeSlot() {
      return call.takeSlot;
    },
    get loop() {
      return call.loop;
    },
    // After the getters, so that a field that a middleware replaced wins.
    ...call,
    inputs: copyJson(call.inputs),
  };
}
