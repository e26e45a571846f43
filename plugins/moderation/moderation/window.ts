/**
 * Moderates an answer in windows.
 *
 * W1. No character is emitted before a window that contains it was judged.
 * W2. A possible beginning of a finding is held back until it is decided, however the stream is split into pieces.
 * W3. Only held-back text and the context before it are judged twice.
 */
import type { Call, Citation, FinishEvent, Gateway, ModelEvent, ReasoningPart } from 'polyphony/kit';
import { type Inspector, inspect, redacted, wholeText } from './inspect.ts';

export interface WindowParts {
  readonly inspector: Inspector;
  readonly gateway: Gateway;
  readonly call: Call;
  /** Characters that are collected before they are judged. */
  readonly window: number;
}

type Kind = 'text-delta' | 'reasoning-delta';
type ToolDelta = Extract<ModelEvent, { type: 'tool-call-delta' }>;

interface State {
  kind: Kind;
  /** Text emitted before, as context for the text that follows. */
  context: string;
  /** The character before the context. */
  before: string;
  held: string;
  /** Number of held characters from which the next inspection is useful. */
  lookAt: number;
  /** The judged reasoning text since the last whole reasoning block. */
  reasoning: string;
  changed: boolean;
  deltas: ToolDelta[];
}

const fresh = (window: number): State => ({
  kind: 'text-delta',
  context: '',
  before: '',
  held: '',
  lookAt: window,
  reasoning: '',
  changed: false,
  deltas: [],
});

export async function* inWindows(parts: WindowParts, stream: AsyncIterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  let state = fresh(parts.window);
  for await (const event of stream) {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
        if (event.type !== state.kind) yield* release(parts, state, true);
        state.kind = event.type;
        state.held += event.text;
        if (event.type === 'reasoning-delta') state.reasoning += event.text;
        if (state.held.length >= state.lookAt) yield* release(parts, state, false);
        break;
      case 'restart':
        state = fresh(parts.window);
        yield event;
        break;
      case 'tool-call-delta':
        state.deltas.push(event);
        break;
      case 'tool-call':
        yield* release(parts, state, true);
        yield* toolCall(parts, state, event);
        break;
      case 'reasoning':
        yield* release(parts, state, true);
        yield { type: 'reasoning', part: await reasoning(parts, state, event.part) };
        state.reasoning = '';
        break;
      case 'media':
        yield* release(parts, state, true);
        yield event;
        break;
      case 'finish':
        yield* release(parts, state, true);
        yield await finish(parts, state, event);
        break;
      default:
        yield event;
    }
  }
  // The stream was truncated: the rest is still part of the answer.
  yield* release(parts, state, true);
}

/** Judges the held text and emits the decided part: all of it at the end, else all except what may become a finding. */
async function* release(parts: WindowParts, state: State, final: boolean): AsyncGenerator<ModelEvent> {
  if (state.held === '') return;
  const { inspector, gateway, call, window } = parts;
  const { before } = state;
  const text = state.context + state.held;
  const from = state.context.length;
  const until = final ? text.length : Math.max(from, text.length - pendingOf(inspector, text, before));
  if (until > from) {
    const input = { text, from, until, before, replaceable: 'window' } as const;
    const { spans, warnings } = await inspect(inspector, call, gateway, 'output', input);
    for (const warning of warnings) yield { type: 'warning', warning };
    const cut = notWithinPair(
      text,
      Math.min(until, ...spans.filter(({ end }) => end > until).map(({ start }) => start)),
    );
    const shown = redacted(text, spans, from, cut);
    if (spans.length > 0) state.changed = true;
    settle(state, text, cut, inspector.overlap);
    if (shown !== '') yield { type: state.kind, text: shown };
  }
  if (final) Object.assign(state, { context: '', before: '', held: '' });
  state.lookAt = state.held.length + window;
}

function settle(state: State, text: string, cut: number, overlap: number): void {
  const start = notWithinPair(text, Math.max(0, cut - overlap));
  if (start > 0) state.before = text.slice(notWithinPair(text, start - 1), start);
  state.context = text.slice(start, cut);
  state.held = text.slice(cut);
}

function pendingOf({ classifiers, overlap }: Inspector, text: string, before: string): number {
  const lengths = classifiers.map((classifier) => classifier.pending?.(text, { before }) ?? overlap);
  return Math.max(0, ...lengths);
}

/** Moves an offset out of a surrogate pair. */
const notWithinPair = (text: string, at: number): number =>
  at > 0 && /[\udc00-\udfff]/.test(text.charAt(at)) && /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;

/** The pieces of a tool call wait for the whole call, because half an argument cannot be judged. */
async function* toolCall(
  { inspector, gateway, call }: WindowParts,
  state: State,
  event: Extract<ModelEvent, { type: 'tool-call' }>,
): AsyncGenerator<ModelEvent> {
  const callText = `${JSON.stringify(event.call.arguments)} ${event.call.raw ?? ''}`;
  const { warnings } = await inspect(inspector, call, gateway, 'output', wholeText(callText, 'nothing'));
  for (const warning of warnings) yield { type: 'warning', warning };
  yield* state.deltas.filter(({ id }) => id === event.call.id);
  state.deltas = state.deltas.filter(({ id }) => id !== event.call.id);
  yield event;
}

/** A changed block loses its signature, because it is no longer what the model signed. */
async function reasoning(parts: WindowParts, state: State, part: ReasoningPart): Promise<ReasoningPart> {
  if (!state.changed && state.reasoning === part.text) return part;
  const { inspector, gateway, call } = parts;
  const { spans } = await inspect(inspector, call, gateway, 'output', wholeText(part.text, 'window'));
  if (spans.length === 0) return part;
  state.changed = true;
  return { type: 'reasoning', text: redacted(part.text, spans, 0, part.text.length) };
}

/** Removes every field of the finish event that would repeat the text of a changed answer. */
async function finish(parts: WindowParts, state: State, event: FinishEvent): Promise<FinishEvent> {
  const { inspector, gateway, call } = parts;
  const { refusal } = event;
  const spans =
    refusal === undefined
      ? []
      : (await inspect(inspector, call, gateway, 'output', wholeText(refusal, 'window'))).spans;
  if (!state.changed && spans.length === 0) return event;
  const { logprobs: _logprobs, raw: _raw, citations, ...rest } = event;
  return {
    ...rest,
    ...(citations === undefined ? {} : { citations: citations.map(withoutText) }),
    ...(refusal === undefined ? {} : { refusal: redacted(refusal, spans, 0, refusal.length) }),
  };
}

const withoutText = ({ text: _text, ...rest }: Citation): Citation => rest;
