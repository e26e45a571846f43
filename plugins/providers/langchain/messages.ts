/** Converts canonical messages to messages of LangChain. */
import type { AIMessage, BaseMessage } from '@langchain/core/messages';
import {
  asRecord,
  defined,
  inlineMedia,
  type Message,
  mediaURL,
  type Part,
  type ReasoningPart,
  type ToolResultPart,
} from 'polyphony/kit';

/** Loaded at the first call, because loading the package takes a quarter of a second. */
export type MessageClasses = Pick<
  typeof import('@langchain/core/messages'),
  'AIMessage' | 'HumanMessage' | 'SystemMessage' | 'ToolMessage'
>;

type Block = Record<string, unknown> & { readonly type: string };

export function encodeMessages(messages: readonly Message[], family: string, classes: MessageClasses): BaseMessage[] {
  return messages.flatMap((message) => encodeMessage(message, family, classes));
}

const partsOf = ({ content }: Message): readonly Part[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

function encodeMessage(message: Message, family: string, classes: MessageClasses): BaseMessage[] {
  const { AIMessage, HumanMessage, SystemMessage, ToolMessage } = classes;
  const parts = partsOf(message);
  const named = message.name === undefined ? {} : { name: message.name };
  if (message.role === 'system') return [new SystemMessage({ content: contentOf(parts), ...named })];
  if (message.role === 'assistant') return [assistantMessage(parts, family, AIMessage)];
  const results = parts.filter((part) => part.type === 'tool-result');
  const rest = parts.filter((part) => part.type !== 'tool-result');
  return [
    ...results.map((result) => new ToolMessage(resultFields(result))),
    ...(rest.length === 0 ? [] : [new HumanMessage({ content: contentOf(rest), ...named })]),
  ];
}

/** A string where the content is one text, because every model accepts that. */
function contentOf(parts: readonly Part[]): string | Block[] {
  const only = parts[0];
  return parts.length === 1 && only?.type === 'text' ? only.text : parts.flatMap(blocksOf);
}

function blocksOf(part: Part): Block[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }];
    case 'image':
      return [{ type: 'image_url', image_url: { url: mediaURL(part.source) } }];
    case 'audio':
    case 'video':
    case 'file': {
      const inline = inlineMedia(part.source);
      const metadata = part.type === 'file' && part.name !== undefined ? { metadata: { filename: part.name } } : {};
      if (inline === undefined)
        return [{ type: part.type, source_type: 'url', url: mediaURL(part.source), ...metadata }];
      return [{ type: part.type, source_type: 'base64', mime_type: inline.mediaType, data: inline.data, ...metadata }];
    }
    default:
      return [];
  }
}

function assistantMessage(parts: readonly Part[], family: string, Class: MessageClasses['AIMessage']): AIMessage {
  const text = parts.reduce((sum, part) => (part.type === 'text' ? sum + part.text : sum), '');
  const thoughts = parts.flatMap((part) => (part.type === 'reasoning' ? thinkingOf(part, family) : []));
  const calls = parts.filter((part) => part.type === 'tool-call');
  return new Class({
    content: thoughts.length === 0 ? text : [...thoughts, ...(text === '' ? [] : [{ type: 'text', text }])],
    tool_calls: calls.map(({ id, name, arguments: given }) => ({
      type: 'tool_call' as const,
      id,
      name,
      args: { ...asRecord(given) },
    })),
  });
}

/** Signed thinking is sent back unchanged; other thinking is dropped. */
function thinkingOf({ text, signature, family: made }: ReasoningPart, family: string): Block[] {
  return signature === undefined || made !== family ? [] : [{ type: 'thinking', thinking: text, signature }];
}

function resultFields({ id, name, content, isError }: ToolResultPart) {
  return {
    tool_call_id: id,
    content: typeof content === 'string' ? content : contentOf(content),
    status: isError === true ? ('error' as const) : ('success' as const),
    ...defined({ name }),
  };
}
