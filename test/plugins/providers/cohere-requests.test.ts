/** Requests of Cohere's wire, and its operations other than chat. */
import type { ModelRequest } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { answered, sentFor, weather } from './cohere-answers.ts';
import { codes, failure } from './exchange.ts';

describe('requests', () => {
  test('a conversation with tools goes back as it came', async () => {
    const { body, headers, path } = await sentFor(
      chat(
        [
          { role: 'system', content: 'Be brief.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image', source: { type: 'base64', data: 'AA==', mediaType: 'image/png' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'reasoning', text: '', family: 'cohere', raw: { tool_plan: 'Plan.' } },
              { type: 'reasoning', text: 'elsewhere', family: 'other', signature: 's' },
              { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' } },
            ],
          },
          { role: 'tool', content: [{ type: 'tool-result', id: 'a', content: 'broken', isError: true }] },
        ],
        { tools: [{ ...weather, strict: true }], toolChoice: { name: 'weather' } },
      ),
    );
    expect(path).toBe('/chat');
    expect(headers.authorization).toBe('Bearer test-key');
    expect(body).toEqual({
      model: 'command-a-03-2025',
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
          ],
        },
        {
          role: 'assistant',
          tool_plan: 'Plan.',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'Error: broken' },
      ],
      tools: [{ type: 'function', function: { name: 'weather', parameters: weather.inputSchema } }],
      tool_choice: 'REQUIRED',
      strict_tools: true,
      stream: true,
    });
  });

  test('a schema is sent as such, beside tools in words', async () => {
    const schema = { type: 'object', properties: { b: { type: 'string' }, a: { type: 'string' } }, required: ['b'] };
    const alone = await sentFor(chat('Hi', { output: { type: 'json', schema } }));
    expect(JSON.stringify(alone.body.response_format)).toBe(
      JSON.stringify({ type: 'json_object', json_schema: schema }),
    );
    const beside = await sentFor(chat('Hi', { output: { type: 'json', schema }, tools: [weather] }));
    expect(beside.body.response_format).toBeUndefined();
    expect(JSON.stringify(beside.body.messages)).toContain('JSON Schema');
    expect(codes(beside.response)).toContain('schema-in-prompt');
  });

  test('sampling is renamed and kept in range, with a warning', async () => {
    const { body, response } = await sentFor(
      chat('Hi', {
        temperature: 1.5,
        topP: 1,
        topK: 7,
        maxOutputTokens: 9,
        stop: ['x'],
        seed: 1,
        logprobs: true,
        frequencyPenalty: -1,
      }),
    );
    expect(body).toMatchObject({
      temperature: 1,
      p: 0.99,
      k: 7,
      max_tokens: 9,
      stop_sequences: ['x'],
      seed: 1,
      frequency_penalty: 0,
    });
    expect(codes(response).filter((code) => code === 'parameter-changed')).toHaveLength(3);
    expect(codes(response)).toContain('parameter-dropped');
  });

  test('reasoning is switched by models that reason, and left out for others', async () => {
    const reasons = 'command-a-reasoning-08-2025';
    const on = await sentFor(chat('Hi', { reasoning: { budgetTokens: 500 } }), reasons);
    expect(on.body.thinking).toEqual({ type: 'enabled', token_budget: 500 });
    const off = await sentFor(chat('Hi', { reasoning: { effort: 'none' } }), reasons);
    expect(off.body.thinking).toEqual({ type: 'disabled' });
    const other = await sentFor(chat('Hi', { reasoning: { effort: 'high' } }));
    expect(other.body.thinking).toBeUndefined();
    expect(codes(other.response)).toContain('parameter-dropped');
  });

  test('documents go through providerOptions', async () => {
    const documents = [{ id: 'd1', data: { text: 'x' } }];
    const { body } = await sentFor(chat('Hi', { providerOptions: { cohere: { documents } } }));
    expect(body.documents).toEqual(documents);
  });

  test('what the wire cannot carry is refused before anything is sent', async () => {
    const file = { type: 'file', source: { type: 'base64', data: 'AA==', mediaType: 'application/pdf' } } as const;
    expect(await failure(sentFor(chat([{ role: 'user', content: [file] }])))).toMatchObject({ code: 'unsupported' });
  });
});

describe('other operations', () => {
  test('embeddings, of this version and the one before', async () => {
    const request: ModelRequest = { operation: 'embed', input: ['a', 'b'], purpose: 'query', dimensions: 256 };
    const { body, path, response } = await answered(
      JSON.stringify({
        embeddings: {
          float: [
            [1, 2],
            [3, 4],
          ],
        },
        meta: { billed_units: { input_tokens: 6 } },
      }),
      request,
      'embed-v4.0',
    );
    expect(path).toBe('/embed');
    expect(body).toMatchObject({
      texts: ['a', 'b'],
      input_type: 'search_query',
      embedding_types: ['float'],
      output_dimension: 256,
    });
    expect(response.output).toEqual({
      operation: 'embed',
      vectors: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(response.usage.input).toBe(6);
    const before = await answered(JSON.stringify({ embeddings: [[1]] }), request, 'embed-v4.0');
    expect(before.response.output).toEqual({ operation: 'embed', vectors: [[1]] });
    expect(codes(before.response)).toContain('usage-missing');
  });

  test('reranking, with a warning where more than one search was billed', async () => {
    const { body, path, response } = await answered(
      JSON.stringify({
        results: [
          { index: 1, relevance_score: 0.9 },
          { index: 0, relevance_score: 0.1 },
        ],
        meta: { billed_units: { search_units: 2 } },
      }),
      { operation: 'rerank', query: 'q', documents: ['a', 'b'], top: 2 },
      'rerank-v3.5',
    );
    expect([path, body]).toEqual(['/rerank', { model: 'rerank-v3.5', query: 'q', documents: ['a', 'b'], top_n: 2 }]);
    expect(response.output).toEqual({
      operation: 'rerank',
      results: [
        { index: 1, score: 0.9 },
        { index: 0, score: 0.1 },
      ],
    });
    // The price of the request covers the first of the two units.
    expect(response.usage).toEqual({ input: 0, output: 0, searches: 1 });
    expect(codes(response)).toEqual([]);
  });
});
