/**
 * The boundary between callers and the engine: inputs and answers become JSON of the run's own, results and events are copies, so
 * that neither side changes what the other one holds, whichever store keeps it. Nested runs do not cross it.
 */
import { type Copies, copies } from '../../core/json/copy-json.ts';
import type { ExecutionEngine, NodeReport, RunEvent, RunHandle, RunOptions, RunResult } from '../../core/run/engine.ts';
import { plainJson } from '../../core/run/plain-json.ts';

export function copiedRuns(inner: ExecutionEngine): ExecutionEngine {
  const { startRequest, event } = inner;
  return {
    ...inner,
    start: (plan, options) => copiedHandle(inner.start(plan, withOwnInput(options))),
    ...(startRequest === undefined
      ? {}
      : {
          startRequest: (request, options) => copiedHandle(startRequest.call(inner, request, withOwnInput(options))),
        }),
    resume: async (runId, options) => copiedHandle(await inner.resume(runId, options)),
    answer: async (runId, nodeId, answer, options) => inner.answer(runId, nodeId, ownAnswer(nodeId, answer), options),
    ...(event === undefined
      ? {}
      : {
          event: async (name, payload, options) => event.call(inner, name, ownPayload(name, payload), options),
        }),
    fork: async (runId, options) =>
      copiedHandle(await inner.fork(runId, options === undefined ? options : withOwnFork(options))),
    async *replay(runId) {
      const own = copies();
      for await (const event of inner.replay(runId)) yield copiedEvent(event, own);
    },
    inspect: async (runId) => copiedResult(await inner.inspect(runId)),
  };
}

/** @throws invalid-request for what JSON does not have, naming its place */
export const ownInput = (input: unknown): Readonly<Record<string, unknown>> =>
  plainJson(input, () => ({ noun: 'The input of the run', code: 'invalid-request' })) as Readonly<
    Record<string, unknown>
  >;

function withOwnInput<T extends RunOptions>(options: T | undefined): T | undefined {
  return options?.input === undefined ? options : { ...options, input: ownInput(options.input) };
}

function withOwnFork(options: Parameters<ExecutionEngine['fork']>[1]): Parameters<ExecutionEngine['fork']>[1] {
  const { with: replaced } = options;
  const own = withOwnInput(options) ?? options;
  if (replaced === undefined) return own;
  const name = { noun: 'The new values of the fork', code: 'invalid-request' } as const;
  return { ...own, with: plainJson(replaced, () => name) as Readonly<Record<string, unknown>> };
}

const ownAnswer = (nodeId: string, answer: unknown): unknown =>
  answer === undefined
    ? answer
    : plainJson(answer, () => ({
        noun: `The answer of node ${nodeId}`,
        code: 'invalid-request',
        details: { nodeId },
      }));

const ownPayload = (name: string, payload: unknown): unknown =>
  payload === undefined
    ? payload
    : plainJson(payload, () => ({ noun: `The payload of the event ${name}`, code: 'invalid-request', details: {} }));

const handles = new WeakMap<RunHandle, RunHandle>();

/** Every reader of the events gets its own; all who ask for the result get the same one. One handle for each of the engine's. */
export function copiedHandle(handle: RunHandle): RunHandle {
  const known = handles.get(handle);
  if (known !== undefined) return known;
  const copied = newHandle(handle);
  handles.set(handle, copied);
  return copied;
}

async function* copiedEvents(handle: RunHandle): AsyncGenerator<RunEvent> {
  const own = copies();
  for await (const event of handle.events()) yield copiedEvent(event, own);
}

function newHandle(handle: RunHandle): RunHandle {
  let result: Promise<RunResult> | undefined;
  return {
    runId: handle.runId,
    events: () => copiedEvents(handle),
    result() {
      result ??= handle.result().then(copiedResult);
      return result;
    },
    cancel: (reason) => handle.cancel(reason),
  };
}

function copiedResult({ error, nodes, ...result }: RunResult): RunResult {
  const own = copies();
  const copy = Object.assign(own.of(result), { nodes: nodes.map((report) => copiedReport(report, own)) });
  // The error is what its cause is found by, and nobody else holds it.
  return error === undefined ? copy : { ...copy, error };
}

/** The report itself was made for this result; what it holds was not. */
function copiedReport(report: NodeReport, own: Copies): NodeReport {
  const { output, meta } = report;
  if (meta !== undefined) return { ...report, output: own.of(output), meta: own.of(meta) };
  return isShared(output) ? { ...report, output: own.of(output) } : report;
}

const isShared = (value: unknown): boolean => typeof value === 'object' && value !== null;

/** An event of its own for one reader. Pieces of text are passed on as they are: there are many, and they hold nothing else. */
export const copiedEvent = (event: RunEvent, own: Copies): RunEvent =>
  event.type === 'node-delta' ? event : own.of(event);
