/** What Mistral does differently, each quirk once. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta, usage } from './exchange.ts';
import { called, exchangeWith, json } from './vendor-exchange.ts';

const MEDIUM = 'mistral-medium-3-5';

describe('requests', () => {
  test('use its names, and leave out what it refuses', async () => {
    const request = chat('x', {
      maxOutputTokens: 9,
      seed: 7,
      user: 'u',
      topK: 3,
      tools: [{ name: 'weather', inputSchema: { type: 'object' } }],
      toolChoice: 'required',
      providerOptions: { mistral: { safe_prompt: true } },
    });
    const { body, path, headers, response } = await exchangeWith(mistral, MEDIUM, request);
    expect(path).toBe('/chat/completions');
    expect(headers.authorization).toBe('Bearer test-key');
    expect(body).toEqual({
      model: MEDIUM,
      messages: [{ role: 'user', content: 'x' }],
      max_tokens: 9,
      random_seed: 7,
      tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }],
      tool_choice: 'any',
      stream: true,
      safe_prompt: true,
    });
    expect(codes(response)).toEqual(['parameter-dropped', 'parameter-dropped']);
  });

  test('give calls of other providers ids of nine letters and digits, the same to call and result', async () => {
    const { body } = await exchangeWith(mistral, MEDIUM, called());
    const [user, assistant, tool] = body.messages as [
      object,
      { tool_calls: { id: string }[] },
      { tool_call_id: string },
    ];
    expect(assistant.tool_calls[0]?.id).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(tool.tool_call_id).toBe(assistant.tool_calls[0]?.id);
    expect(user).toEqual({ role: 'user', content: 'Weather?' });
    const own = await exchangeWith(mistral, MEDIUM, called('AbCdEf123'));
    expect(json(own.body)).toContain('"tool_call_id":"AbCdEf123"');
  });

  test('mark a beginning of the answer as a prefix', async () => {
    const request = chat([
      { role: 'user', content: 'A poem' },
      { role: 'assistant', content: 'Roses' },
    ]);
    const { body } = await exchangeWith(mistral, MEDIUM, request);
    expect(body.messages).toContainEqual({ role: 'assistant', content: 'Roses', prefix: true });
  });

  test('send documents by address', async () => {
    const source = { type: 'url', url: 'https://example.com/a.pdf' } as const;
    const { body } = await exchangeWith(mistral, MEDIUM, chat([{ role: 'user', content: [{ type: 'file', source }] }]));
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'document_url', document_url: 'https://example.com/a.pdf' }] },
    ]);
  });

  test('know two efforts, where they know any', async () => {
    const request = chat('x', { reasoning: { effort: 'minimal' } });
    expect((await exchangeWith(mistral, MEDIUM, request)).body.reasoning_effort).toBe('none');
    const strong = chat('x', { reasoning: { effort: 'low' } });
    expect((await exchangeWith(mistral, MEDIUM, strong)).body.reasoning_effort).toBe('high');
    expect((await exchangeWith(mistral, 'codestral-2508', request)).body).not.toHaveProperty('reasoning_effort');
  });
});

test('thinking chunks are reasoning, and go back as they came', async () => {
  const thinking = (text: string) => ({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] });
  const answer = sse([
    delta(thinking('Let me ')),
    delta(thinking('think.')),
    delta({ content: [{ type: 'text', text: 'Four' }] }),
    delta({ content: '.' }, 'stop', { usage }),
  ]);
  const { response } = await exchangeWith(mistral, MEDIUM, chat('x'), answer);
  expect(textOf(response)).toBe('Four.');
  expect(response.content[0]).toMatchObject({ type: 'reasoning', text: 'Let me think.', family: 'mistral' });
  const next = await exchangeWith(
    mistral,
    MEDIUM,
    chat([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: response.content },
      { role: 'user', content: 'y' },
    ]),
  );
  expect(next.body.messages).toContainEqual({
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Let me think.' }] },
      { type: 'text', text: 'Four.' },
    ],
  });
});

test('moderation without a verdict is judged by its categories', async () => {
  const results = [{ categories: { pii: true, law: false }, category_scores: { pii: 0.9, law: 0.1 } }];
  const request = { operation: 'moderate', input: [{ type: 'text', text: 'x' }] } as const;
  const answer = json({ id: 'm', model: 'mistral-moderation-latest', results });
  const { path, response } = await exchangeWith(mistral, 'mistral-moderation-latest', request, answer);
  expect(path).toBe('/moderations');
  expect(response.output).toMatchObject({ results: [{ flagged: true, categories: { pii: true, law: false } }] });
});

test('embeddings', async () => {
  const answer = json({ data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 3, total_tokens: 3 } });
  const request = { operation: 'embed', input: ['a'], dimensions: 2 } as const;
  const { path, body, response } = await exchangeWith(mistral, 'mistral-embed', request, answer);
  expect([path, body]).toEqual(['/embeddings', { model: 'mistral-embed', input: ['a'], encoding_format: 'float' }]);
  expect(response).toMatchObject({ output: { vectors: [[1, 2]] }, usage: { input: 3 } });
  expect(codes(response)).toEqual(['parameter-dropped']);
});
