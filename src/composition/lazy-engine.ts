/** An engine that is loaded when it is first used: a process that only makes calls never loads it. */
import type { Ids } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { ExecutionEngine, RequestOptions, RunEvent, RunHandle } from '../core/run/engine.ts';
import type { RunServices } from './run-services.ts';

/** A value that is made at the first call, once. */
export interface Lazy<T> {
  (): Promise<T>;
  /** Undefined until the first call. */
  begun(): Promise<T> | undefined;
}

export function lazy<T>(make: () => Promise<T>): Lazy<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    made ??= make();
    return made;
  };
  return Object.assign(get, { begun: () => made });
}

/** `owner` throws immediately when the engine is closed. */
export function lazyEngine(
  owner: Lazy<Pick<RunServices, 'engine' | 'checkInput'>>,
  ids: Ids,
): ExecutionEngine & Required<Pick<ExecutionEngine, 'startRequest' | 'event'>> {
  const engine = async (): Promise<ExecutionEngine> => (await owner()).engine;
  return {
    start(plan, options = {}) {
      const runId = options.runId ?? ids('run');
      const made = owner();
      return handleOf(
        runId,
        made.then((parts) => {
          parts.checkInput(plan.plan, options.input);
          return parts.engine.start(plan, { ...options, runId });
        }),
      );
    },
    startRequest(request, options = {}) {
      const runId = options.runId ?? ids('run');
      const made = owner();
      return handleOf(
        runId,
        made.then((parts) => startRequest(parts.engine, request, { ...options, runId })),
      );
    },
    resume: async (runId, options) => (await engine()).resume(runId, options),
    answer: async (runId, nodeId, answer, options) => (await engine()).answer(runId, nodeId, answer, options),
    async event(name, payload, options) {
      const made = await engine();
      if (made.event !== undefined) return made.event(name, payload, options);
      throw new PolyphonyError('unsupported', 'This engine takes no events: answer the node, or use another engine.');
    },
    fork: async (runId, options) => (await engine()).fork(runId, options),
    async *replay(runId) {
      yield* (await engine()).replay(runId);
    },
    inspect: async (runId) => (await engine()).inspect(runId),
    cancel: async (runId, reason) => (await engine()).cancel(runId, reason),
    list: async (filter) => (await engine()).list(filter),
    close: async () => (await owner.begun())?.engine.close(),
  };
}

function startRequest(engine: ExecutionEngine, request: string, options: RequestOptions): RunHandle {
  if (engine.startRequest !== undefined) return engine.startRequest(request, options);
  const message =
    'This engine cannot start a request, only a whole plan: plan the request first, or call polyphony.start, which does.';
  throw new PolyphonyError('unsupported', message);
}

/** The handle of a run whose engine is still loading. */
function handleOf(runId: string, coming: Promise<RunHandle>): RunHandle {
  // A failure reaches those who read the result or the events; for others it must not be an unhandled rejection.
  coming.catch(() => undefined);
  return {
    runId,
    async *events(): AsyncGenerator<RunEvent> {
      yield* (await coming).events();
    },
    result: async () => (await coming).result(),
    // A run that could not begin has nothing to cancel.
    cancel: (reason) => void coming.then((handle) => handle.cancel(reason)).catch(() => undefined),
  };
}
