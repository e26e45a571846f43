/**
 * Chat answers of this wire, streamed or whole.
 *
 * D1. All documents of a chunk are read before the first of their events is yielded.
 * D2. `finish` comes once: at a `[DONE]` behind some output, or at the end of a body that told a finish reason or was
 *     one whole message. Without these there is none, and the caller reports a truncation.
 * D3. The last finish reason and the last usage win; some servers send both twice.
 * D4. Only the first choice is read.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type {
  ChatRequest,
  Citation,
  FinishEvent,
  FinishReason,
  ModelEvent,
  TokenLogprob,
  Usage,
} from '../../core/model.ts';
import type { TransportResponse, WireContext } from '../../core/provider.ts';
import { answerEvents } from '../answer.ts';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord, tryParseJson } from '../json-shape.ts';
import type { ServerSentEvent } from '../sse.ts';
import { toolCallAssembler } from '../tool-calls.ts';
import { citationsOf, imagesOf, logprobsOf } from './decode-extras.ts';
import { extensionOf, frameError } from './frame-error.ts';
import { usageMissing } from './operations.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { reasoningReader } from './reasoning.ts';
import { usageOf } from './usage.ts';

export async function* decodeChat(
  response: TransportResponse,
  request: ChatRequest,
  quirks: ChatCompletionsQuirks,
  context: WireContext,
): AsyncGenerator<ModelEvent> {
  const reader = chatReader(request, quirks, context);
  for await (const batch of answerEvents(response)) {
    for (const event of batch) reader.read(event);
    const events = reader.take();
    for (let index = 0; index < events.length; index++) yield events[index] as ModelEvent;
    if (reader.failure !== undefined) throw reader.failure;
  }
  reader.end();
  yield* reader.take();
  if (reader.failure !== undefined) throw reader.failure;
}

interface ChatReader {
  read(event: ServerSentEvent): void;
  end(): void;
  /** The events since the last call. */
  take(): readonly ModelEvent[];
  /** Thrown once the events before it have gone out. */
  readonly failure: PolyphonyError | undefined;
}

interface Told {
  reason: FinishReason | undefined;
  usage: Usage | undefined;
  model: string | undefined;
  id: string | undefined;
  refusal: string;
  logprobs: TokenLogprob[];
  citations: Citation[];
  spoke: boolean;
  /** A whole message came: its end is the end of the JSON, whatever it says of a reason. */
  whole: boolean;
  finished: boolean;
  malformed: number;
  failure: PolyphonyError | undefined;
  raw: unknown[];
}

const emptyTold = (): Told => ({
  reason: undefined,
  usage: undefined,
  model: undefined,
  id: undefined,
  refusal: '',
  logprobs: [],
  citations: [],
  spoke: false,
  whole: false,
  finished: false,
  malformed: 0,
  failure: undefined,
  raw: [],
});

