/**
 * How much the values of a run may be. The laws below are tested in test/laws/value-bounds.test.ts.
 *
 * V1. What a template makes is counted before it is made; a result is counted before it is recorded.
 * V2. A run counts with all runs that are nested in it, and what it holds already counts once.
 * V3. What a model and its tools say to each other counts before it is recorded or told: as a value of the run, as a message of
 *     the conversation, and once more in the request that sends it.
 * V4. Beyond a bound the call fails with limit-exceeded, which the node's onError sees as any failure.
 */
import { PolyphonyError } from '../../core/errors.ts';
import { JSON_DEPTH, type JsonFault, type JsonSize, jsonSize, type KnownSizes } from '../../core/json/json-size.ts';
import type { AnswerFacts } from '../../core/run/node-call.ts';
import { VALUE_BOUNDS, type ValueBounds } from '../../core/run/value-bounds.ts';
import type { RenderMeter } from '../../language/template.ts';
import { type Items, type Task, type Unit, useOfTask, useOfUnit } from './task.ts';

/** What a run and the runs nested in it hold. */
export interface RunValues {
  readonly bounds: ValueBounds;
  readonly known: KnownSizes;
  /** Bytes of all values that were made so far: journals and readers of events keep them to the end. */
  held: number;
  /** Bytes that calls in progress hold: their inputs, and the text that they have streamed. */
  inFlight: number;
}

/** What is measured, for messages: `The result`, of a node or of the run. */
export interface Measured {
  readonly noun: string;
  readonly nodeId?: string;
  /** The code when it is no JSON. @default 'invalid-output' */
  readonly code?: 'invalid-request';
}

/** What a run keeps of each result besides its value: figures, warnings, the record. */
const RESULT_BYTES = 256;
const POINTER = 8;
const CONTAINER = 48;
const FIELD = 24;

export function createValues(bounds: ValueBounds = VALUE_BOUNDS): RunValues {
  return { bounds, known: new WeakMap(), held: 0, inFlight: 0 };
}

// ---------------------------------------------------------------------------------------------------- values

/** @throws invalid-output when the value is no JSON; limit-exceeded when it is too large or nested too deeply */
export function sizeOf({ bounds, known }: RunValues, value: unknown, measured: Measured): JsonSize {
  const size = jsonSize(value, known, bounds.valueBytes);
  if (size.fault !== undefined) throw faulty(size.fault, bounds, 'valueBytes', measured);
  return size;
}

/**
 * Checks the output of a run: it is put together of values that the run holds, so it may be as large as all of them.
 *
 * @throws limit-exceeded
 */
export function assertOutput({ bounds, known }: RunValues, output: unknown): void {
  const { fault } = jsonSize(output, known, bounds.runBytes);
  if (fault !== undefined) throw faulty(fault, bounds, 'runBytes', { noun: 'The output of the run' });
}

/** Counts a value for as long as the run lives. Throws what `sizeOf` throws, and limit-exceeded when the run holds too much. */
export function holdValue(values: RunValues, value: unknown, measured: Measured): JsonSize {
  const size = sizeOf(values, value, measured);
  hold(values, size.added + RESULT_BYTES, measured);
  return size;
}

/**
 * Counts the input of a run that starts.
 *
 * @param rendered bytes of it that are new. @default all of it
 */
export function holdInput(values: RunValues, input: unknown, rendered?: number): void {
  const measured = { noun: 'The input of the run', code: 'invalid-request' } as const;
  const { added } = sizeOf(values, input, measured);
  hold(values, (rendered ?? added) + RESULT_BYTES, measured);
}

/** @throws limit-exceeded when the run would hold too much with `bytes` more */
export function hold(values: RunValues, bytes: number, measured: Measured): void {
  assertRoom(values, bytes, measured);
  values.held += bytes;
}

/** Counts what is there already, such as what a journal gave back. Never throws. */
export function holdRestored(values: RunValues, value: unknown): void {
  values.held += jsonSize(value, values.known).added + RESULT_BYTES;
}

