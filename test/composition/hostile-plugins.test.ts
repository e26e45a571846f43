/** Plugins that are written in unusual ways, or wrongly: they work, or the message names them; nothing ends the process. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { escalation } from '../../plugins/escalation/escalation.ts';
import type { Candidate, Logger, Middleware, Plan, Plugin, PluginParts, Polyphony, Provider } from '../../src/index.ts';
import { createPolyphony } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const PLAN: Plan = {
  version: 1,
  nodes: [
    { id: 'a', use: 'mine' },
    { id: 'b', use: 'value', in: { x: 1 } },
  ],
  output: '{{a}}',
};

const open = (plugins: readonly unknown[], more: object = {}): Promise<Polyphony> =>
  createPolyphony({ providers: [fakeProvider({})], plugins: plugins as readonly Plugin[], defaults: false, ...more });
const ask = (polyphony: Polyphony) => polyphony.gateway.generate({ messages: [{ role: 'user', content: 'Say.' }] });
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** Everything on the prototype, with a state that only `this` reaches. */
class Parts implements PluginParts {
  readonly #seen = new Set<string>();
  get seen(): readonly string[] {
    return [...this.#seen].sort();
  }
  get steps() {
    const type = { use: 'mine', description: 'Mine.', input: { type: 'object' }, output: {}, sideEffects: false };
    return [new Step(type)];
  }
  get request() {
    return new Layer();
  }
  get evaluators() {
    return [new Judge()];
  }
  rank(candidates: readonly Candidate[]): readonly Candidate[] {
    this.#seen.add('rank');
    return candidates;
  }
  node(call: Parameters<NonNullable<PluginParts['node']>>[0], next: Parameters<NonNullable<PluginParts['node']>>[1]) {
    this.#seen.add('node');
    return next(call);
  }
  onEvent(): void {
    this.#seen.add('onEvent');
  }
  ready(): void {
    this.#seen.add('ready');
  }
  close(): void {
    this.#seen.add('close');
  }
}

class Step {
  readonly #value = 3;
  readonly type;
  constructor(type: NonNullable<PluginParts['steps']>[number]['type']) {
    this.type = type;
  }
  async run() {
    return { value: this.#value, costNanoUsd: 0 };
  }
}

let handled = 0;
class Layer {
  readonly #by = 1;
  get place() {
    return 'moderation' as const;
  }
  handle(...[call, next]: Parameters<Middleware>): ReturnType<Middleware> {
    handled += this.#by;
    return next(call);
  }
}

class Judge {
  readonly #score = 0.9;
  get name() {
    return 'mine';
  }
  get callsModels() {
    return false;
  }
  evaluate() {
    return { score: this.#score, calibrated: false, reasons: [] };
  }
}

describe('plugins of a class', () => {
  const judged = escalation({ policy: { evaluator: 'mine', to: ['fake/one'] } });
  const all = ['close', 'node', 'onEvent', 'rank', 'ready'];

  it('keep what is on their prototype, as what setup returns and as plugins', async () => {
    for (const isMade of [true, false]) {
      handled = 0;
      const parts = new Parts();
      const plugin = isMade ? { name: 'made', setup: () => parts } : Object.assign(parts, { name: 'own' });
      const polyphony = await open([plugin, judged]);
      expect((await ask(polyphony)).escalation?.score).toBe(0.9);
      expect(await polyphony.run(PLAN)).toMatchObject({ status: 'done', output: 3 });
      await polyphony.close();
      expect(parts.seen).toEqual(all);
      expect(handled).toBeGreaterThan(0);
    }
  });

  it('count once when setup returns the plugin itself', async () => {
    let events = 0;
    const plugin: Plugin = {
      name: 'self',
      setup() {
        return this;
      },
      onEvent(event) {
        if (event.type === 'run-started') events += 1;
      },
    };
    const polyphony = await open([plugin]);
    await polyphony.run({ version: 1, nodes: [{ id: 'b', use: 'value', in: { x: 1 } }] });
    await polyphony.close();
    expect(events).toBe(1);
  });
});

describe('fields of the wrong kind', () => {
  const wrong: readonly object[] = [
    ...['providers', 'tools', 'evaluators', 'steps'].flatMap((field) => [{ [field]: 5 }, { [field]: [null] }]),
    ...['rank', 'node', 'onEvent', 'ready', 'close'].map((field) => ({ [field]: 3 })),
    ...[3, [], { m: 3 }, { m: 'x' }].map((tokenizers) => ({ tokenizers })),
    ...['request', 'attempt'].flatMap((field) => [
      { [field]: {} },
      { [field]: [null] },
      { [field]: { place: 'cache' } },
    ]),
  ];

  it('are refused by their name, in the plugin and in what setup returns', async () => {
    for (const parts of wrong) {
      const [field = ''] = Object.keys(parts);
      const expected = { code: 'invalid-config', message: expect.stringContaining(`"${field}" of the plugin "odd"`) };
      await expect(open([{ name: 'odd', ...parts }])).rejects.toMatchObject(expected);
      await expect(open([{ name: 'odd', setup: () => parts }])).rejects.toMatchObject(expected);
    }
  });

  it('and what is no plugin at all', async () => {
    for (const plugin of [null, undefined, 'x', {}, { name: 4 }, { name: '' }]) {
      await expect(createPolyphony({ plugins: [plugin as unknown as Plugin] })).rejects.toMatchObject({
        code: 'invalid-config',
      });
    }
  });
});

describe('promises where none are awaited', () => {
  const unhandled: unknown[] = [];
  const listen = (error: unknown): void => void unhandled.push(error);
  // The test runner has a listener of its own, which fails the test file.
  const others = process.listeners('unhandledRejection');
  beforeEach(() => {
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', listen);
    unhandled.length = 0;
  });
  afterEach(() => {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  });
  const failing = async (): Promise<never> => {
    throw new Error('late');
  };

  it('of onEvent: what it rejects with is logged', async () => {
    const warned: object[] = [];
    const note = (): void => undefined;
    const logger: Logger = { debug: note, info: note, error: note, warn: (fields) => void warned.push(fields) };
    const polyphony = await open([{ name: 'late', onEvent: failing }], { logger });
    await polyphony.run({ version: 1, nodes: [{ id: 'b', use: 'value', in: { x: 1 } }] });
    await soon();
    await polyphony.close();
    expect(warned[0]).toMatchObject({ plugin: 'late', error: { message: 'late' } });
    expect(unhandled).toEqual([]);
  });

  it('of rank and of a layer: the call fails with the name of the plugin', async () => {
    const plugins = [
      { rank: failing },
      ...[failing, () => undefined, () => 5, () => null].flatMap((handle) => [
        { request: { place: 'cache', handle } },
        { attempt: { place: 'retry', handle } },
      ]),
    ];
    for (const plugin of plugins) {
      const polyphony = await open([{ name: 'late', ...plugin }]);
      const expected = { code: 'plugin-failed', message: expect.stringContaining('The plugin "late" failed: its ') };
      await expect(ask(polyphony)).rejects.toMatchObject(expected);
      const read = async () => {
        for await (const _event of polyphony.gateway.stream({ prompt: 'Hello' }));
      };
      await expect(read()).rejects.toMatchObject(expected);
      await polyphony.close();
    }
    await soon();
    expect(unhandled).toEqual([]);
  });

  it('of rank: what is no candidate is named, whatever it is', async () => {
    for (const odd of [1n, null, {}, { target: null }, { target: 5 }, 'x', Symbol('x')]) {
      const polyphony = await open([{ name: 'odd', rank: () => [odd] }]);
      await expect(ask(polyphony)).rejects.toMatchObject({ code: 'plugin-failed' });
      await polyphony.close();
    }
  });

  it('of a handle: cancelling a run that could not begin does nothing', async () => {
    const polyphony = await open([], {
      engine: () => ({
        start: () => {
          throw new Error('not here');
        },
        close: async () => undefined,
      }),
    });
    const { plan } = await polyphony.validate({ version: 1, nodes: [{ id: 'b', use: 'value', in: { x: 1 } }] });
    if (plan === undefined) throw new Error('the plan is valid');
    const handles = [polyphony.engine.start(plan), polyphony.engine.startRequest('Do.')];
    for (const handle of handles) {
      handle.cancel();
      await expect(handle.result()).rejects.toBeInstanceOf(Error);
    }
    await soon();
    await polyphony.close();
    expect(unhandled).toEqual([]);
  });
});

describe('a creation that fails', () => {
  function closing(id: string, closed: string[]): Provider {
    return { ...fakeProvider({ id }), close: async () => void closed.push(id) };
  }
  const layer = { place: 'nowhere', handle: () => undefined };

  it('closes the providers that setup returned, once', async () => {
    const later: readonly object[] = [
      { setup: () => Promise.reject(new Error('no')) },
      { setup: () => ({ request: layer }) },
      { ready: () => Promise.reject(new Error('no')) },
      { setup: () => ({ providers: [fakeProvider({ id: 'made' })] }) },
    ];
    for (const parts of later) {
      const closed: string[] = [];
      const first = {
        name: 'first',
        providers: [closing('own', closed)],
        setup: () => ({ providers: [closing('made', closed)] }),
      };
      await expect(open([first, { name: 'later', ...parts }])).rejects.toThrow();
      expect(closed.sort()).toEqual(['made', 'own']);
    }
  });
});

it('refuses what is no plan, in words', async () => {
  const polyphony = await open([]);
  const codeOf = (what: unknown) => polyphony.run(what as Plan).then(undefined, ({ code }: { code: unknown }) => code);
  for (const what of [null, undefined, 42]) expect(await codeOf(what)).toBe('invalid-request');
  for (const what of [[], { hash: 'x', version: 1, nodes: [] }]) expect(await codeOf(what)).toBe('invalid-plan');
  await polyphony.close();
});
