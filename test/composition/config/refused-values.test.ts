/** Values of the config and of calls that would be taken without a word and do nothing, or something else. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import { createGateway } from '../../../src/gateway/create-gateway.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../../src/testing/fakes.ts';
import { noTransport, user } from '../../gateway/harness.ts';

const providers = () => [
  fakeProvider({ models: [fakeCard({ id: 'one', aliases: ['first'] }), fakeCard({ id: 'two' })] }),
];
const made = (config: Config): Promise<unknown> =>
  createPolyphony({ providers: providers(), plugins: [], defaults: false, config });

describe('amounts of money', () => {
  it('are whole nano-dollars in a scope', async () => {
    const polyphony = await createPolyphony({ providers: providers(), plugins: [], defaults: false });
    const ask = (given: object) =>
      polyphony.gateway.generate(user(), { scopes: [{ kind: 'user', id: 'u', ...given }] });
    for (const given of [{ capNanoUsd: 0.5 }, { capNanoUsd: 1e9, spentNanoUsd: 1.5 }]) {
      await expect(ask(given)).rejects.toThrow(/cannot be (0\.5|1\.5) nano-dollars: give a whole number/);
    }
    await ask({ capNanoUsd: 1_000_000_000 });
    await ask({ capNanoUsd: Number.POSITIVE_INFINITY });
    await polyphony.close();
  });

  it.each<[string, Config]>([
    ['budgets[0].usd', { budgets: [{ scope: 'tenant', usd: 1e7 }] }],
    ['planner.maxUsd', { planner: { maxUsd: 1e7 } }],
    ['approval.aboveUsd', { approval: { aboveUsd: 1e7 } }],
    ['routes.a.usd', { routes: { a: { tier: 'fast', usd: 1e7 } } }],
    ['classify.usd', { classify: { usd: 1e7 } }],
    ['health.paidUsd', { health: { paidUsd: 1e7 } }],
    ['health.sweep.usd', { health: { sweep: { usd: 1e7 } } }],
    ['warm.one.usdPerDay', { warm: { one: { everyMs: 60_000, usdPerDay: 1e7 } } }],
  ])('are no more than can be counted: %s', async (field, config) => {
    await expect(made(config)).rejects.toThrow(field);
  });
});

describe('addresses with a user or a password', () => {
  it('are refused for a webhook, with what to do instead, and without the password', async () => {
    for (const url of ['https://ann:hunter22@alerts.example/a', 'https://ann@alerts.example']) {
      const error: unknown = await made({ webhooks: [{ url }] }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: 'invalid-config',
        message: expect.stringMatching(/webhooks\[0\]\.url.*"secret"/),
      });
      expect(String(error)).not.toContain('hunter22');
    }
    await expect(made({ webhooks: [{ url: 'https://alerts.example/@ann' }] })).resolves.toBeDefined();
  });
});

describe('secrets', () => {
  it('in the address of an MCP server are refused, and not shown', async () => {
    const given = { mcp: { crm: { url: 'https://ann:hunter22@crm.example/mcp' } } };
    const error: Error = await made(given).then(
      () => new Error('it was taken'),
      (thrown: Error) => thrown,
    );
    expect(error.message).toContain('mcp.crm.url: leave the user and the password out: name a variable in "headers"');
    expect(error.message).not.toContain('hunter22');
  });

  it.each([
    { priceUpdates: { secret: 'hunter22-and-more' } },
    { priceUpdates: { secret: `hunter22${'x'.repeat(1000)}` } },
    { webhooks: [{ url: 'https://a.example', secret: 'hunter22-and-more' }] },
  ])('in place of where they are, are not shown', async (config) => {
    const error: Error = await made(config).then(
      () => new Error('it was taken'),
      (thrown: Error) => thrown,
    );
    expect(error.message).toMatch(/secret cannot be used: (write where the secret is|give at most)/);
    expect(error.message).not.toContain('hunter22');
  });
});

describe('names that must differ', () => {
  it.each<[string, Config]>([
    ['"of" and "model" must differ', { candidates: { v2: { of: 'one', model: 'one' } } }],
    ['which is the same model', { candidates: { v2: { of: 'fake/one', model: 'first' } } }],
    [
      'which has a candidate already, candidates.v2: remove one of them',
      { candidates: { v2: { of: 'fake/one', model: 'fake/two' }, v3: { of: 'first', model: 'fake/two' } } },
    ],
    ['"from" and "to" must differ', { fallbacks: { prompts: [{ from: 'fake/one', to: 'fake/one', text: 'x' }] } }],
    [
      '"replacedBy" must name another',
      { models: { 'fake/one': { lifecycle: { stage: 'deprecated', replacedBy: 'fake/one' } } } },
    ],
  ])('are refused: %s', async (rule, config) => {
    await expect(made(config)).rejects.toThrow(rule);
  });

  it('are refused by a gateway of its own too', () => {
    const { keyValue } = memoryStores();
    const config = { candidates: { v2: { of: 'one', model: 'fake/one' } } };
    const given = { providers: providers(), runtime: fakeRuntime(), keyValue, transport: noTransport, config };
    expect(() => createGateway(given)).toThrow('which is the same model');
    expect(() =>
      createGateway({ ...given, config: { candidates: { v2: { of: 'one', model: 'two' } } } }),
    ).not.toThrow();
  });
});