/** Counts the result of a call. Where it is the rendered inputs, all that they refer to is held already. */
export function holdResult(values: RunValues, unit: Unit, value: unknown): void {
  const { inputs, task } = unit;
  const rendered = unit.used?.rendered ?? 0;
  const { bounds } = values;
  releaseInFlight(values, unit);
  const size = jsonSize(value, values.known, bounds.valueBytes);
  if (size.fault !== undefined) throw faulty(size.fault, bounds, 'valueBytes', { noun: 'The result', nodeId: task.id });
  const isRendered = value === inputs && task.node.use === 'value';
  const bytes = RESULT_BYTES + (isRendered ? rendered : size.added);
  const { runBytes } = bounds;
  if (values.held + bytes > runBytes) useOfTask(task).hasNoRoom = true;
  if (values.held + values.inFlight + bytes > runBytes) throw noRoom({ noun: 'The result', nodeId: task.id }, runBytes);
  values.held += bytes;
  if (task.each !== undefined) useOfUnit(unit).size = size;
}

/** Counts what an answer says besides its text: its sources and media, which may be larger than the text. */
export function holdAnswer(values: RunValues, answer: AnswerFacts, nodeId: string): void {
  const { citations, images, audio, reasoning, transcript } = answer;
  if (citations ?? images ?? audio ?? reasoning ?? transcript)
    holdValue(values, answer, { noun: 'What came beside the result', nodeId });
}

/** @throws limit-exceeded when another result of the node had no room, so that its other items are not paid in vain */
export function assertRoomOf({ bounds }: RunValues, { id, used }: Task): void {
  if (used?.hasNoRoom === true) throw noRoom({ noun: 'The result', nodeId: id }, bounds.runBytes);
}

/**
 * Adds an item to the list that the items of a node become. Like an output it is put together of values that the run holds.
 *
 * @throws limit-exceeded when the list is too large
 */
export function addItem({ bounds }: RunValues, each: Items, { bytes, depth }: JsonSize, nodeId: string): void {
  each.bytes += bytes + 1;
  each.depth = Math.max(each.depth, depth);
  if (each.bytes > bounds.runBytes) {
    throw faulty({ type: 'size' }, bounds, 'runBytes', { noun: 'The list of results', nodeId });
  }
}

/** Counts the list of items, which were counted one by one. */
export function holdItems(values: RunValues, each: Items, outputs: readonly unknown[], nodeId: string): void {
  hold(values, CONTAINER + POINTER * outputs.length + RESULT_BYTES, { noun: 'The list of results', nodeId });
  values.known.set(outputs, { bytes: each.bytes + 2, depth: each.depth + 1 });
}

// ---------------------------------------------------------------------------------------------------- calls

/** Counts what the templates of a call make, before they make it. */
export function meterOf(values: RunValues, unit: Unit): RenderMeter {
  const { task } = unit;
  const take = (bytes: number): void => {
    const { renderedBytes } = values.bounds;
    const used = useOfTask(task);
    if (used.rendered + bytes > renderedBytes) throw tooMuchRendered(task.id, renderedBytes);
    used.rendered += bytes;
    useOfUnit(unit).rendered += bytes;
    takeInFlight(values, unit, bytes);
  };
  return {
    text: (part) => take(textBytes(values, part)),
    json: (value) => take(sizeOf(values, value, { noun: 'A value in a text', nodeId: task.id }).bytes),
    container: (entries) => take(CONTAINER + FIELD * entries),
    reference(value) {
      // A request to a model holds a copy of all that it sends.
      if (typeof value === 'string' || typeof value === 'object') {
        if (SENDING.has(task.node.use)) takeInFlight(values, unit, copiedBytes(values, value, task.id));
      }
    },
    made: take,
  };
}

