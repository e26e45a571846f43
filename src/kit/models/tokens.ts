/**
 * Token estimates until a provider reports counts. By tokenx, which counts words, punctuation and scripts by rules; the
 * gateway corrects them per model by the counts that providers report.
 */
import { estimateTokenCount } from 'tokenx';
import type { ChatRequest, Message, ModelRequest, Part } from '../../core/model/model.ts';

/** Longer texts are sampled: 32 slices of 2,048 characters, evenly spread, represent the text. */
const EXACT_LENGTH = 65_536;
const SLICES = 32;
const SLICE_LENGTH = EXACT_LENGTH / SLICES;

/** Tokens that every message adds for its role and its separators. */
const MESSAGE_TOKENS = 4;
const TOOL_TOKENS = 8;

/** Flat estimates of media, in tokens; the size of an image is not known without decoding it. */
export const MEDIA_TOKENS = { image: 1000, imageLow: 85, audio: 1500, video: 6000, file: 3000 } as const;

/** Tokens of a text; linear for any text. */
export function estimateTokens(text: string): number {
  if (text.length <= EXACT_LENGTH) return estimateTokenCount(text);
  const stride = text.length / SLICES;
  let sampled = 0;
  for (let slice = 0; slice < SLICES; slice++) {
    const start = Math.floor(slice * stride);
    sampled += estimateTokenCount(text.slice(start, start + SLICE_LENGTH));
  }
  return Math.ceil((sampled * text.length) / EXACT_LENGTH);
}

/** Input tokens of a request: messages, tools, output schema, images at a flat rate. */
export function estimateRequestTokens(request: ModelRequest): number {
  switch (request.operation) {
    case 'chat':
      return estimateChatTokens(request);
    case 'embed':
      return sum(request.input, estimateTokens);
    case 'image':
      return (
        estimateTokens(request.prompt) +
        estimateTokens(request.negativePrompt ?? '') +
        (request.image === undefined ? 0 : MEDIA_TOKENS.image)
      );
    case 'moderate':
      return sum(request.input, estimatePartTokens);
    case 'rerank':
      return estimateTokens(request.query) + sum(request.documents, estimateTokens);
  }
}

function estimateChatTokens({ messages, tools = [], output }: ChatRequest): number {
  const schema = output?.schema === undefined ? 0 : estimateTokens(JSON.stringify(output.schema));
  const described = sum(tools, (tool) => TOOL_TOKENS + estimateTokens(JSON.stringify(tool)));
  return sum(messages, estimateMessageTokens) + described + schema;
}

/** Input tokens of one message, its role included. */
export function estimateMessageTokens({ content }: Message): number {
  return MESSAGE_TOKENS + (typeof content === 'string' ? estimateTokens(content) : sum(content, estimatePartTokens));
}

function estimatePartTokens(part: Part): number {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return estimateTokens(part.text);
    case 'image':
      return part.detail === 'low' ? MEDIA_TOKENS.imageLow : MEDIA_TOKENS.image;
    case 'audio':
    case 'video':
    case 'file':
      return MEDIA_TOKENS[part.type];
    case 'tool-call':
      return TOOL_TOKENS + estimateTokens(part.name) + estimateTokens(part.raw ?? JSON.stringify(part.arguments));
    case 'tool-result':
      return (
        TOOL_TOKENS +
        (typeof part.content === 'string' ? estimateTokens(part.content) : sum(part.content, estimatePartTokens))
      );
  }
}

function sum<T>(values: readonly T[], count: (value: T) => number): number {
  let total = 0;
  for (const value of values) total += count(value);
  return total;
}
