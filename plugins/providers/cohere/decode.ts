/**
 * Answers of this wire format, streamed or whole.
 *
 * C1. `finish` is emitted once: at `message-end`, or at the end of one whole message. Without either there is no `finish`,
 *     and the caller reports a truncation.
 * C2. A tool plan is not text of the answer: it is kept as a reasoning part without text, and sent back unchanged.
 */
import {
  type AnswerState,
  answerState,
  append,
  asCount,
  asList,
  asNumber,
  asRecord,
  asText,
  type ChatRequest,
  type Citation,
  decodeAnswer,
  defined,
  finishAnswer,
  finishReason,
  httpError,
  impliedStatus,
  type JsonRecord,
  type ModelEvent,
  type ToolCallAssembler,
  type TransportResponse,
  textIn,
  toolCallAssembler,
  type Usage,
  type WireContext,
} from 'polyphony/kit';

interface State extends AnswerState {
  readonly family: string;
  readonly calls: ToolCallAssembler;
  readonly citations: Citation[];
  /** The open thinking block. */
  thinking: string;
  plan: string;
  id: string | undefined;
}

export function decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  context: WireContext,
): AsyncIterable<ModelEvent> {
  const state: State = {
    family: context.target.provider,
    calls: toolCallAssembler(),
    citations: [],
    thinking: '',
    plan: '',
    id: undefined,
    ...answerState(request),
  };
  return decodeAnswer(response, state, { read: (body) => readDocument(state, body) }, context);
}

function readDocument(state: State, body: JsonRecord): void {
  if (state.complete) return;
  state.id ??= asText(body.id);
  const type = asText(body.type);
  const read = READERS.get(type ?? '');
  if (read !== undefined) {
    const delta = asRecord(body.delta) ?? {};
    read(state, asRecord(delta.message) ?? {}, body, delta);
  } else if (type === undefined && asRecord(body.message) !== undefined) readWhole(state, body);
  else if (type === undefined || type.includes('error')) fail(state, body);
}

type Reader = (state: State, message: JsonRecord, body: JsonRecord, delta: JsonRecord) => void;

const readContent: Reader = (state, { content }) => readBlock(state, asRecord(content) ?? {});
const readCall: Reader = (state, { tool_calls }, body) => {
  const listed = asList(tool_calls) ?? [tool_calls];
  for (const call of listed) pushCall(state, asRecord(call) ?? {}, asNumber(body.index) ?? 0);
};

const READERS: ReadonlyMap<string, Reader> = new Map(
  Object.entries<Reader>({
    'content-start': readContent,
    'content-delta': readContent,
    'content-end': closeThinking,
    'tool-plan-delta': (state, { tool_plan }) => {
      state.plan += asText(tool_plan) ?? '';
    },
    'tool-call-start': readCall,
    'tool-call-delta': readCall,
    'citation-start': (state, { citations }) => {
      append(state.citations, (asList(citations) ?? [citations]).flatMap(citationOf));
    },
    'message-end': (state, _message, _body, delta) => {
      const error = asText(delta.error);
      if (error) fail(state, { message: error });
      else finish(state, asText(delta.finish_reason), delta.usage);
    },
    'message-start': () => {},
    'tool-call-end': () => {},
    'citation-end': () => {},
  }),
);

function readWhole(state: State, body: JsonRecord): void {
  const message = asRecord(body.message) ?? {};
  const blocks = typeof message.content === 'string' ? [{ text: message.content }] : (asList(message.content) ?? []);
  for (const block of blocks) readBlock(state, asRecord(block) ?? {});
  state.plan += asText(message.tool_plan) ?? '';
  for (const [index, call] of (asList(message.tool_calls) ?? []).entries()) {
    pushCall(state, asRecord(call) ?? {}, index, true);
  }
  append(state.citations, (asList(message.citations) ?? []).flatMap(citationOf));
  finish(state, asText(body.finish_reason), body.usage);
}

function readBlock(state: State, block: JsonRecord): void {
  const thought = asText(block.thinking);
  if (thought) {
    state.thinking += thought;
    state.events.push({ type: 'reasoning-delta', text: thought });
  }
  const text = textIn(state, block.text);
  if (!text) return;
  closeThinking(state);
  state.events.push({ type: 'text-delta', text });
}

function closeThinking(state: State): void {
  const { thinking } = state;
  if (thinking === '') return;
  state.thinking = '';
  const raw = { type: 'thinking', thinking };
  state.events.push({ type: 'reasoning', part: { type: 'reasoning', text: thinking, family: state.family, raw } });
}

function closePlan(state: State): void {
  if (state.plan === '') return;
  const raw = { tool_plan: state.plan };
  state.plan = '';
  state.events.push({ type: 'reasoning', part: { type: 'reasoning', text: '', family: state.family, raw } });
}

function pushCall(state: State, call: JsonRecord, index: number, whole = false): void {
  closeThinking(state);
  closePlan(state);
  const named = asRecord(call.function) ?? {};
  // Whole answers call a tool without parameters with `null`.
  const given = whole && named.arguments === 'null' ? undefined : named.arguments;
  const event = state.calls.push({ index, id: asText(call.id), name: asText(named.name), arguments: given });
  if (event !== undefined) state.events.push(event);
}

function citationOf(value: unknown): Citation[] {
  const record = asRecord(value);
  if (record === undefined) return [];
  const sources = asList(record.sources) ?? [];
  return (sources.length === 0 ? [undefined] : sources).flatMap((source) => sourceOf(record, asRecord(source)));
}

/** One citation for each source of a passage. */
function sourceOf(record: JsonRecord, source: JsonRecord | undefined): Citation[] {
  const document = asRecord(source?.document) ?? asRecord(source?.tool_output);
  const citation = defined({
    url: asText(document?.url),
    title: asText(document?.title) ?? asText(source?.id),
    text: asText(record.text),
    start: asNumber(record.start),
    end: asNumber(record.end),
    fileId: asText(document?.id) ?? asText(source?.id),
  });
  return Object.keys(citation).length === 0 ? [] : [citation];
}

// ---------------------------------------------------------------------------------------------------- endings

function finish(state: State, reason: string | undefined, record: unknown): void {
  closeThinking(state);
  closePlan(state);
  const { events, calls, id, citations } = state;
  append(events, calls.finish());
  const usage = usageOf(asRecord(record));
  finishAnswer(state, { reason: finishReason(reason), usage, id, citations });
}

/** Processed tokens; the billed ones exclude the provider's own instructions. */
function usageOf(record: JsonRecord | undefined): Usage | undefined {
  const tokens = asRecord(record?.tokens);
  const billed = asRecord(record?.billed_units);
  const input = asCount(tokens?.input_tokens) ?? asCount(billed?.input_tokens);
  const output = asCount(tokens?.output_tokens) ?? asCount(billed?.output_tokens);
  if (input === undefined && output === undefined) return undefined;
  return defined({ input: input ?? 0, output: output ?? 0, cacheRead: asCount(record?.cached_tokens) });
}

function fail(state: State, body: JsonRecord): void {
  const error = asRecord(body.error) ?? body;
  const message = asText(error.message) ?? asText(body.error) ?? JSON.stringify(body);
  state.failure = httpError({ status: impliedStatus(error), message });
}
