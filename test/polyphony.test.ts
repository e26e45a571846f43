import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as surface from '../src/index.ts';
import {
  type ChatRequest,
  createPolyphony,
  defineStep,
  llm,
  type Plan,
  type Plugin,
  PolyphonyError,
  t,
  workflow,
} from '../src/index.ts';
import { SuspendRun } from '../src/kit/index.ts';
import { fakeCard, fakeProvider } from '../src/testing/index.ts';

const provider = (script: () => string = () => 'fine') => fakeProvider({ script });
const open = (plugins: readonly Plugin[] = [{ name: 'fake', providers: [provider()] }]) => createPolyphony({ plugins });
const plan = (fields: Partial<Plan> = {}): Plan => ({
  version: 1,
  nodes: [{ id: 'a', use: 'llm', in: { prompt: 'say' } }],
  output: '{{a.text}}',
  ...fields,
});

describe('the public surface', () => {
  it('is small: at most forty values', () => {
    expect(Object.keys(surface).length).toBeLessThanOrEqual(40);
  });
});

describe('plugins', () => {
  it.each([
    ['a name twice', [{ name: 'a' }, { name: 'a' }], /Two plugins are named "a"/],
    [
      'a provider twice',
      [
        { name: 'a', providers: [provider()] },
        { name: 'b', providers: [provider()] },
      ],
      /provider "fake".*"b"/,
    ],
    ['a bad provider id', [{ name: 'a', providers: [fakeProvider({ id: 'Not ok' })] }], /provider named "Not ok"/],
  ] as const)('refuses %s, naming the plugin', async (_, plugins, message) => {
    await expect(open(plugins)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a factory that nobody called', async () => {
    const factory = (() => ({ name: 'x' })) as unknown as Plugin;
    await expect(open([factory])).rejects.toThrow(/call the factory/);
  });

  it('names the plugin whose setup throws, and closes those before it', async () => {
    const closed: string[] = [];
    const plugins: Plugin[] = [
      { name: 'first', close: () => void closed.push('first') },
      {
        name: 'second',
        setup() {
          throw new Error('no disk');
        },
      },
    ];
    await expect(open(plugins)).rejects.toMatchObject({
      code: 'plugin-failed',
      message: expect.stringMatching(/"second".*setup.*no disk/),
    });
    expect(closed).toEqual(['first']);
  });

  it('keep their keys apart', async () => {
    const read: unknown[] = [];
    const keeper = (name: string): Plugin => ({
      name,
      providers: name === 'a' ? [provider()] : [],
      async setup({ store }) {
        if (name === 'a') await store.set('k', 'of a');
        read.push(await store.get('k'), await store.keys(''));
      },
    });
    await (await open([keeper('a'), keeper('b')])).close();
    expect(read).toEqual(['of a', ['k'], undefined, []]);
  });

  it('hear every event, and stop nothing when they throw', async () => {
    const heard: string[] = [];
    const polyphony = await open([
      { name: 'fake', providers: [provider()] },
      {
        name: 'listener',
        onEvent(event) {
          heard.push(event.type);
          throw new Error('deaf');
        },
      },
    ]);
    expect(await polyphony.run(plan())).toMatchObject({ status: 'done', output: 'fine' });
    expect(heard).toContain('run-finished');
    await polyphony.close();
  });

  it('wrap every node', async () => {
    const polyphony = await open([
      { name: 'fake', providers: [provider()] },
      {
        name: 'wrapper',
        node: async (call, next) => ({ ...(await next(call)), value: { text: `wrapped ${call.node.id}` } }),
      },
    ]);
    expect(await polyphony.run(plan())).toMatchObject({ status: 'done', output: 'wrapped a' });
    await polyphony.close();
  });

  it('a layer that throws is named, charges nothing and leaves the journal whole', async () => {
    const polyphony = await open([
      { name: 'fake', providers: [provider()] },
      {
        name: 'clumsy',
        request: {
          place: 'moderation',
          handle: () => {
            throw new TypeError('oops');
          },
        },
      },
    ]);
    const handle = await polyphony.start(plan());
    const result = await handle.result();
    expect(result.error).toMatchObject({ code: 'plugin-failed', message: expect.stringContaining('clumsy') });
    expect(result.costNanoUsd).toBe(0);
    expect((await polyphony.engine.inspect(handle.runId)).status).toBe('failed');
    await polyphony.close();
  });
});

describe('running', () => {
  it('checks the input against the plan before anything is paid', async () => {
    const polyphony = await open();
    const asking = plan({
      input: { ticket: 'string' },
      nodes: [{ id: 'a', use: 'llm', in: { prompt: '{{input.ticket}}' } }],
    });
    await expect(polyphony.run(asking)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('ticket'),
    });
    expect(await polyphony.run(asking, { ticket: 'x' })).toMatchObject({ status: 'done', output: 'fine' });
    await polyphony.close();
  });

  it('throws the run’s own error, with the run’s id', async () => {
    const polyphony = await open([
      {
        name: 'fake',
        providers: [fakeProvider({ script: () => [{ fail: new PolyphonyError('invalid-request', 'no') }] })],
      },
    ]);
    await expect(polyphony.run(plan())).rejects.toMatchObject({
      code: 'invalid-request',
      details: { runId: expect.stringMatching(/^run_/) },
    });
    await polyphony.close();
  });

  it('lists every issue of a plan that cannot run', async () => {
    const polyphony = await open();
    const broken = plan({
      nodes: [
        { id: 'a', use: 'lllm', in: { prompt: '{{b.x}}' } },
        { id: 'a', use: 'value' },
      ],
    });
    await expect(polyphony.run(broken)).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringMatching(/at \/nodes/),
    });
    await polyphony.close();
  });

  it('takes a workflow with steps and workflows of its own along, without registration', async () => {
    const polyphony = await open();
    const loud = defineStep({
      name: 'loud',
      input: z.object({ text: z.string() }),
      output: z.object({ text: z.string() }),
      run: ({ text }) => ({ text: text.toUpperCase() }),
    });
    const inner = workflow({ id: 'inner', input: z.object({ word: z.string() }) })
      .node('said', llm, (c) => ({ in: { prompt: t`Say ${c.input.word}` } }))
      .node('shout', loud, (c) => ({ in: { text: c.said.text } }))
      .output((c) => ({ text: c.shout.text }));
    const outer = workflow({ id: 'outer', input: z.object({ words: z.array(z.string()) }) })
      .map(
        'each',
        inner,
        (c) => c.input.words,
        (word) => ({ in: { word } }),
      )
      .output((c) => c.each);
    const { output } = await polyphony.run(outer, { words: ['a', 'b'] });
    expect(output.map(({ text }) => text)).toEqual(['FINE', 'FINE']);
    expect((await polyphony.run(outer, { words: [] })).output).toEqual([]);
    await polyphony.close();
  });

  it('gives a step of a workflow the answer that it had asked for', async () => {
    const polyphony = await open();
    const asked: string[] = [];
    const name = defineStep({
      name: 'name',
      input: z.object({ of: z.string() }),
      output: z.object({ name: z.string() }),
      suspends: true,
      run: ({ of }, { answer }) => {
        if (answer === undefined) throw new SuspendRun({ question: `Who is ${of}?` });
        asked.push(answer.question.question);
        return { name: String(answer.value) };
      },
    });
    const greet = workflow({ id: 'greet' })
      .node('who', name, () => ({ in: { of: 'the guest' } }))
      .output((c) => ({ hello: c.who.name }));
    const outcome = await polyphony.run(greet, {});
    expect(outcome).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'who', question: 'Who is the guest?' }] });
    expect(outcome).not.toHaveProperty('output');
    await polyphony.engine.answer(outcome.runId, 'who', 'Ada');
    const result = await (await polyphony.resume(outcome.runId)).result();
    expect(result).toMatchObject({ status: 'done', output: { hello: 'Ada' } });
    expect(asked).toEqual(['Who is the guest?']);
    await polyphony.close();
  });

  it('refuses what only a program without types can pass, in a sentence', async () => {
    const polyphony = await open([{ name: 'fake', providers: [fakeProvider({ models: [fakeCard({ id: 'one' })] })] }]);
    const request = { question: 'Hello' } as unknown as ChatRequest;
    await expect(polyphony.gateway.generate(request)).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringContaining('has no field "question"'),
    });
    for (const what of [undefined, null, 3]) {
      await expect(polyphony.run(what as unknown as string)).rejects.toMatchObject({
        code: 'invalid-request',
        message: expect.stringContaining(`not ${what}`),
      });
    }
    await polyphony.close();
  });

  it('leaves nothing open behind close, and takes no run after it', async () => {
    const hanging = fakeProvider({ models: [fakeCard({ id: 'one' })], script: () => [{ hang: true }] });
    const polyphony = await open([{ name: 'fake', providers: [hanging] }]);
    const handle = await polyphony.start(plan());
    while (hanging.open() === 0) await new Promise((resolve) => setImmediate(resolve));
    await polyphony.close();
    expect((await handle.result()).status).toBe('cancelled');
    expect(hanging.open()).toBe(0);
    await expect(polyphony.gateway.generate({ prompt: 'Hello' })).rejects.toThrow(/closed/);
  });
});

