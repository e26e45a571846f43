/** Plugins as values: what one polyphony holds of them, in which order they come, and that each is closed once. */
import { describe, expect, it, vi } from 'vitest';
import { exactCache } from '../../plugins/caching/exact-cache.ts';
import { escalation } from '../../plugins/escalation/escalation.ts';
import { judge } from '../../plugins/escalation/judge.ts';
import { localRules, moderation } from '../../plugins/moderation/moderation.ts';
import type {
  Evaluator,
  Middleware,
  Plan,
  Plugin,
  Polyphony,
  PolyphonyOptions,
  Provider,
  Tool,
} from '../../src/index.ts';
import { createPolyphony, defaultPlugins } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const ask = (polyphony: Polyphony, text = 'Say.', fields = {}) =>
  polyphony.gateway.generate({ messages: [{ role: 'user', content: text }], ...fields });

async function open(plugins: readonly Plugin[], more: Partial<PolyphonyOptions> = {}) {
  const provider = fakeProvider({ script: () => 'fine' });
  const polyphony = await createPolyphony({ providers: [provider], plugins, defaults: false, ...more });
  return { polyphony, provider };
}

describe('one plugin object in two polyphonies', () => {
  it('caches in the store of each', async () => {
    const cache = exactCache();
    const [one, two] = [await open([cache]), await open([cache])];
    await ask(one.polyphony);
    await ask(one.polyphony);
    expect(one.provider.seen).toHaveLength(1);
    await ask(two.polyphony);
    expect(two.provider.seen).toHaveLength(1);
    expect(cache.statistics()).toEqual({ hits: 1, coalesced: 0, misses: 2, stored: 2 });
    await one.polyphony.close();
    const keys = await two.polyphony.stores.keyValue.keys('plugin/exact-cache/');
    expect(keys).toHaveLength(1);
    // The other goes on, with its own answers.
    await ask(two.polyphony);
    expect(two.provider.seen).toHaveLength(1);
    await two.polyphony.close();
  });

  it('moderates by the gateway of each, also when the second was set up last', async () => {
    const asked: unknown[] = [];
    const guard = moderation({
      classifiers: [
        {
          name: 'who',
          classify: async (_text, { gateway }) => {
            asked.push(gateway);
            return [];
          },
        },
        localRules({ rules: [{ category: 'violence', terms: ['kill'] }] }),
      ],
      outputs: false,
    });
    const [one, two] = [await open([guard]), await open([guard])];
    await ask(one.polyphony);
    await ask(two.polyphony);
    expect(asked).toEqual([one.polyphony.gateway, two.polyphony.gateway]);
    await expect(ask(one.polyphony, 'kill')).rejects.toMatchObject({ code: 'blocked' });
    await Promise.all([one.polyphony.close(), two.polyphony.close()]);
  });

  it('escalates by the evaluators and the judge of each', async () => {
    const plugins = [escalation({ policy: { evaluator: 'judge', to: ['fake/one'] } }), judge({ model: 'fake/one' })];
    const verdict = (score: number) =>
      fakeProvider({ script: ({ purpose }) => (purpose === 'judge' ? `{"reasons":[],"score":${score}}` : 'fine') });
    const [one, two] = [
      await open(plugins, { providers: [verdict(0.9)] }),
      await open(plugins, { providers: [verdict(0.8)] }),
    ];
    expect((await ask(one.polyphony)).escalation?.score).toBe(0.9);
    expect((await ask(two.polyphony)).escalation?.score).toBe(0.8);
    await two.polyphony.close();
    expect((await ask(one.polyphony)).escalation?.score).toBe(0.9);
    await one.polyphony.close();
  });
});