function chatReader(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): ChatReader {
  const told = emptyTold();
  const calls = toolCallAssembler(() => `call_${told.id ?? 'unnamed'}`);
  const reasoning = reasoningReader(context.target.provider);
  let events: ModelEvent[] = [];

  const say = (event: ModelEvent | undefined): void => {
    if (event !== undefined) events.push(event);
  };
  const sayText = (text: string | undefined): void => {
    if (text === undefined || text === '') return;
    say(reasoning.close());
    told.spoke = true;
    events.push({ type: 'text-delta', text });
  };

  const readContent = (content: unknown): void => {
    if (typeof content === 'string') sayText(content);
    else {
      for (const item of asList(content) ?? []) {
        const chunk = asRecord(item);
        if (chunk?.type === 'thinking') say(reasoning.readChunk(chunk));
        else if (chunk?.type === 'text' || chunk?.type === 'output_text') sayText(asText(chunk.text));
      }
    }
  };

  const readCalls = (message: JsonRecord): void => {
    const pieces =
      asList(message.tool_calls) ?? (asRecord(message.function_call) ? [{ function: message.function_call }] : []);
    for (const [position, item] of pieces.entries()) {
      const piece = asRecord(item) ?? {};
      const named = asRecord(piece.function) ?? asRecord(piece.custom) ?? {};
      const extra = asRecord(piece.extra_content);
      say(reasoning.close());
      told.spoke = true;
      say(
        calls.push({
          index: asNumber(piece.index) ?? position,
          id: asText(piece.id),
          name: asText(named.name),
          arguments: named.arguments ?? named.input,
          signature: extra === undefined ? undefined : JSON.stringify({ extra_content: extra }),
        }),
      );
    }
  };

  const readMessage = (message: JsonRecord): void => {
    say(reasoning.readFields(message));
    readContent(message.content);
    if (message.refusal) told.refusal += asText(message.refusal) ?? '';
    if (message.tool_calls || message.function_call) readCalls(message);
    if (message.annotations) told.citations.push(...citationsOf(message));
    if (message.images) say(imagesOf(message));
  };

  const readChoice = (choice: JsonRecord): void => {
    if (asNumber(choice.index) !== undefined && choice.index !== 0) return;
    const delta = asRecord(choice.delta);
    const message = delta ?? asRecord(choice.message);
    if (message !== undefined) readMessage(message);
    else if (typeof choice.text === 'string') sayText(choice.text);
    if (message !== undefined && delta === undefined) told.whole = true;
    if (choice.logprobs) told.logprobs.push(...logprobsOf(choice.logprobs));
    if (choice.finish_reason) told.reason = finishReason(choice.finish_reason);
    if (choice.usage) told.usage = usageOf(choice.usage, quirks.reasoningBesideOutput) ?? told.usage;
  };

  const readDocument = (body: JsonRecord, event: string | undefined): void => {
    if (request.includeRaw === true) told.raw.push(body);
    told.model ??= asText(body.model) || undefined;
    told.id ??= asText(body.id) || undefined;
    const usage = body.usage ?? extensionOf(body)?.usage;
    if (usage) told.usage = usageOf(usage, quirks.reasoningBesideOutput) ?? told.usage;
    const choices = body.choices;
    if (Array.isArray(choices)) {
      for (const choice of choices) readChoice((choice ?? {}) as JsonRecord);
    }
    if (body.citations || body.search_results) told.citations = [...citationsOf(body)];
    const failure = frameError(body, event);
    if (failure !== undefined) told.failure = withUsage(failure, told.usage);
  };

  const finish = (): void => {
    if (told.finished) return;
    told.finished = true;
    say(reasoning.close());
    events.push(...calls.finish());
    if (told.malformed > 0) events.push(malformedWarning(told.malformed));
    if (told.usage === undefined) events.push(usageMissing);
    events.push(finishEvent(told, calls.count > 0));
  };

  return {
    read({ data, event }) {
      if (told.failure !== undefined || told.finished) return;
      const body = tryParseJson(data);
      if (typeof body === 'object' && body !== null) readDocument(documentOf(body), event);
      else if (data.trim() === '[DONE]') {
        if (told.reason !== undefined || told.spoke) finish();
      } else if (event === 'error') told.failure = frameError({ error: data });
      else if (data.trim() !== '') told.malformed += 1;
    },
    end() {
      if (told.failure === undefined && (told.reason !== undefined || told.whole)) finish();
    },
    take() {
      const taken = events;
      events = [];
      return taken;
    },
    get failure() {
      return told.failure;
    },
  };
}

/** Some servers wrap errors into a list. */
const documentOf = (body: object): JsonRecord => asRecord(Array.isArray(body) ? body[0] : body) ?? {};

function withUsage(error: PolyphonyError, usage: Usage | undefined): PolyphonyError {
  if (usage === undefined) return error;
  const { code, message, retryable, status } = error;
  return new PolyphonyError(code, message, {
    retryable,
    details: { ...error.details, usage },
    ...(status === undefined ? {} : { status }),
  });
}

function malformedWarning(count: number): ModelEvent {
  const message = `${count} ${count === 1 ? 'piece' : 'pieces'} of the stream could not be read and were left out.`;
  return { type: 'warning', warning: { code: 'malformed-chunk', message } };
}

function finishEvent(told: Told, called: boolean): FinishEvent {
  // Several servers say `stop` (or nothing) beside tool calls.
  const reason = called && (told.reason === 'stop' || told.reason === undefined) ? 'tool-calls' : told.reason;
  const { model, id, raw } = told;
  return {
    type: 'finish',
    reason: reason ?? 'other',
    usage: told.usage ?? { input: 0, output: 0 },
    ...defined({
      model,
      id,
      refusal: told.refusal === '' ? undefined : told.refusal,
      logprobs: told.logprobs.length === 0 ? undefined : told.logprobs,
      citations: told.citations.length === 0 ? undefined : told.citations,
      raw: raw.length === 0 ? undefined : raw.length === 1 ? raw[0] : raw,
    }),
  };
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  eos: 'stop',
  end: 'stop',
  complete: 'stop',
  completed: 'stop',
  length: 'length',
  max_tokens: 'length',
  max_output_tokens: 'length',
  model_length: 'length',
  model_context_window_exceeded: 'length',
  incomplete: 'length',
  tool_calls: 'tool-calls',
  tool_call: 'tool-calls',
  tool_use: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  content_filtered: 'content-filter',
  refusal: 'content-filter',
  safety: 'content-filter',
  guardrail_intervened: 'content-filter',
  prohibited_content: 'content-filter',
  blocklist: 'content-filter',
  spii: 'content-filter',
  recitation: 'content-filter',
  image_safety: 'content-filter',
  sensitive: 'content-filter',
  pause_turn: 'pause',
  error: 'error',
  failed: 'error',
  malformed_function_call: 'error',
};

const finishReason = (value: unknown): FinishReason => FINISH_REASONS[String(value).toLowerCase()] ?? 'other';
