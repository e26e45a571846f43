/** Typed answers: objects, calls of tools, the short form of a request. */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { z as mini } from 'zod/mini';
import { z as zod3 } from 'zod3';
import type { PolyphonyError } from '../../../src/core/errors.ts';
import type { Gateway } from '../../../src/core/gateway.ts';
import type { GenerateOutput } from '../../../src/core/model/generate.ts';
import type { FinishReason, ModelEvent } from '../../../src/core/model/model.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish, type ScriptStep } from '../../../src/testing/fakes.ts';
import { harness } from '../harness.ts';

const card = fakeCard({ id: 'one' });
const capabilities = [...new Set([...card.capabilities, 'tools', 'json-schema', 'system', 'streaming'] as const)];

function answering(steps: string | readonly ScriptStep[]): {
  readonly gateway: Gateway;
  readonly provider: FakeProvider;
  readonly rows: () => Promise<readonly unknown[]>;
} {
  const provider = fakeProvider({ models: [{ ...card, capabilities }], script: () => steps });
  const { gateway, rows } = harness({ providers: [provider] });
  return { gateway, provider, rows };
}

const ended = (text: string, reason: FinishReason): readonly ScriptStep[] => [
  { type: 'text-delta', text },
  finish({ reason }),
];

const call = (name: string, given: object): ScriptStep => ({
  type: 'tool-call',
  call: { type: 'tool-call', id: `id-${name}`, name, arguments: given as never },
});

const failureOf = (promise: Promise<unknown>): Promise<PolyphonyError> =>
  promise.then(
    () => expect.fail('it did not fail'),
    (error: PolyphonyError) => error,
  );

const Boat = z.object({ name: z.string(), berths: z.number().int(), tags: z.array(z.string()).default(['new']) });

describe('the text of an answer', () => {
  it('is on the response, without reasoning', async () => {
    const { gateway } = answering([
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'text-delta', text: 'Good ' },
      { type: 'text-delta', text: 'day' },
      finish(),
    ]);
    expect((await gateway.generate({ prompt: 'Greet me.' })).text).toBe('Good day');
  });
});

describe('the short form', () => {
  it('gives the model system, messages and prompt in this order', async () => {
    const { gateway, provider } = answering('ok');
    await gateway.generate({
      system: 'Be brief.',
      messages: [{ role: 'assistant', content: 'Hello.' }],
      prompt: 'And?',
    });
    const [attempt] = provider.seen;
    expect(attempt?.request).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: 'And?' },
      ],
    });
    expect(attempt?.request).not.toHaveProperty('prompt');
    expect(attempt?.request).not.toHaveProperty('system');
  });

  it('takes parts as a prompt, also in a stream', async () => {
    const { gateway, provider } = answering('ok');
    for await (const _ of gateway.stream({ prompt: [{ type: 'text', text: 'See' }] }));
    expect(provider.seen[0]?.request).toMatchObject({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'See' }] }],
    });
  });
});

