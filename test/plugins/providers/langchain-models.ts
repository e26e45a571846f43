/** Models of LangChain that say what arrived at them, or stream what they are told. */
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import {
  AIMessage,
  AIMessageChunk,
  type AIMessageChunkFields,
  type BaseMessage,
  type UsageMetadata,
} from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import type { ModelRequest } from 'polyphony';
import { type LangChainOptions, langchain } from '../../../plugins/providers/langchain.ts';
import { ask, chat } from './attempts.ts';
import { transport } from './exchange.ts';

export const answered = (model: BaseChatModel, request: ModelRequest = chat('Hi'), options?: LangChainOptions) =>
  ask(langchain(model, options), transport, request);
export const streaming = (...chunks: readonly ChunkFields[]) => new Chunked(chunks);
export const tool = {
  name: 'f',
  description: 'F',
  inputSchema: { type: 'object', properties: { x: { type: 'number' } } },
};

/** Keeps what it was called with, and answers whole. */
export class Listening extends BaseChatModel {
  heard: BaseMessage[] = [];
  options: Record<string, unknown> = {};
  tools: unknown;
  readonly answer: AIMessage | Error;
  constructor(answer: AIMessage | Error = new AIMessage('Hello'), maxRetries = 6) {
    super({ maxRetries });
    this.answer = answer;
  }
  _llmType(): string {
    return 'listening';
  }
  override bindTools(tools: unknown[], options?: object) {
    this.tools = tools;
    this.options = { ...options };
    return this;
  }
  override async _generate(messages: BaseMessage[], options: Record<string, unknown>): Promise<ChatResult> {
    this.heard = messages;
    this.options = { ...this.options, ...options };
    if (this.answer instanceof Error) throw this.answer;
    return { generations: [{ text: String(this.answer.content), message: this.answer }] };
  }
}

export type ChunkFields = Omit<AIMessageChunkFields, 'usage_metadata'> & { readonly usage_metadata?: UsageMetadata };

/** Streams its chunks with all that is on them, which LangChain's own fake leaves out. */
export class Chunked extends Listening {
  readonly chunks: readonly ChunkFields[];
  constructor(chunks: readonly ChunkFields[]) {
    super();
    this.chunks = chunks;
  }
  override async *_streamResponseChunks(): AsyncGenerator<ChatGenerationChunk> {
    for (const { usage_metadata, ...fields } of this.chunks) {
      const message = new AIMessageChunk(fields);
      yield new ChatGenerationChunk({
        text: '',
        message: Object.assign(message, usage_metadata && { usage_metadata }),
      });
    }
  }
}
