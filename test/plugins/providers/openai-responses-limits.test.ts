/** What is sent over the Responses wire, and what is not. */
import { beforeEach, describe, expect, test } from 'vitest';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { exchange, saying, stream } from './responses-exchange.ts';

const answer = stream(saying('Hi'));

describe('what the wire or a model does not take', () => {
  test('is left out or changed, and said', async () => {
    const request = chat([{ role: 'user', content: 'x', name: 'ann' }], {
      topK: 5,
      stop: ['END'],
      seed: 1,
      temperature: 0.3,
      maxOutputTokens: 9,
      reasoning: { effort: 'minimal', budgetTokens: 100 },
    });
    const { body, response } = await exchange(answer, request);
    expect(body).toEqual({
      model: 'gpt-6-sol',
      input: [{ role: 'user', content: 'x' }],
      max_output_tokens: 16,
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
    });
    expect(codes(response).toSorted()).toEqual(
      ['effort-changed', ...Array(6).fill('parameter-dropped'), 'parameter-changed'].toSorted(),
    );
  });

  test('sampling is sent where the model is told not to reason', async () => {
    const { body, response } = await exchange(answer, chat('x', { temperature: 0.3, reasoning: { effort: 'none' } }));
    expect(body).toMatchObject({ temperature: 0.3, reasoning: { effort: 'none' } });
    expect(codes(response)).toEqual([]);
  });

  test('audio is refused before anything is sent', async () => {
    const source = { type: 'base64', mediaType: 'audio/wav', data: 'aGk=' } as const;
    const work = exchange(answer, chat([{ role: 'user', content: [{ type: 'audio', source }] }]));
    expect(await failure(work)).toMatchObject({ code: 'unsupported' });
  });

  test('bare JSON is asked for in words where no message does', async () => {
    const { body } = await exchange(answer, chat('x', { output: { type: 'json' } }));
    expect(body.text).toEqual({ format: { type: 'json_object' } });
    expect(body.input).toEqual([
      { role: 'developer', content: 'Answer in JSON.' },
      { role: 'user', content: 'x' },
    ]);
  });

  test('a schema that is advice is not made strict', async () => {
    const output = { type: 'json', schema: { type: 'object' }, strict: false } as const;
    const { body } = await exchange(answer, chat('x', { output }));
    expect(body.text).toMatchObject({ format: { schema: { type: 'object' }, strict: false } });
  });
});

describe('reasoning goes back', () => {
  const item = { type: 'reasoning', id: 'rs_1', summary: [] };
  const thought = (raw: object, family = 'openai-responses') =>
    chat([
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: '', signature: 's', family, raw: raw as never },
          { type: 'text', text: 'y' },
        ],
      },
      { role: 'user', content: 'z' },
    ]);

  test('encrypted, to the provider that made it alone', async () => {
    const encrypted = { ...item, encrypted_content: 'secret' };
    expect((await exchange(answer, thought(encrypted))).body.input).toContainEqual(encrypted);
    const foreign = await exchange(answer, thought(encrypted, 'xai'));
    expect(foreign.body.input).not.toContainEqual(encrypted);
    expect(codes(foreign.response)).toEqual(['reasoning-dropped']);
  });

  test('by its id alone only where the provider stores responses', async () => {
    expect((await exchange(answer, thought(item))).body.input).not.toContainEqual(item);
    const request = { ...thought(item), providerOptions: { 'openai-responses': { store: true } } };
    const { body } = await exchange(answer, request);
    expect(body.input).toContainEqual(item);
    expect(body.store).toBe(true);
  });
});

describe('which wire', () => {
  let server: Loopback;
  beforeEach(async () => {
    server = await loopback((_, response) => void response.end(answer));
  });
  const paths = async (provider: ReturnType<typeof openai>, model: string): Promise<string | undefined> => {
    await ask(provider, transport, chat('x'), { target: { model } }).catch(() => undefined);
    return server.received.at(-1)?.path;
  };

  test('is chosen by the factory, and by the card of a model that needs it', async () => {
    const options = { apiKey: 'k', baseURL: server.url };
    expect(await paths(openai(options), 'gpt-6-sol')).toBe('/chat/completions');
    expect(await paths(openai({ ...options, api: 'responses' }), 'gpt-6-sol')).toBe('/responses');
    expect(await paths(openai(options), 'gpt-6-astra')).toBe('/responses');
  });

  test('is the other one for everything but chat', async () => {
    const provider = openaiResponses({ apiKey: 'k', baseURL: server.url });
    const target = { model: 'text-embedding-3-small' };
    await ask(provider, transport, { operation: 'embed', input: ['a'] }, { target }).catch(() => undefined);
    expect(server.received[0]?.path).toBe('/embeddings');
  });
});
