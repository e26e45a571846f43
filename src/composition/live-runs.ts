/** The runs that this process drives, by id, so that a later reader gets their events as they happen. */
import type { ExecutionEngine, RunHandle } from '../core/run/engine.ts';

export interface LiveRuns {
  /** The engine, wrapped so that every run that it starts or resumes is listed until it ends. */
  readonly engine: ExecutionEngine;
  /** Undefined when no run of that id is driven here now. */
  find(runId: string): RunHandle | undefined;
}

/** @param onDriven called with every run that this process begins to drive */
export function listLiveRuns(inner: ExecutionEngine, onDriven: (handle: RunHandle) => void = () => {}): LiveRuns {
  // One of them is driven. The others are starts of its id that are being refused.
  const live = new Map<string, RunHandle[]>();
  const listed = (handle: RunHandle): RunHandle => {
    const handles = live.get(handle.runId) ?? [];
    live.set(handle.runId, handles);
    handles.push(handle);
    const gone = (): void => {
      handles.splice(handles.indexOf(handle), 1);
      if (handles.length === 0) live.delete(handle.runId);
    };
    handle.result().then(gone, gone);
    onDriven(handle);
    return handle;
  };
  const { startRequest, event } = inner;
  const engine: ExecutionEngine = {
    start: (plan, options) => listed(inner.start(plan, options)),
    ...(startRequest === undefined
      ? {}
      : { startRequest: (request, options) => listed(startRequest.call(inner, request, options)) }),
    resume: async (runId, options) => listed(await inner.resume(runId, options)),
    answer: (runId, nodeId, answer, options) => inner.answer(runId, nodeId, answer, options),
    ...(event === undefined ? {} : { event: (name, payload, options) => event.call(inner, name, payload, options) }),
    fork: async (runId, options) => listed(await inner.fork(runId, options)),
    replay: (runId) => inner.replay(runId),
    inspect: (runId) => inner.inspect(runId),
    cancel: (runId, reason) => inner.cancel(runId, reason),
    list: (filter) => inner.list(filter),
    close: () => inner.close(),
  };
  return { engine, find: (runId) => live.get(runId)?.[0] };
}
