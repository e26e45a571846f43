/** What OpenRouter does differently, each quirk once. */
import { textOf } from 'polyphony/kit';
import { expect, test } from 'vitest';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { delta, failure } from './exchange.ts';
import { called, exchangeWith } from './vendor-exchange.ts';

const OPUS = 'anthropic/claude-opus-5.5';

test('reasoning is an object, by effort or by budget', async () => {
  const effort = await exchangeWith(openrouter, OPUS, chat('x', { reasoning: { effort: 'low' } }));
  expect(effort.body.reasoning).toEqual({ effort: 'low' });
  const budget = await exchangeWith(openrouter, OPUS, chat('x', { reasoning: { budgetTokens: 500 } }));
  expect(budget.body.reasoning).toEqual({ max_tokens: 500 });
  const off = await exchangeWith(openrouter, OPUS, chat('x', { reasoning: { effort: 'none' } }));
  expect(off.body.reasoning).toEqual({ enabled: false });
});

test('details of reasoning are joined, said once, and go back unchanged', async () => {
  const detail = (fields: object) => ({ type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0, ...fields });
  const answer = sse([
    delta({ reasoning: 'I need ', reasoning_details: [detail({ text: 'I need ' })] }),
    delta({ reasoning: 'it.', reasoning_details: [detail({ text: 'it.', signature: null })] }),
    delta({ reasoning_details: [detail({ signature: 'sig' })] }),
    delta({ tool_calls: [{ index: 0, id: 'c1', function: { name: 'weather', arguments: '{}' } }] }, 'tool_calls'),
  ]);
  const { response } = await exchangeWith(openrouter, OPUS, chat('x'), answer);
  const [reasoning] = response.content;
  expect(reasoning).toMatchObject({ type: 'reasoning', text: 'I need it.', signature: 'sig' });
  const { body } = await exchangeWith(openrouter, OPUS, called('c1', reasoning === undefined ? [] : [reasoning]));
  expect(body.messages).toMatchObject([
    {},
    { reasoning: 'I need it.', reasoning_details: [detail({ text: 'I need it.', signature: 'sig' })] },
    {},
  ]);
});

test('cache marks go along, and cache writes are counted', async () => {
  const usage = {
    prompt_tokens: 100,
    completion_tokens: 5,
    cost: 0.01,
    prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 60 },
  };
  const request = chat([{ role: 'user', content: [{ type: 'text', text: 'Long', cache: 'short' }] }]);
  const { body, response } = await exchangeWith(
    openrouter,
    OPUS,
    request,
    sse([delta({ content: 'Hi' }, 'stop', { usage })]),
  );
  expect(body.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Long', cache_control: { type: 'ephemeral' } }] },
  ]);
  expect(response.usage).toMatchObject({ input: 100, cacheRead: 20, cacheWrite: 60 });
  expect(body).not.toHaveProperty('stream_options');
});

test('its routing goes through the options of the provider', async () => {
  const provider = { order: ['anthropic'], allow_fallbacks: false };
  const { body } = await exchangeWith(openrouter, OPUS, chat('x', { providerOptions: { openrouter: { provider } } }));
  expect(body.provider).toEqual(provider);
});

test('comment lines and a second finish reason are no matter', async () => {
  const answer = `: OPENROUTER PROCESSING\n\n${sse([delta({ content: 'Hi' }, 'stop'), delta({ content: '' }, 'stop')])}`;
  expect(textOf((await exchangeWith(openrouter, OPUS, chat('x'), answer)).response)).toBe('Hi');
});

test('an error beside choices is thrown', async () => {
  const error = { code: 502, message: 'Provider disconnected', metadata: { provider_name: 'A' } };
  const answer = sse([delta({ content: 'Hi' }), delta({ content: '' }, 'error', { error })]);
  expect(await failure(exchangeWith(openrouter, OPUS, chat('x'), answer))).toMatchObject({ code: 'overloaded' });
});
