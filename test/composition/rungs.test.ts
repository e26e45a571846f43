/** A rung is a tier or a known model, wherever its rule enters; else it is refused before anything is paid. */
import { afterEach, describe, expect, it } from 'vitest';
import { escalation } from '../../plugins/escalation/escalation.ts';
import type { Polyphony, PolyphonyOptions, Provider } from '../../src/index.ts';
import { createPolyphony, llm, workflow } from '../../src/index.ts';
import { type FakeProvider, fakeCard, fakeProvider } from '../../src/testing/index.ts';

const opened: Polyphony[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

interface House {
  readonly polyphony: Polyphony;
  readonly asked: () => number;
}

/** `shop` lists its models, `free` takes any name, and `quiet` has none. */
async function house(options: PolyphonyOptions = {}, more: readonly Provider[] = []): Promise<House> {
  const models = [fakeCard({ id: 'alder', tier: 'fast' }), fakeCard({ id: 'beech', tier: 'premium' })];
  const shop = fakeProvider({ id: 'shop', models, script: () => 'said' });
  const free: Provider = { ...fakeProvider({ id: 'free', models: [] }), unlisted: (id) => fakeCard({ id }) };
  const quiet = fakeProvider({ id: 'quiet', models: [] });
  const polyphony = await createPolyphony({ providers: [shop, free, quiet, ...more], ...options });
  opened.push(polyphony);
  return { polyphony, asked: () => (shop as FakeProvider).seen.length };
}

const ruleFor = (rung: string) => ({ evaluator: 'validators', below: 0.1, to: ['balanced', rung] });
const aliases = { planks: 'shop/beech' };

type Entry = (rung: string) => Promise<House>;

const ENTRIES: Readonly<Record<string, Entry>> = {
  async request(rung) {
    const made = await house({ config: { aliases } });
    await made.polyphony.gateway.generate({ prompt: 'x', escalate: ruleFor(rung) });
    return made;
  },
  async 'streamed request'(rung) {
    const made = await house({ config: { aliases } });
    for await (const _ of made.polyphony.gateway.stream({ prompt: 'x', escalate: ruleFor(rung) }));
    return made;
  },
  config: (rung) => house({ config: { aliases, escalate: ruleFor(rung) } }),
  'policy of the plugin': (rung) =>
    house({ config: { aliases }, plugins: [escalation({ policy: ruleFor(rung) })], defaults: true }),
  async node(rung) {
    const made = await house({ config: { aliases } });
    const node = { id: 'a', use: 'llm', in: { prompt: 'x' }, escalate: ruleFor(rung) };
    await made.polyphony.run({ version: 1, nodes: [node], output: '{{a.text}}' });
    return made;
  },
  async workflow(rung) {
    const made = await house({ config: { aliases } });
    const built = workflow({ id: 'flow' })
      .node('a', llm, () => ({ in: { prompt: 'x' }, escalate: ruleFor(rung) }))
      .output(({ a }) => a.text);
    await made.polyphony.run(built, {});
    return made;
  },
};

const KNOWN = ['fast', 'premium', 'beech', 'shop/beech', 'planks', 'free/whatever-it-has'];
const UNKNOWN: readonly (readonly [rung: string, said: RegExp])[] = [
  ['premium2', /premium2.*premium/s],
  ['shop/beach', /shop\/beach.*beech/s],
  ['zzyzx', /zzyzx/],
  ['nobody/beech-9', /nobody\/beech-9/],
  ['', /to/],
];

describe.each(Object.keys(ENTRIES))('a rung in the rule of a %s', (entry) => {
  const enter = (rung: string) => (ENTRIES[entry] as Entry)(rung);
  it.each(KNOWN)('may be %s', async (rung) => {
    await expect(enter(rung)).resolves.toBeDefined();
  });
  it.each(UNKNOWN)('cannot be "%s"', async (rung, said) => {
    await expect(enter(rung)).rejects.toMatchObject({
      code: expect.stringMatching(/^invalid-(request|config|plan)$/),
      retryable: false,
      message: expect.stringMatching(said),
    });
  });
});

describe('what nobody can know to be wrong', () => {
  it('a model of a provider that lists none', async () => {
    await expect(ENTRIES.config?.('quiet/later')).resolves.toBeDefined();
    await expect(ENTRIES.request?.('quiet/later')).resolves.toBeDefined();
  });
  it('a bare name while a server that lists its models is off, but not a misspelt one', async () => {
    const off: Provider = {
      ...fakeProvider({ id: 'cellar', models: [] }),
      listModels: () => Promise.reject(new Error('off')),
    };
    const open = (rung: string) => house({ config: { escalate: ruleFor(rung) } }, [off]);
    await expect(open('cider:8b')).resolves.toBeDefined();
    await expect(open('premum')).rejects.toMatchObject({ code: 'invalid-config' });
  });
  it('any name without a provider', async () => {
    const made = createPolyphony({ providers: [], config: { escalate: ruleFor('shop/beech') } });
    opened.push(await made);
  });
});

it('nothing is asked where a rung is refused, and a later config may not take its name away', async () => {
  const { polyphony, asked } = await house({ config: { aliases, escalate: ruleFor('planks') } });
  const refused = polyphony.gateway.generate({ prompt: 'x', escalate: ruleFor('plonk') });
  await expect(refused).rejects.toMatchObject({ code: 'invalid-request' });
  expect(asked()).toBe(0);
  await expect(polyphony.reconfigure({ escalate: ruleFor('planks') })).rejects.toMatchObject({
    code: 'invalid-config',
  });
  await expect(polyphony.gateway.generate({ prompt: 'x', model: 'planks' })).resolves.toMatchObject({
    target: { model: 'beech' },
  });
});

it('a policy of a program in JavaScript is checked as a rule of a request is', async () => {
  const policy = { evaluator: 'validators', below: 70, to: ['premium'] };
  await expect(house({ plugins: [escalation({ policy })], defaults: true })).rejects.toMatchObject({
    code: 'invalid-config',
    message: expect.stringContaining('below is 70'),
  });
});