describe('what setup returns', () => {
  const yes: Evaluator = { name: 'late', evaluate: () => ({ score: 1, calibrated: false, reasons: [] }) };

  it('counts beside the static parts, everywhere', async () => {
    const heard: string[] = [];
    const noted =
      (what: string): Middleware =>
      (call, next) => {
        heard.push(what);
        return next(call);
      };
    const late = fakeProvider({ id: 'late', script: () => 'from late' });
    const both = (name: string): Plugin => ({
      name,
      request: { place: 'moderation', handle: noted(`${name} static`) },
      onEvent: ({ type }) => void (type === 'run-finished' && heard.push('event, static')),
      setup: async () => ({
        providers: name === 'a' ? [late] : [],
        tools: name === 'a' ? [{ name: 'two', description: 'Two.', input: {}, run: async () => ({ result: 2 }) }] : [],
        request: { place: 'moderation', handle: noted(`${name} setup`) },
        node: (call, next) => {
          heard.push(`node ${name}`);
          return next(call);
        },
        onEvent: ({ type }) => void (type === 'run-finished' && heard.push('event, setup')),
      }),
    });
    const { polyphony } = await open([both('a'), both('b')]);
    expect((await ask(polyphony, 'Say.', { model: 'late/one' })).target.provider).toBe('late');
    expect(heard.splice(0)).toEqual(['a static', 'a setup', 'b static', 'b setup']);
    expect(polyphony.catalogue().steps.has('tool:two')).toBe(true);
    await polyphony.run({ version: 1, nodes: [{ id: 'n', use: 'tool:two' }] });
    expect(heard).toEqual(['node a', 'node b', 'event, static', 'event, setup', 'event, static', 'event, setup']);
    await polyphony.close();
  });

  it('is in the evaluators of the context once all are ready, whatever the order', async () => {
    const names: string[][] = [];
    const reader: Plugin = {
      name: 'reader',
      setup: ({ evaluators }) => {
        names.push([...evaluators.keys()]);
        return { ready: () => void names.push([...evaluators.keys()]) };
      },
    };
    const { polyphony } = await open([reader, { name: 'judge-like', setup: () => ({ evaluators: [yes] }) }]);
    expect(names).toEqual([[], ['late']]);
    expect(polyphony.catalogue().evaluators).toEqual(['late']);
    await polyphony.close();
  });

  it.each<[string, readonly Plugin[], string, RegExp]>([
    [
      'a name that another plugin brings',
      [
        { name: 'a', evaluators: [yes] },
        { name: 'b', setup: () => ({ evaluators: [yes] }) },
      ],
      'invalid-config',
      /evaluator "late", "a" and "b"/,
    ],
    [
      'a name that its own plugin brings already',
      [{ name: 'a', evaluators: [yes], setup: () => ({ evaluators: [yes] }) }],
      'invalid-config',
      /"a" brings the evaluator "late" twice/,
    ],
    [
      'no parts',
      [{ name: 'a', setup: () => 'parts' as never }],
      'plugin-failed',
      /setup of the plugin "a" returned a string/,
    ],
    [
      'a layer in a place that there is not',
      [{ name: 'a', setup: () => ({ request: { place: 'nowhere' as never, handle: (call, next) => next(call) } }) }],
      'invalid-config',
      /"a" cannot be placed in the ring/,
    ],
    [
      'a `ready` that throws',
      [
        {
          name: 'a',
          ready() {
            throw new Error('not so');
          },
        },
      ],
      'plugin-failed',
      /"a" failed in its ready: not so/,
    ],
  ])('is refused when it is %s, and what was opened is closed', async (_, plugins, code, message) => {
    const closed: string[] = [];
    const first: Plugin = { name: 'first', setup: () => ({ close: () => void closed.push('first') }) };
    const provider = { ...fakeProvider({}), close: async () => void closed.push('provider') };
    const transport = {
      request: async () => await Promise.reject(new Error('unused')),
      close: async () => void closed.push('transport'),
    };
    const opening = createPolyphony({
      providers: [provider],
      plugins: [first, ...plugins],
      defaults: false,
      transport,
    });
    await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(closed).toEqual(['first', 'provider', 'transport']);
  });
});

