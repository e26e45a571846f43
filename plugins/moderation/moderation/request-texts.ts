/** The texts of a request that come from outside: everything except the operator's system messages. */
import type { ChatRequest, Message, ModelRequest, Part } from 'polyphony/kit';

type Replace = (text: string) => string;

/** The same request with each of its texts replaced, in order. */
export function mapTexts(request: ModelRequest, replace: Replace): ModelRequest {
  switch (request.operation) {
    case 'chat':
      return { ...request, messages: messagesOf(request, replace) };
    case 'embed':
      return { ...request, input: request.input.map(replace) };
    case 'image':
      return { ...request, prompt: replace(request.prompt) };
    case 'rerank':
      return { ...request, query: replace(request.query), documents: request.documents.map(replace) };
    case 'moderate':
      return request;
  }
}

export function textsOf(request: ModelRequest): string[] {
  const texts: string[] = [];
  mapTexts(request, (text) => {
    texts.push(text);
    return text;
  });
  return texts;
}

function messagesOf({ messages }: ChatRequest, replace: Replace): readonly Message[] {
  return messages.map((message): Message => {
    if (message.role === 'system') return message;
    const { content } = message;
    return {
      ...message,
      content: typeof content === 'string' ? replace(content) : content.map((part) => partOf(part, replace)),
    };
  });
}

function partOf(part: Part, replace: Replace): Part {
  if (part.type === 'text') return { ...part, text: replace(part.text) };
  if (part.type !== 'tool-result') return part;
  const { content } = part;
  if (typeof content === 'string') return { ...part, content: replace(content) };
  return { ...part, content: content.map((one) => (one.type === 'text' ? { ...one, text: replace(one.text) } : one)) };
}
