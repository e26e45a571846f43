/** What Qwen's compatible mode does differently, each quirk once. */
import { providerContext } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta, transport } from './exchange.ts';
import { exchangeWith } from './vendor-exchange.ts';

const PLUS = 'qwen3.5-plus';

describe('thinking', () => {
  test('is switched, with a budget where one is asked for', async () => {
    const request = chat('x', { reasoning: { effort: 'high', budgetTokens: 500 } });
    expect((await exchangeWith(qwen, PLUS, request)).body).toMatchObject({
      enable_thinking: true,
      thinking_budget: 500,
    });
    const off = await exchangeWith(qwen, PLUS, chat('x', { reasoning: { effort: 'none' } }));
    expect(off.body.enable_thinking).toBe(false);
    expect((await exchangeWith(qwen, PLUS)).body).not.toHaveProperty('enable_thinking');
  });

  test('ends where the answer keeps to a format', async () => {
    const output = { type: 'json' } as const;
    const { body, response } = await exchangeWith(qwen, PLUS, chat('JSON?', { output, reasoning: { effort: 'high' } }));
    expect(body).toMatchObject({ enable_thinking: false, response_format: { type: 'json_object' } });
    expect(codes(response)).toEqual(['effort-changed']);
    const silent = await exchangeWith(qwen, PLUS, chat('JSON?', { output }));
    expect(silent.body.enable_thinking).toBe(false);
    expect(codes(silent.response)).toEqual([]);
  });

  test('is read apart from the text', async () => {
    const answer = sse([delta({ reasoning_content: 'Hm' }), delta({ content: 'Hi', reasoning_content: null }, 'stop')]);
    const { response } = await exchangeWith(qwen, PLUS, chat('x'), answer);
    expect(response.content).toMatchObject([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: 'Hi' },
    ]);
  });
});

test('a beginning of the answer is marked as partial', async () => {
  const request = chat([
    { role: 'user', content: 'A poem' },
    { role: 'assistant', content: 'Roses' },
  ]);
  const { body } = await exchangeWith(qwen, PLUS, request);
  expect(body.messages).toContainEqual({ role: 'assistant', content: 'Roses', partial: true });
});

test.each([
  ['ap-southeast-1', 'https://dashscope-intl.aliyuncs.com'],
  ['us-east-1', 'https://dashscope-us.aliyuncs.com'],
  ['cn-beijing', 'https://dashscope.aliyuncs.com'],
] as const)('the region %s is asked at %s', async (region, host) => {
  const urls: string[] = [];
  const watched = {
    ...transport,
    request: async (request: Parameters<typeof transport.request>[0]) => {
      urls.push(request.url);
      throw new Error('not sent');
    },
  };
  const provider = qwen({ apiKey: 'k', region });
  await provider.probe?.(providerContext(watched), new AbortController().signal).catch(() => undefined);
  expect(urls).toEqual([`${host}/compatible-mode/v1/models`]);
  expect(provider.regions).toEqual([region]);
});

test('an unknown region is refused with the known ones', () => {
  expect(() => qwen({ region: 'mars' as 'us-east-1' })).toThrow(/no region "mars".*us-east-1/);
});
