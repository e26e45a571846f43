/** Ollama: what is sent, and each trap of what comes back. */
import type { ModelRequest } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { type Answer, type Json, type Sent, send } from './native-exchange.ts';

afterEach(() => vi.unstubAllEnvs());

const lines = (documents: readonly Json[]): string =>
  documents.map((document) => `${JSON.stringify(document)}\n`).join('');
const said = (message: Json): Json => ({ model: 'm', message: { role: 'assistant', ...message }, done: false });
const done = (done_reason = 'stop', rest: Json = {}): Json => ({
  ...said({ content: '' }),
  done: true,
  done_reason,
  prompt_eval_count: 10,
  eval_count: 5,
  ...rest,
});
const HELLO = lines([said({ content: 'Hel' }), said({ content: 'lo' }), done()]);

const answered = (answer: string | Answer, request?: ModelRequest): Promise<Sent> =>
  send((baseURL) => ollama({ baseURL }), answer, request, { model: 'm' });
const sentFor = (request: ModelRequest): Promise<Sent> => answered(HELLO, request);
const tool = { name: 'f', inputSchema: { type: 'object', properties: { x: { type: 'number' } } } };

describe('streams', () => {
  test('text, thinking and usage', async () => {
    const { response } = await answered(
      lines([said({ content: '', thinking: 'Hm' }), said({ content: 'Hi' }), done('length')]),
    );
    expect(response.content).toEqual([
      { type: 'reasoning', text: 'Hm', family: 'ollama' },
      { type: 'text', text: 'Hi' },
    ]);
    expect(response).toMatchObject({ finishReason: 'length', usage: { input: 10, output: 5 }, model: 'm' });
  });

  test('calls come whole, without ids or with the same index, and `stop` beside them means calls', async () => {
    const one = { function: { index: 0, name: 'f', arguments: { x: 1 } } };
    const two = { function: { index: 0, name: 'f', arguments: { x: 2 } } };
    const { response } = await answered(
      lines([said({ content: '', tool_calls: [one] }), said({ content: '', tool_calls: [two] }), done()]),
    );
    expect(response.content).toMatchObject([
      { name: 'f', arguments: { x: 1 } },
      { name: 'f', arguments: { x: 2 } },
    ]);
    expect(new Set(response.content.map((part) => part.type === 'tool-call' && part.id)).size).toBe(2);
    expect(response.finishReason).toBe('tool-calls');
  });

  test('an error in a line is thrown, after a good status and some text', async () => {
    const broken = lines([said({ content: 'Hel' }), { error: 'an error was encountered while running the model' }]);
    expect(await failure(answered(broken))).toMatchObject({ code: 'overloaded' });
  });

  test('an end without `done` is a truncation, in a line or between two', async () => {
    const open = lines([said({ content: 'Hel' })]);
    expect(await failure(answered(open))).toMatchObject({ code: 'truncated' });
    expect(await failure(answered(HELLO.slice(0, -30)))).toMatchObject({ code: 'truncated' });
  });

  test('one whole document, CRLF and a byte order mark are read as well', async () => {
    const whole = { ...done(), message: { role: 'assistant', content: 'Hi' } };
    expect(textOf((await answered(JSON.stringify(whole, null, 2))).response)).toBe('Hi');
    expect(textOf((await answered(`\uFEFF${HELLO.replaceAll('\n', '\r\n')}`)).response)).toBe('Hello');
  });
});

describe('requests', () => {
  test('messages, options and tools', async () => {
    const { body, path } = await sentFor(
      chat(
        [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'See' },
              { type: 'image', source: { type: 'base64', data: 'AA==', mediaType: 'image/png' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'reasoning', text: 'Hm', family: 'ollama' },
              { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
            ],
          },
          { role: 'tool', content: [{ type: 'tool-result', id: 'a', name: 'f', content: '3' }] },
        ],
        {
          tools: [tool],
          maxOutputTokens: 7,
          temperature: 0,
          topP: 0.5,
          seed: 1,
          stop: ['x'],
          reasoning: { effort: 'high' },
        },
      ),
    );
    expect(path).toBe('/api/chat');
    expect(body).toEqual({
      model: 'm',
      messages: [
        { role: 'user', content: 'See', images: ['AA=='] },
        {
          role: 'assistant',
          content: '',
          thinking: 'Hm',
          tool_calls: [{ id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
        },
        { role: 'tool', tool_call_id: 'a', tool_name: 'f', content: '3' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: tool.inputSchema } }],
      think: true,
      options: { num_predict: 7, temperature: 0, top_p: 0.5, seed: 1, stop: ['x'] },
      stream: true,
    });
  });

  test('a schema is the format, its keys in order; beside tools it is said in words', async () => {
    const schema = { type: 'object', properties: { b: { type: 'string' }, a: { type: 'string' } } };
    const { body } = await sentFor(chat('Hi', { output: { type: 'json', schema } }));
    expect(JSON.stringify(body.format)).toBe(JSON.stringify(schema));
    expect((await sentFor(chat('Hi', { output: { type: 'json' } }))).body.format).toBe('json');
    const beside = await sentFor(chat('Hi', { output: { type: 'json', schema }, tools: [tool] }));
    expect(beside.body.format).toBeUndefined();
    expect(codes(beside.response)).toContain('schema-in-prompt');
  });

  test('an image by address is refused before anything is sent', async () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } } as const;
    expect(await failure(sentFor(chat([{ role: 'user', content: [image] }])))).toMatchObject({ code: 'unsupported' });
  });

  test('what it does not take is left out, with a warning', async () => {
    const { response } = await sentFor(chat('Hi', { tools: [tool], toolChoice: 'required', logprobs: true }));
    expect(codes(response)).toEqual(['parameter-dropped', 'parameter-dropped']);
  });

  test('no key is needed, and one is sent where there is one', async () => {
    vi.stubEnv('OLLAMA_API_KEY', '');
    expect((await sentFor(chat('Hi'))).headers.authorization).toBeUndefined();
    vi.stubEnv('OLLAMA_API_KEY', 'cloud-key');
    expect((await sentFor(chat('Hi'))).headers.authorization).toBe('Bearer cloud-key');
  });

  test('OLLAMA_HOST is read as the server reads it', async () => {
    const server = await loopback((_, response) => void response.end(HELLO));
    vi.stubEnv('OLLAMA_HOST', server.url.replace('http://127.0.0.1', '0.0.0.0'));
    expect(textOf(await ask(ollama(), transport, chat('Hi'), { target: { model: 'm' } }))).toBe('Hello');
  });
});

test('embeddings', async () => {
  const { path, body, response } = await answered(
    JSON.stringify({ model: 'm', embeddings: [[1, 2]], prompt_eval_count: 3 }),
    { operation: 'embed', input: ['a'] },
  );
  expect([path, body]).toEqual(['/api/embed', { model: 'm', input: ['a'] }]);
  expect(response).toMatchObject({ output: { vectors: [[1, 2]] }, usage: { input: 3 } });
});

test('a model of the own machine costs nothing, one of the cloud an unknown sum', () => {
  expect(ollama({ baseURL: 'http://127.0.0.1:1' }).unlisted?.('m')?.price).toMatchObject({ input: 0, output: 0 });
  expect(ollama({ baseURL: 'https://ollama.com' }).unlisted?.('m')?.price).toBeNull();
});

test('a model that is not there is model-not-found', async () => {
  const missing = { status: 404, text: JSON.stringify({ error: "model 'm' not found" }) };
  expect(await failure(answered(missing))).toMatchObject({ code: 'model-not-found', status: 404 });
});
