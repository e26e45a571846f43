/** Streams to responses and back. */
import type { Growing } from '../defined.ts';
import { abortError, PolyphonyError } from '../errors.ts';
import { addMoney, type NanoUsd } from '../money/money.ts';
import { readComplete } from './complete.ts';
import type {
  AttemptRecord,
  Call,
  FinishEvent,
  ImagePart,
  ModelEvent,
  ModelResponse,
  OperationOutput,
  Part,
  Target,
  Warning,
} from './model.ts';

interface Draft {
  target: Target | undefined;
  parts: Part[];
  text: string;
  reasoning: string;
  output: OperationOutput | undefined;
  finish: FinishEvent | undefined;
}

const emptyDraft = (): Draft => ({
  target: undefined,
  parts: [],
  text: '',
  reasoning: '',
  output: undefined,
  finish: undefined,
});

function flush(draft: Draft): void {
  if (draft.reasoning !== '') draft.parts.push({ type: 'reasoning', text: draft.reasoning });
  if (draft.text !== '') draft.parts.push({ type: 'text', text: draft.text });
  draft.reasoning = '';
  draft.text = '';
}

function take(draft: Draft, warnings: Warning[], event: ModelEvent): void {
  switch (event.type) {
    case 'text-delta':
      if (draft.reasoning !== '') flush(draft);
      draft.text += event.text;
      return;
    case 'reasoning-delta':
      if (draft.text !== '') flush(draft);
      draft.reasoning += event.text;
      return;
    case 'reasoning':
      // The complete block replaces the deltas before it.
      draft.reasoning = '';
      flush(draft);
      draft.parts.push(event.part);
      return;
    case 'tool-call':
      flush(draft);
      draft.parts.push(event.call);
      return;
    case 'media':
      flush(draft);
      draft.parts.push(event.part);
      return;
    case 'output':
      draft.output = joined(draft.output, event.output);
      return;
    case 'route':
      draft.target = event.target;
      return;
    case 'restart':
      // A new route follows if another target answers; otherwise the same target started again.
      Object.assign(draft, { ...emptyDraft(), target: draft.target });
      return;
    case 'warning':
      warnings.push(event.warning);
      return;
    case 'finish':
      draft.finish = event;
      return;
    case 'tool-call-delta':
      return;
  }
}

/** Images that come one by one are one result. */
function joined(before: OperationOutput | undefined, output: OperationOutput): OperationOutput {
  if (before?.operation !== 'image' || output.operation !== 'image') return output;
  return { ...before, ...output, images: [...before.images, ...output.images] };
}

/** The images of a chat, so that they are found where those of an image model are. */
function drawn(parts: readonly Part[]): OperationOutput | undefined {
  if (!parts.some(isImage)) return undefined;
  return { operation: 'image', images: parts.filter(isImage).map(({ source }) => source) };
}

/** A part may be missing where a provider in JavaScript left it out. */
const isImage = (part: Part | undefined): part is ImagePart => part?.type === 'image';

/**
 * Reads a stream to its end (past `finish`, so that every layer can clean up) and returns the response. The cost is
 * that of the whole call, taken from `call.trace`.
 *
 * @throws truncated when the stream ends without a `finish` event
 */
export async function collect(
  events: AsyncIterable<ModelEvent>,
  call: Pick<Call, 'trace' | 'signal'>,
): Promise<ModelResponse> {
  const draft = emptyDraft();
  const warnings: Warning[] = [];
  const complete = await readComplete(events);
  if (complete.failure !== undefined) throw complete.failure.error;
  for (const event of complete.events) take(draft, warnings, event);
  if (draft.finish === undefined || draft.target === undefined) {
    if (call.signal.aborted) throw abortError(call.signal);
    throw new PolyphonyError(
      'truncated',
      'The stream ended without a finish event, so the answer may be incomplete. Try again.',
    );
  }
  flush(draft);
  return responseOf(
    draft.target,
    draft.parts,
    draft.output ?? drawn(draft.parts),
    draft.finish,
    warnings,
    call.trace.attempts,
  );
}

function responseOf(
  target: Target,
  content: readonly Part[],
  output: OperationOutput | undefined,
  finish: FinishEvent,
  warnings: readonly Warning[],
  attempts: readonly AttemptRecord[],
): ModelResponse {
  const {
    reason,
    usage,
    costNanoUsd,
    model,
    fingerprint,
    id,
    requestId,
    serviceTier,
    logprobs,
    confidence,
    citations,
    refusal,
    stopSequence,
    search,
    raw,
    cached,
    escalation,
  } = finish;
  const response: Growing<ModelResponse> = {
    target,
    content,
    finishReason: reason,
    usage,
    costNanoUsd: attempts.length > 0 || cached === true ? totalCost(attempts) : (costNanoUsd ?? null),
    attempts,
    warnings,
  };
  if (output !== undefined) response.output = output;
  if (model !== undefined) response.model = model;
  if (fingerprint !== undefined) response.fingerprint = fingerprint;
  if (id !== undefined) response.id = id;
  if (requestId !== undefined) response.requestId = requestId;
  if (serviceTier !== undefined) response.serviceTier = serviceTier;
  if (logprobs !== undefined) response.logprobs = logprobs;
  if (confidence !== undefined) response.confidence = confidence;
  if (citations !== undefined) response.citations = citations;
  if (refusal !== undefined) response.refusal = refusal;
  if (stopSequence !== undefined) response.stopSequence = stopSequence;
  if (search !== undefined) response.search = search;
  if (raw !== undefined) response.raw = raw;
  if (cached !== undefined) response.cached = cached;
  if (escalation !== undefined) response.escalation = escalation;
  return response;
}

export function totalCost(attempts: readonly AttemptRecord[]): NanoUsd | null {
  let sum: NanoUsd | null = 0;
  for (const attempt of attempts) sum = addMoney(sum, attempt.costNanoUsd);
  return sum;
}

/** The inverse of `collect`: turns a response that a cache or an evaluator kept back into a stream. */
export async function* replay(response: ModelResponse): AsyncGenerator<ModelEvent> {
  yield { type: 'route', target: response.target };
  for (const warning of response.warnings) yield { type: 'warning', warning };
  let index = 0;
  for (const part of response.content) yield* replayPart(part, () => index++);
  // The images of a chat are in its content.
  if (response.output !== undefined && !response.content.some(isImage))
    yield { type: 'output', output: response.output };
  yield finishOf(response);
}

function* replayPart(part: Part, nextIndex: () => number): Generator<ModelEvent> {
  if (part.type === 'text') yield { type: 'text-delta', text: part.text };
  else if (part.type === 'reasoning') {
    if (part.text !== '') yield { type: 'reasoning-delta', text: part.text };
    yield { type: 'reasoning', part };
  } else if (part.type === 'tool-call') {
    const delta = part.raw ?? JSON.stringify(part.arguments);
    yield { type: 'tool-call-delta', index: nextIndex(), id: part.id, name: part.name, delta };
    yield { type: 'tool-call', call: part };
  } else if (part.type !== 'tool-result') yield { type: 'media', part };
}

function finishOf(response: ModelResponse): FinishEvent {
  const { target: _t, content: _c, output: _o, finishReason, usage, attempts: _a, warnings: _w, ...rest } = response;
  return { ...rest, type: 'finish', reason: finishReason, usage };
}

/** All text of an answer, without its reasoning. */
export function textOf(response: Pick<ModelResponse, 'content'>): string {
  const { content } = response;
  const only = content[0];
  if (content.length === 1 && only?.type === 'text') return only.text;
  let text = '';
  for (const part of content) if (part.type === 'text') text += part.text;
  return text;
}
