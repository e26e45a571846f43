/** Encodes canonical messages. */
import {
  asRecord,
  defined,
  type FilePart,
  type ImagePart,
  type Message,
  mediaURL,
  type Part,
  PolyphonyError,
  type ReasoningPart,
  sendableJson,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
  type WireContext,
} from 'polyphony/kit';

type WireMessage = Record<string, unknown>;
type Media = ImagePart | FilePart;

/** @throws unsupported for parts that the wire format cannot carry */
export function encodeMessages(messages: readonly Message[], context: WireContext): WireMessage[] {
  warnOfLostReasoning(messages, context);
  return messages.flatMap((message) => encodeMessage(message, context));
}

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function encodeMessage(message: Message, context: WireContext): WireMessage[] {
  const parts = partsOf(message);
  if (message.role === 'assistant') return [assistantMessage(parts, context)];
  if (message.role === 'system') return [{ role: 'system', content: contentOf(parts) }];
  const results = parts.filter((part) => part.type === 'tool-result');
  const rest = [...parts.filter((part) => part.type !== 'tool-result'), ...mediaOf(results, context)];
  // Results come before everything else, because the wire format requires them directly after the calls.
  return [...results.map(toolMessage), ...(rest.length === 0 ? [] : [{ role: 'user', content: contentOf(rest) }])];
}

/** A string where the content is one text, because every server accepts that. */
function contentOf(parts: readonly Part[]): unknown {
  const only = parts[0];
  if (parts.length === 1 && only?.type === 'text') return only.text;
  return parts.map(encodePart);
}

function encodePart(part: Part): WireMessage {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: defined({ url: mediaURL(part.source), detail: part.detail }) };
    default:
      throw new PolyphonyError(
        'unsupported',
        `This provider does not support message parts of type "${part.type}": send text or images, and files as providerOptions.cohere.documents.`,
      );
  }
}

// ---------------------------------------------------------------------------------------------------- assistant

function assistantMessage(parts: readonly Part[], context: WireContext): WireMessage {
  const own = parts.filter((part) => part.type === 'reasoning' && part.family === context.target.provider);
  const blocks = own.map((part) => asRecord((part as ReasoningPart).raw) ?? {});
  const thinking = blocks.filter((block) => block.type === 'thinking');
  const plan = blocks.map((block) => block.tool_plan).findLast((text) => typeof text === 'string');
  const text = parts.reduce((sum, part) => (part.type === 'text' ? sum + part.text : sum), '');
  const calls = parts.filter((part) => part.type === 'tool-call');
  const said = text === '' ? [] : [{ type: 'text', text }];
  const content = thinking.length === 0 ? text : [...thinking, ...said];
  return defined({
    role: 'assistant',
    // Empty content next to calls is rejected.
    content: content === '' && calls.length > 0 ? undefined : content,
    tool_plan: calls.length === 0 ? undefined : plan,
    tool_calls: calls.length === 0 ? undefined : calls.map(encodeCall),
  });
}

function encodeCall(call: ToolCallPart): WireMessage {
  const text = sendableJson(call.arguments);
  return { id: call.id, type: 'function', function: { name: call.name, arguments: text } };
}

function warnOfLostReasoning(messages: readonly Message[], context: WireContext): void {
  const lost = messages
    .flatMap((message) => (message.role === 'assistant' ? partsOf(message) : []))
    .some(
      (part) => part.type === 'reasoning' && part.signature !== undefined && part.family !== context.target.provider,
    );
  if (!lost) return;
  const message =
    'Signed reasoning of another provider was dropped, because only the provider that made it can read it.';
  context.warn({ code: 'reasoning-dropped', message });
}

// ---------------------------------------------------------------------------------------------------- tool results

/** A message without a token is rejected. */
const NOTHING = '(no output)';

function toolMessage(result: ToolResultPart): WireMessage {
  const text = typeof result.content === 'string' ? result.content : result.content.map(resultText).join('\n');
  // The wire format has no flag for a failed tool.
  const content = result.isError === true ? `Error: ${text}` : text;
  return { role: 'tool', tool_call_id: result.id, content: content.trim() === '' ? NOTHING : content };
}

function resultText(part: TextPart | Media): string {
  return part.type === 'text' ? part.text : `[${part.type}: see the next user message]`;
}

/** Tool messages can contain only text: other content of a tool result follows as a user message. */
function mediaOf(results: readonly ToolResultPart[], context: WireContext): readonly Media[] {
  const media = results.flatMap(({ content }) =>
    typeof content === 'string' ? [] : content.filter((part) => part.type !== 'text'),
  );
  if (media.length > 0) {
    const message =
      'Tool results of this provider can contain only text, so their images were sent as a user message after them.';
    context.warn({ code: 'tool-result-media', message });
  }
  return media;
}
