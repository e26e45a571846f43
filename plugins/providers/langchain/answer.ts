/** Converts a LangChain answer, in chunks or whole, to events. */
import {
  asCount,
  asList,
  asNumber,
  asRecord,
  asText,
  defined,
  type FinishReason,
  finishReason,
  inlineMedia,
  type JsonRecord,
  type MediaPart,
  type ModelEvent,
  type ToolCallAssembler,
  toolCallAssembler,
  type Usage,
} from 'polyphony/kit';

/** The fields that are read from a message or a chunk. */
export interface LangChainMessage {
  readonly id?: string | undefined;
  readonly content: unknown;
  readonly tool_calls?: unknown;
  readonly tool_call_chunks?: unknown;
  readonly invalid_tool_calls?: unknown;
  readonly usage_metadata?: unknown;
  readonly response_metadata?: unknown;
  readonly additional_kwargs?: unknown;
}

export interface Answer {
  events: ModelEvent[];
  readonly family: string;
  readonly calls: ToolCallAssembler;
  thinking: string;
  signature: string;
  usage: Usage | undefined;
  reason: string | undefined;
  model: string | undefined;
  id: string | undefined;
}

export const newAnswer = (family: string): Answer => ({
  events: [],
  family,
  calls: toolCallAssembler(),
  thinking: '',
  signature: '',
  usage: undefined,
  reason: undefined,
  model: undefined,
  id: undefined,
});

export function readMessage(answer: Answer, message: LangChainMessage): void {
  answer.id ??= message.id;
  readThought(answer, asText(asRecord(message.additional_kwargs)?.reasoning_content) ?? '');
  readContent(answer, message.content);
  readCalls(answer, message);
  readUsage(answer, asRecord(message.usage_metadata));
  const metadata = asRecord(message.response_metadata) ?? {};
  const reason =
    metadata.finish_reason ??
    metadata.stop_reason ??
    metadata.stopReason ??
    metadata.finishReason ??
    metadata.done_reason;
  answer.reason = asText(reason) || answer.reason;
  answer.model ??= asText(metadata.model_name) ?? asText(metadata.model);
}

function readContent(answer: Answer, content: unknown): void {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : (asList(content) ?? []);
  for (const item of blocks) {
    const block = asRecord(item) ?? {};
    if (block.type === 'thinking' || block.type === 'reasoning') readThinking(answer, block);
    const media = mediaOf(block, answer.family);
    if (media !== undefined) {
      closeThinking(answer);
      answer.events.push({ type: 'media', part: media });
    }
    const text = asText(block.text) ?? '';
    if (block.type !== 'text' || text === '') continue;
    closeThinking(answer);
    answer.events.push({ type: 'text-delta', text });
  }
}

const MEDIA = ['image', 'audio', 'video', 'file'] as const;

/** A block with bytes or an address, in the forms of both versions of the package, or an `image_url`. */
function mediaOf(block: JsonRecord, family: string): MediaPart | undefined {
  const type = block.type === 'image_url' ? 'image' : MEDIA.find((known) => known === block.type);
  if (type === undefined) return undefined;
  const url = asText(asRecord(block.image_url)?.url) ?? asText(block.image_url) ?? asText(block.url);
  const data = asText(block.data);
  const mediaType = asText(block.mime_type) ?? asText(block.mimeType);
  const inline = url ? inlineMedia({ type: 'url', url }) : undefined;
  if (data) {
    const source = { type: 'base64' as const, data, mediaType: mediaType ?? 'application/octet-stream' };
    return { type, source, family };
  }
  if (inline !== undefined) return { type, source: { type: 'base64', ...inline }, family };
  return url ? { type, source: defined({ type: 'url' as const, url, mediaType }), family } : undefined;
}

function readThinking(answer: Answer, block: JsonRecord): void {
  answer.signature += asText(block.signature) ?? '';
  readThought(answer, asText(block.thinking) ?? asText(block.reasoning) ?? '');
}