describe('the default plugins', () => {
  const brought = (polyphony: Polyphony) => ({
    tools: [...polyphony.catalogue().steps.keys()].filter((use) => use.startsWith('tool:')),
    evaluators: polyphony.catalogue().evaluators,
    providers: [...new Set(polyphony.gateway.models().map(({ provider }) => provider))],
  });
  const opened = async (options: PolyphonyOptions) => {
    const polyphony = await createPolyphony(options);
    const parts = brought(polyphony);
    await polyphony.close();
    return parts;
  };
  const TOOLS = ['tool:list_files', 'tool:read_file', 'tool:calculate'];
  const mine: Plugin = {
    name: 'mine',
    evaluators: [{ name: 'mine', evaluate: () => ({ score: 1, calibrated: false, reasons: [] }) }],
  };
  const bringer: Plugin = { name: 'bringer', providers: [fakeProvider({})] };

  it('stay when plugins are given, and come with the providers of the environment unless some are brought', async () => {
    vi.stubEnv('OPENAI_API_KEY', '');
    const added = await opened({ plugins: [mine] });
    expect(added.tools.toSorted()).toEqual(expect.arrayContaining(TOOLS.slice(1).toSorted()));
    expect(added.evaluators.toSorted()).toEqual(['judge', 'mine', 'validators']);
    expect(added.providers).toEqual(['embedded']);
    expect((await opened({ plugins: [mine, bringer] })).providers).toEqual(['fake']);
    expect((await opened({ plugins: [mine], providers: [fakeProvider({})] })).providers).toEqual(['fake']);
    expect((await opened({ plugins: [bringer], environment: true })).providers).toEqual(['embedded', 'fake']);
    expect((await opened({ environment: false })).providers).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('are none where the list is empty or the caller says so', async () => {
    const none = { tools: [], evaluators: [], providers: [] };
    expect(await opened({ plugins: [] })).toEqual(none);
    expect(await opened({ defaults: false })).toEqual(none);
    expect(await opened({ plugins: [mine], defaults: false })).toEqual({ ...none, evaluators: ['mine'] });
    expect((await opened({ plugins: [], environment: true })).providers).toEqual(['embedded']);
    expect((await opened({ plugins: [], defaults: true })).evaluators.toSorted()).toEqual(['judge', 'validators']);
  });

  it('are replaced in their place by a plugin of their name', async () => {
    const strict: Plugin = { ...mine, name: 'validators' };
    expect((await opened({ plugins: [strict] })).evaluators).toEqual(['mine', 'judge']);
    const listed = await opened({ plugins: [...(await defaultPlugins()), mine] });
    expect(listed.evaluators.toSorted()).toEqual(['judge', 'mine', 'validators']);
    expect(listed.providers).toEqual(['embedded']);
    const replaced = await opened({ plugins: [...(await defaultPlugins()), escalation(), strict] });
    expect(replaced.evaluators.toSorted()).toEqual(['judge', 'mine']);
    expect((await opened({ plugins: [strict, ...(await defaultPlugins())] })).evaluators.toSorted()).toEqual([
      'judge',
      'mine',
    ]);
    const both = [...(await defaultPlugins()), ...(await defaultPlugins())];
    expect((await opened({ plugins: both })).evaluators.toSorted()).toEqual(['judge', 'validators']);
    const twice = createPolyphony({ plugins: [...(await defaultPlugins()), escalation(), escalation()] });
    await expect(twice).rejects.toThrow(/Two plugins are named "escalation"/);
  });

  it.each(['before', 'after', 'in setup'] as const)(
    'give way to a tool of their name that another plugin brings, %s',
    async (when) => {
      const search: Tool = {
        name: 'search',
        description: 'Looks a word up in a list of ours.',
        input: { type: 'object', properties: { word: { type: 'string' } }, required: ['word'] },
        output: { type: 'object', properties: { found: { type: 'boolean' } }, required: ['found'] },
        run: async ({ word }) => ({ found: word === 'tide' }),
      };
      const brings: Plugin =
        when === 'in setup'
          ? { name: 'words', setup: () => ({ tools: [search] }) }
          : { name: 'words', tools: [search] };
      const defaults = await defaultPlugins({}, false);
      const plugins = when === 'after' ? [...defaults, brings] : [brings, ...defaults];
      const polyphony = await createPolyphony({ plugins, environment: false });
      const plan = {
        version: 1,
        goal: 'g',
        nodes: [{ id: 'a', use: 'tool:search', in: { word: 'tide' } }],
        output: '{{a.found}}',
      };
      expect(await polyphony.run(plan as Plan)).toMatchObject({ status: 'done', output: true });
      await polyphony.close();
      const two: Plugin[] = [brings, { ...brings, name: 'others' }];
      await expect(createPolyphony({ plugins: two })).rejects.toThrow(/Two plugins bring the tool "search"/);
    },
  );
});

describe('close', () => {
  const failing = (name: string, counts: Map<string, number>) => async (): Promise<void> => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    throw new Error(`${name} does not close`);
  };

  it('closes each plugin and provider once, whatever throws, and a second one does nothing', async () => {
    const counts = new Map<string, number>();
    const provider = (id: string): Provider => ({ ...fakeProvider({ id }), close: failing(id, counts) });
    const plugin: Plugin = {
      name: 'p',
      providers: [provider('one')],
      close: failing('static', counts),
      setup: () => ({ providers: [provider('two')], close: failing('setup', counts) }),
    };
    const logged: string[] = [];
    const warn = (fields: object): void => void logged.push(JSON.stringify(fields));
    const nothing = (): void => undefined;
    const logger = { debug: nothing, info: nothing, error: nothing, warn };
    const { polyphony } = await open([plugin], { providers: [provider('three')], logger });
    await Promise.all([polyphony.close(), polyphony.close()]);
    await polyphony.close();
    expect(Object.fromEntries(counts)).toEqual({ static: 1, setup: 1, one: 1, two: 1, three: 1 });
    expect(logged).toHaveLength(5);
    expect(logged.join()).toContain('two does not close');
  });

  it('closes the rest when the stores fail, and says so', async () => {
    const counts = new Map<string, number>();
    const { polyphony } = await open([]);
    const { stores } = polyphony;
    const broken = { ...stores, close: failing('stores', counts) };
    const transport = {
      request: async () => await Promise.reject(new Error('unused')),
      close: failing('transport', counts),
    };
    const other = await open([{ name: 'p', close: failing('plugin', counts) }], { stores: broken, transport });
    await expect(other.polyphony.close()).rejects.toThrow('transport does not close');
    expect(Object.fromEntries(counts)).toEqual({ plugin: 1, transport: 1, stores: 1 });
    await polyphony.close();
  });

  it('refuses whatever is called afterwards', async () => {
    const { polyphony } = await open([]);
    await polyphony.close();
    const { engine, runs } = polyphony;
    const plan = { version: 1, nodes: [{ id: 'a', use: 'value' }] } as const;
    const calls: (() => unknown)[] = [
      () => ask(polyphony),
      () => polyphony.run({ ...plan, nodes: [...plan.nodes] }),
      () => polyphony.plan('a request'),
      () => polyphony.validate(plan),
      () => polyphony.resume('r'),
      () => polyphony.reconfigure({}),
      () => engine.startRequest('a request'),
      () => engine.list(),
      () => runs.list(),
      () => runs.answer('r', 'n', 1),
      () => runs.watch('r')[Symbol.asyncIterator]().next(),
      () => runs.replay('r')[Symbol.asyncIterator]().next(),
    ];
    for (const call of calls) {
      await expect((async () => call())(), String(call)).rejects.toMatchObject({
        code: 'invalid-request',
        message: expect.stringMatching(/closed/),
      });
    }
  });
});
