import { expect, it } from 'vitest';
import { checkedConfig } from '../../../src/composition/config/checked-config.ts';
import type { ConfigInput } from '../../../src/core/config/config-input.ts';

const refusal = async (config: unknown): Promise<string> => {
  const error: Error = await checkedConfig(config as ConfigInput).then(
    () => new Error('it was accepted'),
    (thrown: Error) => thrown,
  );
  return error.message;
};

it.each([
  [{ routes: { a: { chain: [] } } }, 'routes.a.chain is a list: give at least 1 entry'],
  [
    { webhooks: [{ url: 'ftp://x' }] },
    'webhooks[0].url is "ftp://x": give an address that begins with http:// or https://',
  ],
  [
    { models: { a: { lifecycle: { stage: 'deprecated', endsOn: '2027-02-30' } } } },
    'endsOn is "2027-02-30": give a date that exists, such as 2027-01-31',
  ],
  [
    { budgets: [{ scope: 'run', usd: 1, raises: [{ usd: 1, until: '2027-01-31' }] }] },
    'until is "2027-01-31": give a time with its zone, such as 2027-01-31T18:00:00Z',
  ],
  [{ limit: {} }, '- "limit" is not a field: did you mean limits?'],
  [{ limits: { run: { call: 3 } } }, '- "limits.run.call" is not a field: did you mean limits.run.calls?'],
  [
    { limits: { values: { xyz: 3 } } },
    '- "limits.values.xyz" is not a field: remove it, or use one of valueBytes, renderedBytes, runBytes, writtenBytes',
  ],
  [{ routes: { quick: { chian: [] } } }, '"routes.quick.chian" is not a field: did you mean routes.quick.chain?'],
  [{ routes: { a: {} } }, 'routes.a: give either "chain" or "tier"'],
  [{ routes: { a: { tier: 'fast', chain: ['x'] } } }, 'routes.a: give either "chain" or "tier"'],
  [
    { routes: { a: { tier: 'fast' } }, tasks: { b: { examples: ['x'] } } },
    'tasks.b: leads to the route "b", which the config does not have: the routes are a',
  ],
  [{ budgets: [{ scope: 'run', usd: 1, alerts: [50] }] }, 'alerts[0] is 50: give at most 1, such as 0.5 for 50 %'],
  [{ budgets: [{ scope: 'run', usd: 1, drift: 40 }] }, 'drift is 40: give at most 1, such as 0.4 for 40 %'],
  [{ budgets: [{ scope: 'provider', usd: 1, shiftAt: 80 }] }, 'shiftAt is 80: give at most 1, such as 0.8 for 80 %'],
  [{ claims: { share: 0.1, tolerance: 5 } }, 'claims.tolerance is 5: give at most 1, such as 0.05 for 5 %'],
  [{ hedge: { share: 1.5 } }, 'hedge.share is 1.5: give at most 1, such as 0.05 for 5 %'],
  [{ candidates: { a: { of: 'x', model: 'y', margin: 20 } } }, 'margin is 20: give at most 0.5, such as 0.2 for 20 %'],
  [
    { aliases: { a: 'b', b: 'c', c: 'b' } },
    '- aliases.a: leads in a circle ("a" to "b" to "c" to "b"), so it names no model: point one of them at a model',
  ],
  [
    { aliases: Object.fromEntries(Array.from({ length: 9 }, (_, step) => [`a${step}`, `a${step + 1}`])) },
    '- aliases.a0: leads through more than 8 aliases',
  ],
  [
    { candidates: { one: { of: 'x', model: 'y' }, two: { of: 'x', model: 'z' } } },
    'candidates.two.of: "x" has a candidate already, candidates.one: remove one of them',
  ],
  [
    {
      aliases: { cheap: 'acme/x' },
      candidates: { one: { of: 'cheap', model: 'y' }, two: { of: 'acme/x', model: 'z' } },
    },
    'candidates.two.of: "acme/x" has a candidate already, candidates.one: remove one of them',
  ],
  [
    { aliases: { cheap: 'acme/x' }, candidates: { one: { of: 'acme/x', model: 'cheap' } } },
    'candidates.one.model: "cheap" is the model "acme/x" itself, by an alias: name another one',
  ],
  [
    { mcp: { CRM: { command: 'x' } } },
    '- mcp.CRM cannot be named so: begin with a letter, then a-z, 0-9 and -, at most 31',
  ],
  [{ tasks: { A: {} } }, '- tasks.A cannot be named so: begin with a letter, then a-z, 0-9, _ and -, at most 40'],
  [{ aliases: { '': 'x' } }, 'cannot be named so: give at least 1 character'],
  [
    { tools: { request: { hosts: ['a'], secrets: { a: { env: 'A', hosts: ['a'], header: 'x y' } } } } },
    'header is "x y": write letters, digits and -, at most 64',
  ],
  [{ classify: { otherwise: 'x' } }, 'classify.otherwise: leads to the route "x", which the config does not have'],
  [{ routes: { a: { tier: 'fast' } }, tasks: { a: { when: [{}] } } }, 'tasks.a.when[0]: a rule without conditions'],
  [
    {
      routes: { a: { tier: 'fast' } },
      tasks: Object.fromEntries(
        Array.from({ length: 11 }, (_, task) => [`t${task}`, { route: 'a', examples: Array(500).fill('x') }]),
      ),
    },
    'tasks: at most 5000 examples are taken',
  ],
  [
    { budgets: [{ scope: 'run', usd: 1, periode: 1 }] },
    '"budgets[0].periode" is not a field: did you mean budgets[0].period?',
  ],
  [{ timeouts: { answr: 5 } }, '- "timeouts.answr" is not a field: did you mean timeouts.answerMs?'],
  [{ budgets: [{ scope: 'run' }] }, '- budgets[0].usd is missing: give a number'],
  [{ budgets: [{ scope: 'tenat', usd: 1 }] }, '- budgets[0].scope is "tenat": give one of session, user, team,'],
  [{ limits: { run: { calls: '8 MiB' } } }, '- limits.run.calls is "8 MiB": give a number'],
  [{ limits: { run: { calls: 1.5 } } }, '- limits.run.calls is 1.5: give a whole number'],
  [{ limits: { run: { calls: -1 } } }, '- limits.run.calls is -1: give at least 0'],
  [{ limits: { run: { seconds: 0 } } }, '- limits.run.seconds is 0: give more than 0'],
  [{ limits: { answers: { bytes: 1e9 } } }, '- limits.answers.bytes is 1000000000: give at most 67108864'],
  [{ retention: { runsDays: [3] } }, '- retention.runsDays is a list: give a number'],
  [{ limits: 3 }, '- limits is 3: give an object of fields'],
  [[], '- the config is a list: give an object of fields'],
  [{ retry: { baseMs: 1, baseMilliseconds: 1 } }, '- retry.baseMilliseconds: '],
  [{ budgets: [{ scope: 'run', usd: Number.NaN }] }, '- budgets[0].usd is NaN: give a number'],
])('%j is refused with its field, the rule and the remedy', async (config, line) => {
  expect(await refusal(config)).toContain(line);
});

it('lists at most twenty issues, and shows only the beginning of what was given', async () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${'x'.repeat(900)}${index}`, 1]));
  const message = await refusal(many);
  expect(message.split('\n')).toHaveLength(22);
  expect(message).toContain('and 480 more');
  expect(message.length).toBeLessThan(20_000);
});

it('names no inherited property as a field', async () => {
  expect(await refusal(JSON.parse('{"limits":{"__proto__":1,"constructor":2}}'))).toContain('"limits.constructor"');
});

it('tells each circle of aliases once, and none of what leads to a model', async () => {
  expect((await refusal({ aliases: { a: 'b', b: 'a', c: 'a', d: 'acme/x' } })).match(/leads/g)).toHaveLength(2);
  const chain = Object.fromEntries(Array.from({ length: 8 }, (_, step) => [`a${step}`, `a${step + 1}`]));
  await expect(checkedConfig({ aliases: { ...chain, same: 'same' } })).resolves.toBeDefined();
});
