/** What DeepSeek does differently, each quirk once. */
import { describe, expect, test } from 'vitest';
import { deepseek } from '../../../plugins/providers/deepseek.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta } from './exchange.ts';
import { called, exchangeWith } from './vendor-exchange.ts';

const FLASH = 'deepseek-flash';

describe('reasoning', () => {
  test('is switched and sized by two fields', async () => {
    const high = await exchangeWith(deepseek, FLASH, chat('x', { reasoning: { effort: 'medium' } }));
    expect(high.body).toMatchObject({ thinking: { type: 'enabled' }, reasoning_effort: 'high' });
    const none = await exchangeWith(deepseek, FLASH, chat('x', { reasoning: { effort: 'none' } }));
    expect(none.body).toMatchObject({ thinking: { type: 'disabled' } });
    expect(none.body).not.toHaveProperty('reasoning_effort');
  });

  test('goes back with the calls that it led to', async () => {
    const answer = sse([
      delta({ reasoning_content: 'I need the weather.' }),
      delta({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'weather', arguments: '{}' } }] }, 'tool_calls'),
    ]);
    const { response } = await exchangeWith(deepseek, FLASH, chat('x'), answer);
    const [reasoning] = response.content;
    expect(reasoning).toMatchObject({ type: 'reasoning', text: 'I need the weather.' });
    const { body } = await exchangeWith(deepseek, FLASH, called('c1', reasoning === undefined ? [] : [reasoning]));
    expect(body.messages).toMatchObject([{}, { reasoning_content: 'I need the weather.' }, {}]);
  });

  test('is told as empty for calls that had none, or were another provider’s', async () => {
    const { body } = await exchangeWith(deepseek, FLASH, called());
    expect(body.messages).toMatchObject([{}, { reasoning_content: '' }, {}]);
  });

  test('makes sampling useless, which is said', async () => {
    const thinks = await exchangeWith(deepseek, FLASH, chat('x', { temperature: 0.1 }));
    expect(thinks.body).not.toHaveProperty('temperature');
    expect(codes(thinks.response)).toEqual(['parameter-dropped']);
    const quiet = await exchangeWith(deepseek, FLASH, chat('x', { temperature: 0.1, reasoning: { effort: 'none' } }));
    expect(quiet.body.temperature).toBe(0.1);
  });
});

test('JSON is asked for in words where no message does', async () => {
  const output = { type: 'json' } as const;
  const { body } = await exchangeWith(deepseek, FLASH, chat('x', { output }));
  expect(body.response_format).toEqual({ type: 'json_object' });
  expect(body.messages).toEqual([
    { role: 'system', content: 'Answer in JSON.' },
    { role: 'user', content: 'x' },
  ]);
  const told = await exchangeWith(deepseek, FLASH, chat('Answer in JSON', { output }));
  expect(told.body.messages).toHaveLength(1);
});

test('cache hits are part of the input', async () => {
  const usage = { prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 64, prompt_cache_miss_tokens: 36 };
  const { response } = await exchangeWith(
    deepseek,
    FLASH,
    chat('x'),
    sse([delta({ content: 'Hi' }, 'stop', { usage })]),
  );
  expect(response.usage).toMatchObject({ input: 100, cacheRead: 64, output: 5 });
});

test('the former name means the same card', () => {
  expect(deepseek().models.find(({ aliases }) => aliases?.includes('deepseek-v4-flash'))?.id).toBe(FLASH);
});
