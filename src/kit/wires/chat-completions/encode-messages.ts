/** Canonical messages in the form of this wire. */
import { createHash } from 'node:crypto';
import type {
  AudioPart,
  FilePart,
  ImagePart,
  MediaSource,
  Message,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
  VideoPart,
} from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { asList, asRecord, defined, tryParseJson } from '../../json/json-shape.ts';
import { sendableJson } from '../../json/sendable-json.ts';
import { inlineMedia } from '../../requests/media.ts';
import { soundId } from './media.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { reasoningFields } from './reasoning.ts';

type WireMessage = Record<string, unknown>;
type ContentPart = TextPart | ImagePart | AudioPart | VideoPart | FilePart;

export function encodeMessages(
  messages: readonly Message[],
  quirks: ChatCompletionsQuirks,
  context: WireContext,
): WireMessage[] {
  const encoded: WireMessage[] = [];
  for (const message of messages) {
    const { role, name, content } = message;
    // By far the most common message.
    if (role === 'user' && typeof content === 'string' && name === undefined) encoded.push({ role, content });
    else encoded.push(...encodeMessage(message, quirks, context));
  }
  if (quirks.cacheControl === true) limitMarks(encoded, context);
  const last = encoded.at(-1);
  if (quirks.prefixField !== undefined && last?.role === 'assistant' && last.tool_calls === undefined) {
    last[quirks.prefixField] = true;
  }
  return encoded;
}

function encodeMessage(message: Message, quirks: ChatCompletionsQuirks, context: WireContext): WireMessage[] {
  const { role, name } = message;
  const parts: readonly Part[] = typeof message.content === 'string' ? [textPart(message.content)] : message.content;
  const named = name === undefined || quirks.messageNames === false ? {} : { name };
  if (role === 'assistant') return [{ ...assistantMessage(parts, quirks, context), ...named }];
  if (role === 'system') {
    return [{ role: quirks.systemRole ?? 'system', content: contentOf(parts.filter(isContent), quirks), ...named }];
  }
  const results = parts.filter((part) => part.type === 'tool-result');
  const rest = [...parts.filter(isContent), ...imagesOf(results, context)];
  const user = rest.length === 0 ? [] : [{ role: 'user', content: contentOf(rest, quirks), ...named }];
  // Results come first, because the wire requires them directly after the calls.
  return [...results.map((result) => toolMessage(result, quirks)), ...user];
}

const textPart = (text: string): TextPart => ({ type: 'text', text });
const isContent = (part: Part): part is ContentPart =>
  part.type !== 'tool-call' && part.type !== 'tool-result' && part.type !== 'reasoning';

// ---------------------------------------------------------------------------------------------------- content

/** A string if there is only one text part, because every server accepts that. */
function contentOf(parts: readonly ContentPart[], quirks: ChatCompletionsQuirks): unknown {
  const only = parts[0];
  const marked = quirks.cacheControl === true && parts.some((part) => part.type === 'text' && part.cache !== undefined);
  if (parts.length === 1 && only?.type === 'text' && !marked) return only.text;
  return parts.map((part) => encodePart(part, quirks));
}

function encodePart(part: ContentPart, quirks: ChatCompletionsQuirks): WireMessage {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...cacheControl(part, quirks) };
    case 'image':
      return { type: 'image_url', image_url: defined({ url: mediaURL(part.source), detail: part.detail }) };
    case 'audio':
      return audioPart(part);
    case 'video':
      return { type: 'video_url', video_url: { url: mediaURL(part.source) } };
    case 'file':
      if (quirks.files === 'document_url')
        return defined({ type: 'document_url', document_url: mediaURL(part.source) });
      return { type: 'file', file: fileFields(part) };
  }
}

