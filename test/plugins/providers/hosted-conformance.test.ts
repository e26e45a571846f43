/** The suite of every provider, held by those with wires of their own and by the bridge to LangChain. */
import { FakeListChatModel } from '@langchain/core/utils/testing';
import type { ModelRequest, Provider } from 'polyphony';
import { testProvider } from 'polyphony/testing';
import { describe, test } from 'vitest';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { fal } from '../../../plugins/providers/fal.ts';
import { langchain } from '../../../plugins/providers/langchain.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { replicate } from '../../../plugins/providers/replicate.ts';
import { stability } from '../../../plugins/providers/stability.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { loopback } from '../../kit/loopback.ts';
import { HELLO } from './bedrock-answers.ts';
import { namedEvents } from './native-exchange.ts';

const secret = 'a-secret-key-of-ours';
const picture: ModelRequest = { operation: 'image', prompt: 'A cat' };

const commands = namedEvents([
  { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hi' } } } },
  {
    type: 'message-end',
    delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 1, output_tokens: 1 } } },
  },
]);
const own = `${JSON.stringify({ message: { content: 'Hi' }, done: true, done_reason: 'stop', prompt_eval_count: 1, eval_count: 1 })}\n`;
const prediction = JSON.stringify({ id: 'p', status: 'succeeded', output: ['https://a.example/1.png'] });

interface Case {
  readonly name: string;
  readonly answer: string | Buffer;
  readonly make: (baseURL: string) => Provider;
  readonly request?: ModelRequest;
  readonly rateLimitHeaders?: Readonly<Record<string, string>>;
}

const LIMITS = {
  'x-ratelimit-limit-requests': '9',
  'x-ratelimit-remaining-requests': '8',
  'x-ratelimit-reset-requests': '6s',
};

const CASES: readonly Case[] = [
  {
    name: 'cohere',
    answer: commands,
    make: (baseURL) => cohere({ baseURL, apiKey: secret }),
    rateLimitHeaders: LIMITS,
  },
  {
    name: 'bedrock, by token',
    answer: HELLO,
    make: (baseURL) => bedrock({ baseURL, apiKey: secret, region: 'eu-west-1' }),
  },
  {
    name: 'bedrock, signed',
    answer: HELLO,
    make: (baseURL) =>
      bedrock({ baseURL, region: 'eu-west-1', credentials: { accessKeyId: 'AK', secretAccessKey: secret } }),
  },
  { name: 'ollama', answer: own, make: (baseURL) => ollama({ baseURL, apiKey: secret }), rateLimitHeaders: LIMITS },
  {
    name: 'stability',
    answer: '{"image":"AAAA","finish_reason":"SUCCESS"}',
    make: (baseURL) => stability({ baseURL, apiKey: secret }),
    request: picture,
    rateLimitHeaders: LIMITS,
  },
  {
    name: 'replicate',
    answer: prediction,
    make: (baseURL) => replicate({ baseURL, apiKey: secret }),
    request: picture,
    rateLimitHeaders: LIMITS,
  },
  {
    name: 'fal',
    answer: '{"images":[{"url":"data:image/png;base64,AAAA"}]}',
    make: (baseURL) => fal({ baseURL, apiKey: secret }),
    request: picture,
    rateLimitHeaders: LIMITS,
  },
  {
    name: 'langchain',
    answer: '',
    make: () => langchain(new FakeListChatModel({ responses: ['Hello', 'Hello', 'Hello'] })),
  },
];

describe.each(CASES)('$name', ({ answer, make, request, rateLimitHeaders }) => {
  testProvider({
    test,
    async make() {
      const transport = createTransport();
      const server = await loopback((_received, response) => void response.end(answer));
      return {
        provider: make(server.url),
        transport,
        secrets: [secret],
        close: () => transport.close(),
        ...(request === undefined ? {} : { request }),
        ...(rateLimitHeaders === undefined ? {} : { rateLimitHeaders }),
      };
    },
  });
});
