/** Which of our providers answers for which protocol of the recordings: one line each. */
import type { ModelRequest, Provider } from 'polyphony';
import { modelCard } from 'polyphony/kit';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { bedrock } from '../../plugins/providers/bedrock.ts';
import { cohere } from '../../plugins/providers/cohere.ts';
import { google } from '../../plugins/providers/google.ts';
import { ollama } from '../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../plugins/providers/openai-responses.ts';

export interface Adapter {
  readonly request: ModelRequest;
  readonly provider: (baseURL: string) => Provider | Promise<Provider>;
}

export const MODEL = 'recorded';
const OPERATIONS = ['chat', 'embed', 'image', 'moderate', 'rerank'] as const;
export const RECORDED_MODEL = modelCard({ id: MODEL, operations: OPERATIONS });

const chat: ModelRequest = { operation: 'chat', messages: [{ role: 'user', content: 'Hello' }] };
const embed: ModelRequest = { operation: 'embed', input: ['Hello'] };
const image: ModelRequest = { operation: 'image', prompt: 'A hello' };
const moderate: ModelRequest = { operation: 'moderate', input: [{ type: 'text', text: 'Hello' }] };
const rerank: ModelRequest = { operation: 'rerank', query: 'Hello', documents: ['Hello'] };

const compatible = (baseURL: string): Provider => openaiCompatible({ baseURL, models: [RECORDED_MODEL] });

const gemini = (baseURL: string): Provider => google({ baseURL, apiKey: 'recorded', models: [RECORDED_MODEL] });

const commands = (baseURL: string): Provider => cohere({ baseURL, apiKey: 'recorded', models: [RECORDED_MODEL] });
const converse = (baseURL: string): Provider =>
  bedrock({ baseURL, apiKey: 'recorded', region: 'recorded', models: [RECORDED_MODEL] });
const own = (baseURL: string): Provider => ollama({ baseURL, models: [RECORDED_MODEL] });

export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  'openai-chat': { request: chat, provider: compatible },
  'openai-responses': {
    request: chat,
    provider: (baseURL) => openaiResponses({ baseURL, apiKey: 'recorded', models: [RECORDED_MODEL] }),
  },
  embeddings: { request: embed, provider: compatible },
  'anthropic-messages': {
    request: chat,
    provider: (baseURL) => anthropic({ baseURL, apiKey: 'recorded', models: [RECORDED_MODEL] }),
  },
  'embeddings-gemini': { request: embed, provider: gemini },
  gemini: { request: chat, provider: gemini },
  images: { request: image, provider: compatible },
  'bedrock-converse': { request: chat, provider: converse },
  'cohere-chat-v2': { request: chat, provider: commands },
  'embeddings-cohere': { request: embed, provider: commands },
  rerank: { request: rerank, provider: commands },
  'ollama-chat': { request: chat, provider: own },
  'embeddings-ollama': { request: embed, provider: own },
  moderations: { request: moderate, provider: compatible },
};