describe('an object', () => {
  const json = '{"name":"Alma","berths":14}';

  it.each<[string, GenerateOutput, unknown]>([
    ['zod 4', Boat, { name: 'Alma', berths: 14, tags: ['new'] }],
    ['the small zod', mini.object({ name: mini.string(), berths: mini.number() }), { name: 'Alma', berths: 14 }],
    ['zod 3', zod3.object({ name: zod3.string().transform((name) => name.length) }), { name: 4 }],
    ['a shorthand', { name: 'string', berths: 'number' }, { name: 'Alma', berths: 14 }],
    ['JSON Schema', { type: 'object', properties: { berths: { minimum: 1 } } }, { name: 'Alma', berths: 14 }],
    ['a format with zod', { type: 'json', name: 'boat', schema: Boat }, { name: 'Alma', berths: 14, tags: ['new'] }],
  ])('is checked and converted by %s', async (_, output, object) => {
    for (const text of [json, `Here:\n\`\`\`json\n${json}\n\`\`\``]) {
      const { gateway, provider } = answering(text);
      expect(await gateway.generate({ prompt: 'Which boat?', output })).toMatchObject({ object, text });
      const { request } = provider.seen[0] ?? {};
      // What the model is told is plain JSON Schema, whatever was given.
      expect(request).toMatchObject({ output: { type: 'json', schema: { type: 'object' } } });
      expect(JSON.parse(JSON.stringify(request))).toEqual(request);
    }
  });

  it.each<[string, GenerateOutput]>([
    ['a JSON Schema', { type: 'object', properties: { name: { type: 'string', pattern: '^B' } } }],
    ['zod', z.object({ name: z.string().regex(/^B/) })],
    ['a refinement', z.object({ name: z.string().refine(async (name) => name.startsWith('B'), 'begins with B') })],
  ])('is held to the pattern of the caller in %s', async (_, output) => {
    const { gateway } = answering(json);
    const refused = { code: 'invalid-output', message: expect.stringContaining('/name ') };
    expect(await failureOf(gateway.generate({ prompt: 'Which boat?', output }))).toMatchObject(refused);
    const read = async (): Promise<void> => {
      for await (const _event of gateway.stream({ prompt: 'Which boat?', output }));
    };
    expect(await failureOf(read())).toMatchObject(refused);
  });

  it('reads a date from its text', async () => {
    const { gateway } = answering('{"built":"1911-05-31"}');
    const output = z.object({ built: z.date() });
    expect((await gateway.generate({ prompt: 'When?', output })).object).toEqual({ built: new Date('1911-05-31') });
  });

  it('is not there for a plain format, which only asks for a form', async () => {
    const { gateway } = answering('no JSON');
    const output = { type: 'json', schema: { type: 'object' } } as const;
    expect(await gateway.generate({ prompt: 'Which boat?', output })).not.toHaveProperty('object');
  });

  it('reads a null of an optional field as absent, and refuses one that does not fit', async () => {
    const { gateway } = answering('{"name":"Alma","berths":null}');
    const output = z.object({ name: z.string(), berths: z.number().optional() });
    expect((await gateway.generate({ prompt: '?', output })).object).toEqual({ name: 'Alma' });
    const error = await failureOf(gateway.generate({ prompt: '?', output: Boat }));
    expect(error).toMatchObject({ code: 'invalid-output', retryable: false, details: { finishReason: 'stop' } });
    expect(error.message).toMatch(/^The answer of fake\/one does not match "output": \/berths /);
    expect(error.details?.issues).toMatchObject([{ path: '/berths' }]);
  });

  it.each<[string, string | readonly ScriptStep[], RegExp]>([
    ['prose', 'The boat is Alma.', /holds no JSON/],
    ['a cut answer', ended('{"name":"Alma","berths":1', 'length'), /was cut .* raise "maxOutputTokens"/],
    ['a whole value in a cut list', ended('[{"name":"Alma","berths":14},{"name":"Be', 'length'), /was cut/],
    ['a filtered answer', ended('{"name":"Alma","ber', 'content-filter'), /filter/],
    [
      'a refusal',
      [{ type: 'text-delta', text: 'I cannot.' }, finish({ refusal: 'No boats.' })],
      /is a refusal.*No boats\./,
    ],
  ])('is never made of %s, and the call stays in the ledger', async (_, steps, message) => {
    const { gateway, rows } = answering(steps);
    const error = await failureOf(gateway.generate({ prompt: 'Which boat?', output: Boat }));
    expect(error.code).toBe('invalid-output');
    expect(error.message).toMatch(message);
    expect(await rows()).toHaveLength(1);
  });

  it('takes a complete value from an answer that ended at its limit', async () => {
    const { gateway } = answering(ended(json, 'length'));
    expect((await gateway.generate({ prompt: '?', output: Boat })).object.berths).toBe(14);
  });

  it('reports a schema that throws', async () => {
    const { gateway } = answering(json);
    const output = z.object({
      name: z.string().refine(() => {
        throw new TypeError('broken rule');
      }),
    });
    const error = await failureOf(gateway.generate({ prompt: '?', output }));
    expect(error).toMatchObject({ code: 'invalid-output', message: expect.stringContaining('broken rule') });
  });

  it('waits for a check that takes time', async () => {
    const { gateway } = answering(json);
    const output = z.object({ name: z.string().refine(async (name) => name !== 'Alma', 'is taken') });
    expect((await failureOf(gateway.generate({ prompt: '?', output }))).message).toContain('/name is taken');
  });
});