function cacheControl(part: TextPart, quirks: ChatCompletionsQuirks): WireMessage {
  if (quirks.cacheControl !== true || part.cache === undefined) return {};
  return { cache_control: part.cache === 'long' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' } };
}

const MOST_MARKS = 4;

/** Keeps the last ones, because they cover most of the conversation. */
function limitMarks(messages: readonly WireMessage[], context: WireContext): void {
  const marked = messages
    .flatMap(({ content }) => asList(content) ?? [])
    .flatMap((part) => (asRecord(part)?.cache_control === undefined ? [] : [part as WireMessage]));
  if (marked.length <= MOST_MARKS) return;
  for (const part of marked.slice(0, -MOST_MARKS)) delete part.cache_control;
  const message = `Only the last ${MOST_MARKS} of ${marked.length} cache marks were sent, because this provider accepts no more.`;
  context.warn({ code: 'cache-marks-dropped', message });
}

export function mediaURL(source: MediaSource): string {
  return source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}

function audioPart({ source }: AudioPart): WireMessage {
  const inline = inlineMedia(source);
  if (inline === undefined) return { type: 'audio_url', audio_url: { url: mediaURL(source) } };
  const subtype = inline.mediaType
    .toLowerCase()
    .replace(/^audio\/(x-)?/, '')
    .replace(/;.*$/, '');
  const format = subtype === 'mpeg' ? 'mp3' : subtype === 'wave' ? 'wav' : subtype;
  return { type: 'input_audio', input_audio: { data: inline.data, format } };
}

function fileFields({ source, name }: FilePart): WireMessage {
  // A URL without a scheme is the id of a file that was uploaded before.
  if (source.type === 'url' && !/^[a-z][a-z0-9+.-]*:/i.test(source.url)) return { file_id: source.url };
  const subtype = (source.mediaType ?? 'application/pdf').replace(/^.*\/|;.*$/g, '');
  return { filename: name ?? `file.${subtype === 'plain' ? 'txt' : subtype}`, file_data: mediaURL(source) };
}

// ---------------------------------------------------------------------------------------------------- assistant

function assistantMessage(parts: readonly Part[], quirks: ChatCompletionsQuirks, context: WireContext): WireMessage {
  const text = parts.reduce((sum, part) => (part.type === 'text' ? sum + part.text : sum), '');
  const calls = parts.filter((part) => part.type === 'tool-call');
  const thoughts = quirks.returnReasoning === false ? [] : parts.filter((part) => part.type === 'reasoning');
  const { content: chunks, ...fields } = reasoningFields(thoughts, context.target.provider);
  warnOfLostReasoning(thoughts, context);
  const images = parts.filter((part) => part.type === 'image');
  const sound = parts.map((part) => (part.type === 'audio' ? soundId(part, context) : undefined)).find(Boolean);
  // The sound says what the text says.
  const content = sound !== undefined || (text === '' && calls.length > 0) ? null : text;
  const thinking = asList(chunks);
  return {
    role: 'assistant',
    content: thinking === undefined ? content : [...thinking, ...(text === '' ? [] : [{ type: 'text', text }])],
    ...(calls.length === 0 || quirks.reasoningFieldOfCalls === undefined ? {} : { [quirks.reasoningFieldOfCalls]: '' }),
    ...fields,
    ...(sound === undefined ? {} : { audio: { id: sound } }),
    ...(images.length === 0 || quirks.answerImages !== true
      ? {}
      : { images: images.map((part) => encodePart(part, quirks)) }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => encodeCall(call, quirks, context)) }),
  };
}

function warnOfLostReasoning(thoughts: readonly ReasoningPart[], context: WireContext): void {
  if (!thoughts.some((part) => part.signature !== undefined && part.family !== context.target.provider)) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  context.warn({ code: 'reasoning-dropped', message });
}

function encodeCall(call: ToolCallPart, quirks: ChatCompletionsQuirks, { target }: WireContext): WireMessage {
  const own = call.family === target.provider ? asRecord(call.item) : undefined;
  if (own?.type === 'custom') {
    const input = asRecord(call.arguments)?.input;
    return { id: idOf(call.id, quirks), type: 'custom', custom: { name: call.name, input } };
  }
  const text = sendableJson(call.arguments);
  return {
    id: idOf(call.id, quirks),
    type: 'function',
    function: { name: call.name, arguments: text },
    ...signatureFields(call.signature),
  };
}

/** Returns the same id for a call and its result, in every turn. */
function idOf(id: string, { toolCallIds }: ChatCompletionsQuirks): string {
  if (toolCallIds !== 'nine-alphanumerics' || /^[a-zA-Z0-9]{9}$/.test(id)) return id;
  return createHash('sha256').update(id).digest('hex').slice(0, 9);
}

/** Signatures of calls are the wire's own `extra_content`; those of other wires have another form and are left out. */
function signatureFields(signature: string | undefined): WireMessage {
  const parsed = signature === undefined ? undefined : asRecord(tryParseJson(signature));
  return parsed?.extra_content === undefined ? {} : { extra_content: parsed.extra_content };
}

// ---------------------------------------------------------------------------------------------------- tool results

/** Some servers refuse a message without text. */
const NOTHING = '(no output)';

function toolMessage(result: ToolResultPart, quirks: ChatCompletionsQuirks): WireMessage {
  const text = typeof result.content === 'string' ? result.content : result.content.map(resultText).join('\n');
  // The wire has no flag for a failed tool.
  return {
    role: 'tool',
    tool_call_id: idOf(result.id, quirks),
    content: result.isError === true ? `Error: ${text}` : text.trim() === '' ? NOTHING : text,
  };
}

function resultText(part: TextPart | ImagePart | FilePart): string {
  if (part.type === 'text') return part.text;
  return part.type === 'image' ? '[image: see the next user message]' : '[file: see the next user message]';
}

/** Tool messages contain only text, so images and files of a result follow in a user message. */
function imagesOf(results: readonly ToolResultPart[], context: WireContext): readonly ContentPart[] {
  const media = results.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text'),
  );
  if (media.length > 0) {
    const message =
      'This provider accepts only text in tool results, so their images and files were sent as a user message.';
    context.warn({ code: 'tool-result-media', message });
  }
  return media;
}