/** Counts the list that an expression makes for an `each`: the run holds it to its end. */
export function itemsMeter(values: RunValues, task: Task): RenderMeter {
  const take = (bytes: number): void => {
    const { renderedBytes } = values.bounds;
    const used = useOfTask(task);
    if (used.rendered + bytes > renderedBytes) throw tooMuchRendered(task.id, renderedBytes);
    used.rendered += bytes;
    hold(values, bytes, { noun: 'The list of items', nodeId: task.id });
  };
  return {
    text: (part) => take(textBytes(values, part)),
    json: (value) => take(sizeOf(values, value, { noun: 'A value in a text', nodeId: task.id }).bytes),
    container: (entries) => take(CONTAINER + FIELD * entries),
    reference: () => {},
    made: take,
  };
}

/** Steps that put their inputs into a request. */
const SENDING: ReadonlySet<string> = new Set(['llm', 'image', 'embed', 'moderate', 'rerank', 'plan']);

function copiedBytes(values: RunValues, value: unknown, nodeId: string): number {
  if (typeof value === 'string') return textBytes(values, value);
  return sizeOf(values, value, { noun: 'An input', nodeId }).bytes;
}

/** A text that is too long for every bound is not read. */
function textBytes({ bounds }: RunValues, text: string): number {
  return text.length > bounds.runBytes ? text.length : Buffer.byteLength(text);
}

/** Counts what the templates of the run's own output make. */
export const outputMeter = (values: RunValues): RenderMeter =>
  meterOfOne(values, undefined, (bytes) => hold(values, bytes, { noun: 'The output of the run' }));

/** Bounds what undoing one node takes. It is let go after that, and a run that has no more room is undone all the same. */
export const undoMeter = (values: RunValues, nodeId: string): RenderMeter => meterOfOne(values, nodeId, () => {});

function meterOfOne(values: RunValues, nodeId: string | undefined, keep: (bytes: number) => void): RenderMeter {
  const { renderedBytes } = values.bounds;
  let rendered = 0;
  const take = (bytes: number): void => {
    rendered += bytes;
    if (rendered > renderedBytes) throw tooMuchRendered(nodeId, renderedBytes);
    keep(bytes);
  };
  const measured = nodeId === undefined ? { noun: JSON_OF_OUTPUT } : { noun: 'A value in a text', nodeId };
  return {
    text: (part) => take(textBytes(values, part)),
    json: (value) => take(sizeOf(values, value, measured).bytes),
    container: (entries) => take(CONTAINER + FIELD * entries),
    reference: () => {},
    made: take,
  };
}

const JSON_OF_OUTPUT = 'A value in the output of the run';

/** Counts text that a call streams. @throws limit-exceeded */
export function takeStreamed(values: RunValues, unit: Unit, text: string): void {
  const { valueBytes } = values.bounds;
  const used = useOfUnit(unit);
  used.streamed += text.length;
  if (used.streamed > valueBytes) {
    throw faulty({ type: 'size' }, values.bounds, 'valueBytes', { noun: 'The streamed text', nodeId: unit.task.id });
  }
  takeInFlight(values, unit, text.length);
}

/** In the conversation, and in the request that sends it. */
const COPIES_OF_SAID = 2;

/**
 * Counts what a model or one of its tools said, and keeps it as a value of the run.
 *
 * @throws limit-exceeded, with nothing counted
 */
export function holdSaid(values: RunValues, unit: Unit, said: unknown, noun: string): void {
  const measured = { noun, nodeId: unit.task.id };
  const { bytes, added } = sizeOf(values, said, measured);
  assertRoom(values, added + RESULT_BYTES + COPIES_OF_SAID * bytes, measured);
  takeSaid(values, unit, bytes);
  values.held += added + RESULT_BYTES;
}

/** Counts what was said in an earlier process, and is held already. @throws limit-exceeded */
export function holdSaidAgain(values: RunValues, unit: Unit, said: unknown): void {
  takeSaid(values, unit, sizeOf(values, said, { noun: 'What was said', nodeId: unit.task.id }).bytes);
}