describe('calls of tools', () => {
  const tools = [
    { name: 'weather', inputSchema: z.object({ city: z.string(), days: z.number().default(1) }) },
    { name: 'clock', inputSchema: { type: 'object', properties: { zone: { type: 'string' } } } },
  ] as const;

  it('have checked arguments; those that do not fit are apart, with a warning', async () => {
    const { gateway, provider } = answering([
      call('weather', { city: 'Oslo' }),
      call('weather', { city: 7 }),
      call('clock', { zone: 'UTC' }),
      call('other', {}),
      finish({ reason: 'tool-calls' }),
    ]);
    const response = await gateway.generate({ prompt: '?', tools, output: Boat });
    expect(response.object).toBeUndefined();
    expect(response.toolCalls).toEqual([
      { type: 'tool-call', id: 'id-weather', name: 'weather', arguments: { city: 'Oslo', days: 1 } },
      { type: 'tool-call', id: 'id-clock', name: 'clock', arguments: { zone: 'UTC' } },
    ]);
    expect(response.invalidToolCalls).toMatchObject([
      { name: 'weather', arguments: { city: 7 }, issues: [{ path: '/city' }] },
      { name: 'other', issues: [{ message: 'is a call of other, and the request has no such tool' }] },
    ]);
    expect(response.warnings.map(({ code }) => code)).toEqual(['tool-arguments', 'tool-arguments']);
    // The content keeps every call as the model made it.
    expect(response.content).toHaveLength(4);
    expect(provider.seen[0]?.request).toMatchObject({
      tools: [{ name: 'weather', inputSchema: { type: 'object' } }, tools[1]],
    });
  });

  it('are none where the model answers', async () => {
    const { gateway } = answering('{"name":"Alma","berths":14}');
    const response = await gateway.generate({ prompt: '?', tools, output: Boat });
    expect(response).toMatchObject({ toolCalls: [], invalidToolCalls: [], object: { berths: 14 } });
  });
});

describe('a stream with a schema', () => {
  const pieces = (...texts: readonly string[]): ScriptStep[] => texts.map((text) => ({ type: 'text-delta', text }));
  const objectsOf = async (gateway: Gateway): Promise<unknown[]> => {
    const objects: unknown[] = [];
    for await (const event of gateway.stream({ prompt: '?', output: Boat })) {
      if (event.type === 'partial-object' || event.type === 'object') objects.push([event.type, event.object]);
      else if (event.type === 'finish') objects.push(event.type);
    }
    return objects;
  };

  it('shows the object as it grows, then the checked one, then the end', async () => {
    const { gateway } = answering([...pieces('{"name":"Al', 'ma","ber', 'ths":14}'), finish()]);
    expect(await objectsOf(gateway)).toEqual([
      ['partial-object', { name: 'Al' }],
      ['partial-object', { name: 'Alma' }],
      ['partial-object', { name: 'Alma', berths: 14 }],
      ['object', { name: 'Alma', berths: 14, tags: ['new'] }],
      'finish',
    ]);
  });

  it('forgets what was shown before a restart', async () => {
    const restart: ModelEvent = { type: 'restart', notice: 'again' };
    const { gateway } = answering([
      ...pieces('{"name":"Be'),
      restart,
      ...pieces('{"name":"Alma","berths":1}'),
      finish(),
    ]);
    expect((await objectsOf(gateway)).at(-2)).toEqual(['object', { name: 'Alma', berths: 1, tags: ['new'] }]);
  });

  it('fails in place of its end when the answer does not fit', async () => {
    const { gateway, rows } = answering([...pieces('{"name":"Alma"}'), finish()]);
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const event of gateway.stream({ prompt: '?', output: Boat })) seen.push(event.type);
    };
    expect((await failureOf(read())).code).toBe('invalid-output');
    expect(seen).toContain('partial-object');
    expect(seen).not.toContain('finish');
    expect(await rows()).toHaveLength(1);
  });

  it('can be left early without leaving the provider open', async () => {
    const { gateway, provider } = answering([...pieces('{"name":"Al', 'ma"'), finish()]);
    for await (const event of gateway.stream({ prompt: '?', output: Boat })) if (event.type === 'partial-object') break;
    expect(provider.open()).toBe(0);
  });
});
