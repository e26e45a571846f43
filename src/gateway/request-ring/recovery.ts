/** What happens to a stream that breaks after its commit point, where the request asks for more than the error. */
import { abortError, asPolyphonyError } from '../../core/errors.ts';
import type { Call, Message, ModelEvent, Target } from '../../core/model/model.ts';
import { resume, type StreamHead } from '../../kit/streams/stream-head.ts';
import { faultOf } from '../calls/faults.ts';
import type { Deployment } from '../routing/registry.ts';
import type { TargetFailure } from './failures.ts';
import type { TargetQueue } from './target-queue.ts';

/** For clients, which clear what they showed. */
export const RESTART_NOTICE = 'Regenerating response due to a connection error.';

/** Shapes the call for the target that it goes to. */
export type Shape = (call: Call, deployment: Deployment) => Call;
export type Reopen = (shape: Shape, failures: readonly TargetFailure[]) => Promise<StreamHead>;

interface StreamProgress {
  target: Target | undefined;
  text: string;
  /** Something was said that no other model can go on from. */
  fixed: boolean;
}

/** Passes the stream on; when it breaks, `restart` begins anew and `continue` hands the text so far to the next target. */
export async function* recovering(
  call: Call,
  first: StreamHead,
  mode: 'restart' | 'continue',
  plan: TargetQueue,
  reopen: Reopen,
): AsyncGenerator<ModelEvent> {
  const failures: TargetFailure[] = [];
  const progress: StreamProgress = { target: undefined, text: '', fixed: false };
  let opening = first;
  for (;;) {
    try {
      for await (const event of { [Symbol.asyncIterator]: () => resume(opening) }) {
        follow(progress, event);
        yield event;
      }
      return;
    } catch (thrown) {
      if (call.signal.aborted) throw abortError(call.signal);
      const failure = failureOf(call, thrown, progress);
      failures.push(failure);
      if (!plan.failed(failure.error, failure.fault) || (mode === 'continue' && progress.fixed)) throw failure.error;
      const { head, rest } = await next(mode, plan, reopen, progress, failures);
      // In the stream itself, so that a reader who leaves at the notice leaves the new stream too.
      opening = { head: [announce(mode), ...head], rest };
      if (mode === 'restart') Object.assign(progress, { text: '', fixed: false });
    }
  }
}

function follow(progress: StreamProgress, event: ModelEvent): void {
  if (event.type === 'text-delta') progress.text += event.text;
  else if (event.type === 'route') progress.target = event.target;
  else if (event.type === 'tool-call-delta' || event.type === 'tool-call' || event.type === 'output')
    progress.fixed = true;
}

function failureOf(call: Call, thrown: unknown, { target }: StreamProgress): TargetFailure {
  const error = asPolyphonyError(thrown);
  if (target === undefined) throw error;
  return { target, error, fault: faultOf(call, error) };
}

function next(
  mode: 'restart' | 'continue',
  plan: TargetQueue,
  reopen: Reopen,
  progress: StreamProgress,
  failures: readonly TargetFailure[],
): Promise<StreamHead> {
  plan.allowAgain();
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

/** The request with the text so far as the answer's beginning, and a word about it to models that cannot go on from one. */
function continued(call: Call, { card }: Deployment, text: string): Call {
  const { request } = call;
  if (request.operation !== 'chat' || text === '') return call;
  const messages: Message[] = [...request.messages, { role: 'assistant', content: text }];
  if (!card.capabilities.includes('prefix')) messages.push({ role: 'user', content: GO_ON });
  return { ...call, request: { ...request, messages } };
}
