/** The service tier that each wire says it served, and the kinds of tokens that are priced apart. */
import { describe, expect, test } from 'vitest';
import { openai } from '../../../plugins/providers/openai.ts';
import { sse } from '../../kit/loopback.ts';
import { answered as claude, ending, start, stop, text } from './anthropic-answers.ts';
import { chat } from './attempts.ts';
import {
  answered as converse,
  event,
  HELLO,
  ending as messageStop,
  delta as piece,
  stopped,
} from './bedrock-answers.ts';
import { delta, usage } from './exchange.ts';
import { chunk, answered as gemini, USAGE } from './google-answers.ts';
import { events, namedEvents, send } from './native-exchange.ts';
import { exchange, saying, stream } from './responses-exchange.ts';

const completions = (answer: string, request = chat('Hi')) =>
  send((baseURL) => openai({ baseURL, apiKey: 'k' }), answer, request, { model: 'gpt-5.5' });

describe('the tier served', () => {
  test('chat completions: the last one told', async () => {
    const answer = sse([
      { ...(delta({ content: 'Hi' }) as object), service_tier: 'auto' },
      { ...(delta({}, 'stop', { usage }) as object), service_tier: 'default' },
    ]);
    expect((await completions(answer)).response.serviceTier).toBe('default');
    expect((await completions(sse([delta({ content: 'Hi' }, 'stop')]))).response.serviceTier).toBeUndefined();
  });

  test('responses: that of the end, not that of the beginning', async () => {
    const end = { status: 'completed', output: [], service_tier: 'flex' };
    expect((await exchange(stream(saying('Hi'), end))).response.serviceTier).toBe('flex');
  });

  test('messages: within the usage', async () => {
    const beginning = start({ input_tokens: 10, output_tokens: 1, service_tier: 'standard' });
    const answer = namedEvents([beginning, ...text(0, 'Hi'), ending('end_turn'), stop]);
    expect((await claude(answer)).response.serviceTier).toBe('standard');
  });

  test.each([
    [{ serviceTier: 'FLEX' }, 'flex'],
    [{ trafficType: 'ON_DEMAND_PRIORITY' }, 'priority'],
    [{ trafficType: 'PROVISIONED_THROUGHPUT' }, 'provisioned_throughput'],
    [{ trafficType: 'ON_DEMAND' }, undefined],
    [{}, undefined],
  ])('generateContent: %j', async (told, tier) => {
    const answer = events([chunk([{ text: 'Hi' }], 'STOP', { usageMetadata: { ...USAGE, ...told } })]);
    expect((await gemini(answer)).response.serviceTier).toBe(tier);
  });

  test('converse: beside the usage', async () => {
    const told = event('metadata', { usage: { inputTokens: 1, outputTokens: 1 }, serviceTier: { type: 'flex' } });
    const answer = Buffer.concat([piece(0, { text: 'Hi' }), stopped(0), messageStop('end_turn'), told]);
    expect((await converse(answer)).response.serviceTier).toBe('flex');
    expect((await converse(HELLO)).response.serviceTier).toBeUndefined();
  });
});

describe('tokens of sound and pictures', () => {
  test('chat completions', async () => {
    const told = {
      prompt_tokens: 100,
      completion_tokens: 50,
      prompt_tokens_details: { audio_tokens: 40, image_tokens: 30, cached_tokens_details: { audio_tokens: 10 } },
      completion_tokens_details: { audio_tokens: 20, image_tokens: 5 },
    };
    const { response } = await completions(sse([delta({ content: 'Hi' }, 'stop', { usage: told })]));
    const counts = { audioInput: 40, audioCacheRead: 10, audioOutput: 20, imageInput: 30, imageOutput: 5 };
    expect(response.usage).toEqual({ input: 100, output: 50, ...counts });
  });

  test('generateContent', async () => {
    const by = (counts: Record<string, number>) =>
      Object.entries(counts).map(([modality, tokenCount]) => ({ modality, tokenCount }));
    const told = {
      ...{ promptTokenCount: 100, candidatesTokenCount: 50, cachedContentTokenCount: 20 },
      promptTokensDetails: by({ TEXT: 30, AUDIO: 40, IMAGE: 30 }),
      cacheTokensDetails: by({ AUDIO: 20 }),
      candidatesTokensDetails: by({ TEXT: 25, AUDIO: 20, IMAGE: 5 }),
    };
    const { response } = await gemini(events([chunk([{ text: 'Hi' }], 'STOP', { usageMetadata: told })]));
    const counts = { audioInput: 40, audioCacheRead: 20, audioOutput: 20, imageInput: 30, imageOutput: 5 };
    expect(response.usage).toEqual({ input: 100, output: 50, cacheRead: 20, ...counts });
  });
});
