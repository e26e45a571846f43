/**
 * The error bodies that vendors publish or send, and what the gateway has to do about each: the code, whether to try again,
 * what goes out of use (the key, the key for this model, nothing), and how long to wait.
 */
import type { Provider } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { groq } from '../../../plugins/providers/groq.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { replicate } from '../../../plugins/providers/replicate.ts';
import { stability } from '../../../plugins/providers/stability.ts';
import { together } from '../../../plugins/providers/together.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { ask, chat } from './attempts.ts';
import { failure } from './exchange.ts';
import { AZURE, GROQ, MISTRAL, OPENAI } from './published-errors/chat.ts';
import { DEEPSEEK, PERPLEXITY, QWEN, TOGETHER, XAI } from './published-errors/chat-more.ts';
import { ANTHROPIC, BEDROCK, GOOGLE } from './published-errors/native.ts';
import { COHERE, REPLICATE, STABILITY } from './published-errors/others.ts';
import { COMPATIBLE, OLLAMA, OPENROUTER } from './published-errors/routers.ts';
import type { Row } from './published-errors/row.ts';

const baseURL = 'http://server.test/v1';
const access = { baseURL, apiKey: 'test-key' };
const compatible = (): Provider => openaiCompatible({ ...access, models: ['m'] });
const azure = (): Provider => azureOpenAI({ ...access, models: ['m'] });
const vertex = (): Provider => googleVertex({ baseURL, project: 'p', accessToken: async () => 'test-token' });
const aws = (): Provider => bedrock({ ...access, region: 'eu-west-1' });

const VENDORS: Readonly<Record<string, readonly [() => Provider, readonly Row[]]>> = {
  OpenAI: [compatible, OPENAI],
  'OpenAI Responses': [() => openaiResponses({ ...access, models: ['m'] }), OPENAI],
  Azure: [azure, AZURE],
  Anthropic: [() => anthropic(access), ANTHROPIC],
  'Google AI': [() => google(access), GOOGLE],
  Vertex: [vertex, GOOGLE],
  Bedrock: [aws, BEDROCK],
  Cohere: [() => cohere(access), COHERE],
  Mistral: [() => mistral(access), MISTRAL],
  Groq: [() => groq(access), GROQ],
  Together: [() => together(access), TOGETHER],
  DeepSeek: [() => deepseek(access), DEEPSEEK],
  xAI: [() => xai(access), XAI],
  Perplexity: [() => perplexity(access), PERPLEXITY],
  OpenRouter: [() => openrouter(access), OPENROUTER],
  Qwen: [() => qwen(access), QWEN],
  Ollama: [() => ollama({ baseURL, models: ['m'] }), OLLAMA],
  'llama.cpp, vLLM and routers': [compatible, COMPATIBLE],
  Replicate: [() => replicate(access), REPLICATE],
  Stability: [() => stability(access), STABILITY],
};

function answering(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  return {
    request: async () => ({ status, headers, body: whole(), bytes: async () => bytes }),
    close: async () => undefined,
  };
}

const draws = (provider: Provider): boolean => provider.models[0]?.operations.includes('chat') === false;

async function check(make: () => Provider, row: Row): Promise<void> {
  const [status, body, [code, retryable, out = 'nothing', waitMs], headers] = row;
  const provider = make();
  const request = draws(provider) ? ({ operation: 'image', prompt: 'A cat' } as const) : chat('Hi');
  const error = await failure(ask(provider, answering(status, body, headers), request));
  const told = { code: error.code, retryable: error.retryable, waitMs: error.retryAfterMs };
  expect(told).toEqual({ code, retryable, waitMs });
  const refused = error.details?.refused === 'model' ? 'model' : 'key';
  expect(error.code === 'invalid-credential' ? refused : 'nothing').toBe(out);
}

for (const [vendor, [make, rows]] of Object.entries(VENDORS)) {
  describe(vendor, () => {
    for (const row of rows) {
      test(`${row[0]} ${JSON.stringify(row[1]).slice(0, 120)} is ${row[2][0]}`, () => check(make, row));
    }
  });
}