describe('the config', () => {
  it('is checked, and the message names the field', async () => {
    const config = { retry: { retries: -1 } };
    await expect(createPolyphony({ config })).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('retries'),
    });
  });
});

describe('reconfigure', () => {
  const two = () => {
    const make = (id: string) => fakeProvider({ id, models: [fakeCard({ id: 'one' })], script: () => id });
    return createPolyphony({
      plugins: [{ name: 'fake', providers: [make('a'), make('b')] }],
      config: { aliases: { my: 'a/one' } },
    });
  };
  const asked = plan({ nodes: [{ id: 'a', use: 'llm', in: { prompt: 'say' }, model: { id: 'my' } }] });

  it('holds for calls, plans and runs that begin afterwards', async () => {
    const polyphony = await two();
    expect(await polyphony.run(asked)).toMatchObject({ status: 'done', output: 'a' });
    await polyphony.reconfigure({ aliases: { my: 'b/one', other: 'a/one' }, bounds: { nodes: 2 } });
    expect(await polyphony.run(asked)).toMatchObject({ status: 'done', output: 'b' });
    const response = await polyphony.gateway.generate({ messages: [{ role: 'user', content: 'say' }], model: 'other' });
    expect(response.target.provider).toBe('a');
    const nodes = ['a', 'b', 'c'].map((id) => ({ id, use: 'llm', in: { prompt: 'say' } }));
    const { issues } = await polyphony.validate(plan({ nodes }));
    expect(issues.map(({ code }) => code)).toContain('size.nodes');
    await polyphony.close();
  });

  it('keeps the old config where the new one cannot be used', async () => {
    const polyphony = await two();
    const wrong = { aliases: 'a' } as never;
    await expect(polyphony.reconfigure(wrong)).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('aliases'),
    });
    const built = polyphony.reconfigure({ tools: { http: true } });
    await expect(built).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringMatching(/tools.*create a new polyphony/),
    });
    expect(await polyphony.run(asked)).toMatchObject({ status: 'done', output: 'a' });
    await polyphony.close();
  });
});
