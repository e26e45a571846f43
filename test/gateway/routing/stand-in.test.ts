/** The embedded engine stands in where there is no model: it never competes with one, and answers where it is named. */
import { afterEach, describe, expect, it } from 'vitest';
import { embedded } from '../../../plugins/providers/embedded.ts';
import type { ModelRequest, Plan, Polyphony, PolyphonyOptions } from '../../../src/index.ts';
import { createPolyphony, PolyphonyError } from '../../../src/index.ts';
import { fakeProvider } from '../../../src/testing/index.ts';

let polyphony: Polyphony;
afterEach(() => polyphony.close());

const real = (fails = false) =>
  fakeProvider({
    id: 'real',
    script: () => {
      if (fails) throw new PolyphonyError('overloaded', 'The server is down.', { retryable: true });
      return 'real';
    },
  });

async function open(providers: PolyphonyOptions['providers'], config: PolyphonyOptions['config'] = {}) {
  polyphony = await createPolyphony({ providers: providers ?? [], defaults: false, config });
  return polyphony.gateway;
}

const messages = [
  {
    role: 'user',
    content: 'Summarise the following text in one sentence.\n\nThe ferry leaves the harbour at nine. It is blue.',
  },
] as const;
const REQUESTS: readonly (readonly [string, Partial<ModelRequest>])[] = [
  ['anything', {}],
  ['a tier that only the embedded one has', { model: { tier: 'premium' } }],
  ['what costs least', { optimise: 'cost' }],
  ['what is fastest', { optimise: 'latency' }],
  ['what is best', { optimise: 'quality' }],
  ['data that nobody may keep', { sensitivity: 'regulated' }],
  ['what costs nothing', { limits: { usd: 0 } }],
];

describe('beside a model that could serve it', () => {
  it.each(REQUESTS)('is no candidate for %s', async (_name, more) => {
    const gateway = await open([embedded(), real()]);
    const { candidates, rejected } = gateway.explain({ operation: 'chat', messages, ...more } as never);
    expect(candidates.map(({ target }) => target.provider)).not.toContain('embedded');
    if (candidates.length > 0) {
      const reason = rejected.find(({ target }) => target.model === 'fast')?.failed.join();
      expect(reason).toMatch(/stands in for other models|tier|cost/);
    }
  });
  it('does not take over when that model fails', async () => {
    const gateway = await open([embedded(), real(true)]);
    await expect(gateway.generate({ messages })).rejects.toMatchObject({ code: 'overloaded' });
  });
  it('is not counted on by a plan', async () => {
    await open([embedded(), real()]);
    const plan: Plan = {
      version: 1,
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, model: { tier: 'premium' } }],
    };
    const { issues } = await polyphony.validate(plan);
    expect(issues.map(({ code, message }) => [code, message.includes('embedded')])).toEqual([['model.tier', false]]);
  });
});

describe('where it is named', () => {
  it.each([
    ['by the request', 'embedded/fast', {}],
    ['by an alias of the config', 'small', { aliases: { small: 'embedded/fast' } }],
    ['in a route of the config', { route: 'r' }, { routes: { r: { chain: ['embedded/thorough', 'real/small'] } } }],
  ] as const)('%s, it answers', async (_name, model, config) => {
    const gateway = await open([real(), embedded()], config as never);
    const { target } = await gateway.generate({ messages, model: model as never });
    expect(target.provider).toBe('embedded');
  });
});

describe('where nothing else can serve the request', () => {
  it('answers', async () => {
    const gateway = await open([embedded()]);
    expect((await gateway.generate({ messages })).target.provider).toBe('embedded');
  });
});
