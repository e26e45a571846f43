import { expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { createPolyphony } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';
import { harness, user } from './harness.ts';

const WRONG: readonly (readonly [path: string, config: Config])[] = [
  ...[Number.NaN, 1e308, -1].map((usd) => ['config.budgets.0.usd', { budgets: [{ scope: 'tenant', usd }] }] as const),
  ['config.sessions.budgetUsd', { sessions: { budgetUsd: Number.NaN } } as unknown as Config],
  ['config.retry.retries', { retry: { retries: Number.NaN } }],
];

it.each(WRONG)('the own reconfigure of a gateway refuses %s, and keeps what was', async (path, config) => {
  const { gateway, run } = harness({ providers: [fakeProvider({})] });
  expect(() => gateway.reconfigure(config)).toThrow(expect.objectContaining({ code: 'invalid-config' }));
  expect(() => gateway.reconfigure(config)).toThrow(path);
  const scopes = [{ kind: 'tenant', id: 'a' }] as const;
  expect(await run(gateway.generate(user(), { scopes }))).toMatchObject({ finishReason: 'stop' });
});

it('a gateway of a program that finds the method is no other', async () => {
  const polyphony = await createPolyphony({ providers: [fakeProvider({})], defaults: false });
  const { reconfigure } = polyphony.gateway as unknown as { reconfigure(config: Config): void };
  expect(() => reconfigure({ budgets: [{ scope: 'run', usd: Number.NaN }] })).toThrow('config.budgets.0.usd is NaN');
  await polyphony.close();
});