function readThought(answer: Answer, text: string): void {
  if (text === '') return;
  answer.thinking += text;
  answer.events.push({ type: 'reasoning-delta', text });
}

function closeThinking(answer: Answer): void {
  const { thinking: text, signature, family } = answer;
  if (text === '' && signature === '') return;
  answer.thinking = '';
  answer.signature = '';
  const part = { type: 'reasoning' as const, text, family, ...(signature === '' ? {} : { signature }) };
  answer.events.push({ type: 'reasoning', part });
}

/** Reads pieces of calls where there are any; else whole calls, including those with invalid JSON as arguments. */
function readCalls(answer: Answer, message: LangChainMessage): void {
  const pieces = asList(message.tool_call_chunks) ?? [];
  const whole = [...(asList(message.tool_calls) ?? []), ...(asList(message.invalid_tool_calls) ?? [])];
  for (const item of pieces.length > 0 ? pieces : whole) {
    closeThinking(answer);
    const call = asRecord(item) ?? {};
    const { calls } = answer;
    // A piece without an index continues the last call, unless it has an id.
    const next = pieces.length === 0 || asText(call.id) || calls.count === 0 ? calls.count : calls.count - 1;
    const index = (pieces.length > 0 ? asNumber(call.index) : undefined) ?? next;
    const event = calls.push({ index, id: asText(call.id), name: asText(call.name), arguments: call.args });
    if (event !== undefined) answer.events.push(event);
  }
}

/** Adds up the counts of chunks, as LangChain does when it merges them. */
function readUsage(answer: Answer, reported: JsonRecord | undefined): void {
  if (reported === undefined) return;
  const input = asRecord(reported.input_token_details) ?? {};
  const output = asRecord(reported.output_token_details) ?? {};
  const before = answer.usage;
  const sum = (known: number | undefined, more: unknown): number | undefined => {
    const number = asCount(more);
    return number === undefined ? known : (known ?? 0) + number;
  };
  answer.usage = defined({
    input: sum(before?.input, reported.input_tokens) ?? 0,
    output: sum(before?.output, reported.output_tokens) ?? 0,
    cacheRead: sum(before?.cacheRead, input.cache_read),
    cacheWrite: sum(before?.cacheWrite, input.cache_creation),
    reasoning: sum(before?.reasoning, output.reasoning),
    audioInput: sum(before?.audioInput, input.audio),
    audioOutput: sum(before?.audioOutput, output.audio),
  });
}

/** What the words of servers have in common, for those that no wire has. */
const REASONS: readonly (readonly [RegExp, FinishReason])[] = [
  [/filter|refusal|safety|guardrail|prohibited|blocklist|recitation/, 'content-filter'],
  [/error|failed|malformed/, 'error'],
];

/** Emits the last events. An answer without a finish reason counts as complete: LangChain has no other sign of it. */
export function finish(answer: Answer): readonly ModelEvent[] {
  closeThinking(answer);
  const { calls, usage, reason, model, id } = answer;
  const known = reason === undefined ? 'stop' : reasonOf(reason);
  const ending: ModelEvent[] = [...answer.events, ...calls.finish()];
  if (usage === undefined) {
    const message =
      'The model reported no usage: the counts of this answer are an estimate of ours, or 0 where nothing can be estimated.';
    ending.push({ type: 'warning', warning: { code: 'usage-missing', message } });
  }
  ending.push({
    type: 'finish',
    reason: known === 'stop' && calls.count > 0 ? 'tool-calls' : known,
    usage: usage ?? { input: 0, output: 0 },
    ...defined({ model, id }),
  });
  return ending;
}

function reasonOf(word: string): FinishReason {
  const known = finishReason(word);
  return known === 'other' ? (REASONS.find(([pattern]) => pattern.test(word.toLowerCase()))?.[1] ?? 'other') : known;
}
