/** What a program asks of the calls that wait for a batch. */
import type { Runtime } from '../../core/clock.ts';
import { errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { Batches, CallOptions } from '../../core/gateway.ts';
import type { Handler, ModelEvent, ModelRequest, ModelResponse } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { callOf } from '../calls/call.ts';
import { newTrace } from '../calls/call-state.ts';
import type { BatchQueue } from './batches.ts';
import type { KeptAnswer } from './kept.ts';

export function batchesApi(queue: BatchQueue, handle: Handler, runtime: Runtime): Batches {
  return {
    queue: (request, options) => queued(queue, handle, runtime, request, options),
    list(limit = Number.POSITIVE_INFINITY) {
      queue.begin();
      return queue.list(limit);
    },
    waiting() {
      queue.begin();
      return queue.waiting();
    },
    async answered(limit = 1000) {
      queue.begin();
      return queue.answered(limit);
    },
    async result(id) {
      queue.begin();
      const answer = await queue.answerOf(id);
      return answer && responseOf(answer);
    },
    cancel(id) {
      queue.begin();
      return queue.cancel(id);
    },
  };
}

async function queued(
  queue: BatchQueue,
  handle: Handler,
  runtime: Runtime,
  request: ModelRequest,
  options: CallOptions | undefined,
): Promise<string> {
  const call = callOf(request, { ...options, urgency: 'batch' }, false, runtime);
  await new Promise<void>((resolve, reject) => {
    let isKept = false;
    queue.detach(call, () => {
      isKept = true;
      resolve();
    });
    const ended = async (): Promise<void> => {
      const response = await collect(handle(call), call);
      await queue.keep(call.id, { response });
      queue.ended(call);
      resolve();
    };
    ended().catch(async (error: unknown) => {
      // What another process will answer is no failure, and what was never kept has an id that may be another call's.
      if (isKept && !queue.isClosed) await queue.keep(call.id, { error: errorRecord(error) }).catch(ignore);
      queue.ended(call);
      reject(error);
    });
  });
  return call.id;
}

function ignore(): void {}

async function responseOf({ events, error, response, record }: KeptAnswer): Promise<ModelResponse> {
  if (error !== undefined) {
    const { code, message, retryable, details } = error;
    throw new PolyphonyError(code, message, details === undefined ? { retryable } : { retryable, details });
  }
  if (response !== undefined) return response;
  const trace = newTrace();
  if (record !== undefined) trace.attempts.push(record);
  return collect(listed(events ?? []), { trace, signal: new AbortController().signal });
}

async function* listed(events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
