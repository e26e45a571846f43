/** Recovers a stream that breaks after its commit point, if the request asks for that. */
import { abortError, asPolyphonyError } from '../../core/errors.ts';
import type { Call, Message, ModelEvent, Target } from '../../core/model/model.ts';
import { resume, type StreamHead } from '../../kit/streams/stream-head.ts';
import { faultOf } from '../calls/faults.ts';
import type { Deployment } from '../routing/registry.ts';
import type { TargetFailure } from './failures.ts';
import type { TargetQueue } from './target-queue.ts';

/** The notice for clients, which discard what they have shown. */
export const RESTART_NOTICE = 'Regenerating response due to a connection error.';

/** Adapts the call to the target to which it is sent. */
export type Shape = (call: Call, deployment: Deployment) => Call;
export type Reopen = (shape: Shape, failures: readonly TargetFailure[]) => Promise<StreamHead>;

interface StreamProgress {
  target: Target | undefined;
  text: string;
  /** True once an event was sent that no other model can continue. */
  fixed: boolean;
}

/** Passes the stream on. When it breaks, `restart` starts again and `continue` sends the text so far to the next target. */
export async function* recovering(
  call: Call,
  first: StreamHead,
  mode: 'restart' | 'continue',
  queue: TargetQueue,
  reopen: Reopen,
): AsyncGenerator<ModelEvent> {
  const failures: TargetFailure[] = [];
  const progress: StreamProgress = { target: undefined, text: '', fixed: false };
  let current = first;
  for (;;) {
    try {
      for await (const event of { [Symbol.asyncIterator]: () => resume(current) }) {
        follow(progress, event);
        yield event;
      }
      return;
    } catch (thrown) {
      if (call.signal.aborted) throw abortError(call.signal);
      const failure = failureOf(call, thrown, progress);
      failures.push(failure);
      if (!queue.failed(failure.error, failure.fault) || (mode === 'continue' && progress.fixed)) throw failure.error;
      const { head, rest } = await next(mode, queue, reopen, progress, failures);
      // The notice is in the new stream, so a reader that stops at the notice also closes that stream.
      current = { head: [announce(mode), ...head], rest };
      if (mode === 'restart') Object.assign(progress, { text: '', fixed: false });
    }
  }
}

function follow(progress: StreamProgress, event: ModelEvent): void {
  if (event.type === 'text-delta') progress.text += event.text;
  else if (event.type === 'route') progress.target = event.target;
  else if (FIXED.has(event.type)) progress.fixed = true;
}

/** What no other model can continue. */
const FIXED: ReadonlySet<ModelEvent['type']> = new Set(['tool-call-delta', 'tool-call', 'media', 'output']);

function failureOf(call: Call, thrown: unknown, { target }: StreamProgress): TargetFailure {
  const error = asPolyphonyError(thrown);
  if (target === undefined) throw error;
  return { target, error, fault: faultOf(call, error) };
}

function next(
  mode: 'restart' | 'continue',
  queue: TargetQueue,
  reopen: Reopen,
  progress: StreamProgress,
  failures: readonly TargetFailure[],
): Promise<StreamHead> {
  // A target whose answer was too large would send and charge the same again.
  if (failures.at(-1)?.error.retryable !== false) queue.allowAgain();
  const { text } = progress;
  return reopen(
    mode === 'restart' ? (call) => call : (call, deployment) => continued(call, deployment, text),
    failures,
  );
}

function announce(mode: 'restart' | 'continue'): ModelEvent {
  if (mode === 'restart') return { type: 'restart', notice: RESTART_NOTICE };
  const message = 'The connection broke, so another model continues the text from where it ended.';
  return { type: 'warning', warning: { code: 'stream-continued', message } };
}

const GO_ON = 'Continue exactly where your text ends. Repeat nothing, explain nothing.';

/** The request with the text so far as the beginning of the answer, plus an instruction for models without `prefix`. */
function continued(call: Call, { card }: Deployment, text: string): Call {
  const { request } = call;
  if (request.operation !== 'chat' || text === '') return call;
  const messages: Message[] = [...request.messages, { role: 'assistant', content: text }];
  if (!card.capabilities.includes('prefix')) messages.push({ role: 'user', content: GO_ON });
  return { ...call, request: { ...request, messages } };
}