function takeSaid(values: RunValues, unit: Unit, bytes: number): void {
  const { renderedBytes } = values.bounds;
  const used = useOfUnit(unit);
  if (used.said + bytes > renderedBytes) throw tooMuchSaid(unit.task.id, renderedBytes);
  takeInFlight(values, unit, COPIES_OF_SAID * bytes);
  used.said += bytes;
}

function takeInFlight(values: RunValues, unit: Unit, bytes: number): void {
  assertRoom(values, bytes, { noun: 'A call', nodeId: unit.task.id });
  useOfUnit(unit).inFlight += bytes;
  values.inFlight += bytes;
}

/** The call is over, or another one follows. */
export function releaseInFlight(values: RunValues, { used }: Unit): void {
  if (used === undefined) return;
  values.inFlight -= used.inFlight;
  used.inFlight = 0;
  used.rendered = 0;
  used.streamed = 0;
  used.said = 0;
}

// ---------------------------------------------------------------------------------------------------- errors

function assertRoom({ bounds, held, inFlight }: RunValues, bytes: number, measured: Measured): void {
  if (held + inFlight + bytes > bounds.runBytes) throw noRoom(measured, bounds.runBytes);
}

function noRoom({ noun, nodeId }: Measured, runBytes: number): PolyphonyError {
  const message = `${noun}${ofNode(nodeId)} would make the values of the run larger than ${runBytes} bytes (limits.values.runBytes): make less at a time, or raise the bound in the config.`;
  return exceeded(message, 'limits.values.runBytes', runBytes, nodeId);
}

function tooMuchRendered(nodeId: string | undefined, renderedBytes: number): PolyphonyError {
  const place = nodeId === undefined ? 'The output of the run' : `Node ${nodeId}`;
  const message = `${place} would render more than ${renderedBytes} bytes, over all its items and rounds (limits.values.renderedBytes): refer to less in its texts, or raise the bound in the config.`;
  return exceeded(message, 'limits.values.renderedBytes', renderedBytes, nodeId);
}

function tooMuchSaid(nodeId: string, renderedBytes: number): PolyphonyError {
  const message = `The conversation of node ${nodeId} with its tools would be larger than ${renderedBytes} bytes (limits.values.renderedBytes): let its tools return less, or raise the bound in the config.`;
  return exceeded(message, 'limits.values.renderedBytes', renderedBytes, nodeId);
}

function faulty(
  fault: JsonFault,
  bounds: ValueBounds,
  bound: 'valueBytes' | 'runBytes',
  measured: Measured,
): PolyphonyError {
  const { noun, nodeId, code = 'invalid-output' } = measured;
  const what = `${noun}${ofNode(nodeId)}`;
  if (fault.type === 'kind') {
    const message = `${what} holds ${fault.kind}, which JSON does not have: use texts, finite numbers, booleans, null, lists and plain objects.`;
    return new PolyphonyError(code, message, nodeId === undefined ? {} : { details: { nodeId } });
  }
  if (fault.type === 'depth') {
    const message = `${what} is nested more than ${JSON_DEPTH} levels deep, which is the most that is kept: flatten it.`;
    return exceeded(message, 'depth', JSON_DEPTH, nodeId);
  }
  const whose = bound === 'valueBytes' ? 'one value' : 'all values of a run';
  const message = `${what} is larger than ${bounds[bound]} bytes, the bound of ${whose} (limits.values.${bound}): make it smaller, or raise the bound in the config.`;
  return exceeded(message, `limits.values.${bound}`, bounds[bound], nodeId);
}

const ofNode = (nodeId: string | undefined): string => (nodeId === undefined ? '' : ` of node ${nodeId}`);

function exceeded(message: string, bound: string, limit: number, nodeId: string | undefined): PolyphonyError {
  const details = { bound, limit, ...(nodeId === undefined ? {} : { nodeId }) };
  return new PolyphonyError('limit-exceeded', message, { details });
}
