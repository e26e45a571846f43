/** Requests of the Messages wire: what canonical ones become, and what is told of what they lose. */
import type { Message } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { sentFor } from './anthropic-answers.ts';
import { chat } from './attempts.ts';
import { codes, failure } from './exchange.ts';

const OLDER = 'claude-haiku-4-5';
const ALWAYS_THINKING = 'claude-opus-5-5';
const messagesOf = async (messages: readonly Message[], model?: string): Promise<unknown> =>
  (await sentFor(chat(messages), model)).body.messages;

const called: Message = {
  role: 'assistant',
  content: [{ type: 'tool-call', id: 'call.1', name: 'look', arguments: { x: 1 } }],
};
const result: Message = { role: 'tool', content: [{ type: 'tool-result', id: 'call.1', content: 'seen' }] };

describe('turns', () => {
  test('system text stands apart, messages of one role are one turn, empty text is left out', async () => {
    const { body } = await sentFor(
      chat([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One' },
        { role: 'user', content: ' ' },
        { role: 'user', content: 'Two' },
        { role: 'assistant', content: 'Three' },
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Four' },
      ]),
    );
    expect(body.system).toEqual([
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Be kind.' },
    ]);
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'One' },
          { type: 'text', text: 'Two' },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'Three' }] },
      { role: 'user', content: [{ type: 'text', text: 'Four' }] },
    ]);
  });

  test('results come first in the turn behind their calls, ids hold no odd characters', async () => {
    const turns = await messagesOf([
      { role: 'user', content: 'Look' },
      called,
      { role: 'user', content: 'Well?' },
      { role: 'tool', content: [{ type: 'tool-result', id: 'call.1', content: 'gone', isError: true }] },
    ]);
    expect(turns).toMatchObject([
      {},
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'look', input: { x: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'call_1', content: 'gone', is_error: true },
          { type: 'text', text: 'Well?' },
        ],
      },
    ]);
  });

  test('a beginning of the answer is continued, or asked for in words', async () => {
    const messages = [
      { role: 'user', content: 'Count' },
      { role: 'assistant', content: 'One, ' },
    ] as const;
    expect(await messagesOf(messages, OLDER)).toMatchObject([{}, { content: [{ text: 'One,' }] }]);
    const { body, response } = await sentFor(chat(messages), ALWAYS_THINKING);
    expect(body.messages).toMatchObject([{}, { role: 'assistant' }, { role: 'user' }]);
    expect(codes(response)).toContain('prefix-in-words');
  });
});

describe('media', () => {
  test('images and files go inline, by address and by id', async () => {
    const pdf = Buffer.from('%PDF').toString('base64');
    const turns = await messagesOf([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', data: 'aGk=', mediaType: 'image/png' } },
          { type: 'image', source: { type: 'url', url: 'https://a/b.png' } },
          { type: 'image', source: { type: 'url', url: 'data:image/gif;base64,aGk=' } },
          { type: 'file', source: { type: 'base64', data: pdf, mediaType: 'application/pdf' }, name: 'a.pdf' },
          { type: 'file', source: { type: 'url', url: 'https://a/b.pdf' } },
          { type: 'file', source: { type: 'base64', data: 'aGk=', mediaType: 'text/plain' } },
          { type: 'file', source: { type: 'url', url: 'file_123' } },
        ],
      },
    ]);
    expect(turns).toEqual([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
          { type: 'image', source: { type: 'url', url: 'https://a/b.png' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/gif', data: 'aGk=' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf }, title: 'a.pdf' },
          { type: 'document', source: { type: 'url', url: 'https://a/b.pdf' } },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'hi' } },
          { type: 'document', source: { type: 'file', file_id: 'file_123' } },
        ],
      },
    ]);
  });

  test('what the wire cannot carry is refused before anything is sent', async () => {
    const source = { type: 'base64', data: 'aGk=', mediaType: 'audio/wav' } as const;
    for (const part of [{ type: 'audio', source } as const, { type: 'file', source } as const]) {
      expect(await failure(sentFor(chat([{ role: 'user', content: [part] }])))).toMatchObject({ code: 'unsupported' });
    }
  });
});

