/** What Perplexity does differently, each quirk once. */
import { expect, test } from 'vitest';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta, usage } from './exchange.ts';
import { exchangeWith } from './vendor-exchange.ts';

test('search results are citations', async () => {
  const search_results = [{ title: 'A page', url: 'https://example.com', date: '2026-01-01', snippet: 'It says' }];
  const rest = { usage, citations: ['https://example.com'], search_results };
  const { response } = await exchangeWith(
    perplexity,
    'sonar',
    chat('x'),
    sse([delta({ content: 'Hi [1]' }, 'stop', rest)]),
  );
  expect(response.citations).toEqual([{ title: 'A page', url: 'https://example.com', text: 'It says' }]);
});

test('bare citations are citations too', async () => {
  const answer = sse([delta({ content: 'Hi' }, 'stop', { usage, citations: ['https://example.com/b'] })]);
  const { response } = await exchangeWith(perplexity, 'sonar', chat('x'), answer);
  expect(response.citations).toEqual([{ url: 'https://example.com/b' }]);
});

test('chunks that repeat the whole message are read by their deltas', async () => {
  const whole = (content: string, text: string, finish_reason: string | null) => ({
    choices: [{ index: 0, delta: { content }, message: { role: 'assistant', content: text }, finish_reason }],
  });
  const { response } = await exchangeWith(
    perplexity,
    'sonar',
    chat('x'),
    sse([whole('He', 'He', null), whole('llo', 'Hello', 'stop')]),
  );
  expect(response.content).toMatchObject([{ type: 'text', text: 'Hello' }]);
});

test('a whole answer with an empty delta beside its message is its message', async () => {
  const choice = {
    index: 0,
    delta: { role: 'assistant', content: '' },
    message: { role: 'assistant', content: 'Four' },
  };
  const answer = JSON.stringify({ model: 'sonar', usage, choices: [{ ...choice, finish_reason: 'stop' }] });
  const { response } = await exchangeWith(perplexity, 'sonar', chat('x'), answer);
  expect(response.content).toEqual([{ type: 'text', text: 'Four' }]);
});

test('tools are not sent, and their lack stands on the cards', async () => {
  const tools = [{ name: 'f', inputSchema: { type: 'object' } }];
  const { body, response } = await exchangeWith(perplexity, 'sonar', chat('x', { tools, stop: ['END'] }));
  expect(Object.keys(body)).toEqual(['model', 'messages', 'stream']);
  expect(codes(response)).toEqual(['parameter-dropped', 'parameter-dropped']);
  expect(perplexity().models.some(({ capabilities }) => capabilities.includes('tools'))).toBe(false);
});

test('it has no list of models to probe', () => {
  expect(perplexity().probe).toBeUndefined();
});

test('search options go through the options of the provider', async () => {
  const options = { search_domain_filter: ['example.com'], web_search_options: { search_context_size: 'low' } };
  const { body } = await exchangeWith(perplexity, 'sonar', chat('x', { providerOptions: { perplexity: options } }));
  expect(body).toMatchObject(options);
});