describe('thinking in the history', () => {
  const thought = { type: 'reasoning', text: 'Hm', signature: 's', family: 'anthropic' } as const;
  const withThought = (part: object): readonly Message[] => [
    { role: 'user', content: 'Look' },
    { role: 'assistant', content: [part as typeof thought, { type: 'text', text: 'Yes' }] },
    { role: 'user', content: 'More' },
  ];

  test('goes back unchanged to the provider that made it', async () => {
    const sent = async (part: object): Promise<unknown> => {
      const turns = (await messagesOf(withThought(part))) as { content: unknown[] }[];
      return turns[1]?.content[0];
    };
    expect(await sent(thought)).toEqual({ type: 'thinking', thinking: 'Hm', signature: 's' });
    expect(await sent({ ...thought, text: '' })).toEqual({ type: 'thinking', thinking: '', signature: 's' });
    const redacted = { type: 'reasoning', text: '', redacted: 'x', family: 'anthropic' };
    expect(await sent(redacted)).toEqual({ type: 'redacted_thinking', data: 'x' });
    const raw = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    expect(await sent({ type: 'reasoning', text: '', family: 'anthropic', raw })).toEqual(raw);
  });

  test('goes to no other, with a warning', async () => {
    const { body, response } = await sentFor(chat(withThought({ ...thought, family: 'google' })));
    expect(body.messages).toMatchObject([{}, { content: [{ type: 'text', text: 'Yes' }] }, {}]);
    expect(codes(response)).toEqual(['reasoning-dropped']);
  });

  test('a turn that another provider began is ended without thinking, where a budget would be refused', async () => {
    const request = chat([{ role: 'user', content: 'Look' }, called, result], { reasoning: { effort: 'high' } });
    const { body, response } = await sentFor(request, OLDER);
    expect(body.thinking).toBeUndefined();
    expect(codes(response)).toEqual(['reasoning-dropped']);
  });
});

describe('the prompt cache', () => {
  const marked = (...marks: readonly ('short' | 'long')[]): readonly Message[] => [
    { role: 'user', content: marks.map((cache, index) => ({ type: 'text', text: `${index}`, cache })) },
  ];
  const marksOf = async (messages: readonly Message[]) => {
    const { body, response } = await sentFor(chat(messages));
    const [turn] = body.messages as { content: { cache_control?: unknown }[] }[];
    return { marks: turn?.content.map((block) => block.cache_control), codes: codes(response) };
  };
  const short = { type: 'ephemeral' };
  const long = { type: 'ephemeral', ttl: '1h' };

  test('marks say how long', async () => {
    expect(await marksOf(marked('long', 'short'))).toEqual({ marks: [long, short], codes: [] });
  });

  test('the last four are sent, long ones first', async () => {
    expect(await marksOf(marked('short', 'short', 'short', 'short', 'short'))).toEqual({
      marks: [undefined, short, short, short, short],
      codes: ['cache-marks-dropped'],
    });
    expect(await marksOf(marked('short', 'long'))).toEqual({ marks: [short, short], codes: ['cache-marks-changed'] });
  });
});

test('options of the provider are merged last, betas become the header', async () => {
  const { body, headers, path } = await sentFor(
    chat('Hi', { providerOptions: { anthropic: { betas: ['a', 'b'], top_k: 3 }, google: { x: 1 } } }),
  );
  expect(path).toBe('/messages');
  expect(headers).toMatchObject({
    'anthropic-beta': 'a,b',
    'x-api-key': 'test-key',
    'anthropic-version': '2023-06-01',
  });
  expect(body).toMatchObject({ top_k: 3, max_tokens: 128_000, stream: true });
  expect(body).not.toHaveProperty('betas');
  expect(body).not.toHaveProperty('x');
});
