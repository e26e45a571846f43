import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallOptions } from '../../src/core/gateway.ts';
import type { RequestLimits } from '../../src/core/model/model.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { fakeProvider } from '../../src/testing/fakes.ts';

const PLAN: Plan = { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' };
let asked = 0;
let polyphony: Polyphony;

beforeEach(async () => {
  asked = 0;
  const script = () => {
    asked += 1;
    return 'yes';
  };
  polyphony = await createPolyphony({ plugins: [], providers: [fakeProvider({ script })] });
});
afterEach(() => polyphony.close());

/** As a program in JavaScript passes them. */
const unchecked = <T>(options: object): T => options as T;

const WRONG: readonly (readonly [options: object, message: string])[] = [
  [{ budget: 1 }, 'has no field "budget": did you mean "budgetUsd"? It may have'],
  [{ budgetUSD: 1 }, 'has no field "budgetUSD": did you mean "budgetUsd"? It may have'],
  [{ zzzz: 1 }, 'has no field "zzzz": it may have'],
  [{ budgetUsd: Number.NaN }, 'The budget of a run (budgetUsd) cannot be NaN: give a number from 0 to 9,000,000.'],
  [{ budgetUsd: '1' }, 'The budget of a run (budgetUsd) cannot be "1": give a number'],
  [{ budgetUsd: -1 }, 'The budget of a run (budgetUsd) cannot be -1: give a number'],
  [{ signal: 'x' }, 'signal is "x", but it must be an AbortSignal'],
  [{ level: 'x' }, 'level is "x", but it must be a whole number'],
  [{ approval: { aboveUSD: 1 } }, 'The approval of a run has no field "aboveUSD": did you mean "aboveUsd"?'],
  [{ runId: 'a\0b' }, 'The id of a run cannot be "a\\u0000b"'],
  [{ runId: '' }, 'The id of a run cannot be ""'],
  [{ session: '\ud800' }, 'A session cannot be "\\ud800"'],
  [{ scopes: [{ kind: 'user', id: 'u', capNanoUsd: Number.NaN }] }, 'The cap of user "u" cannot be NaN'],
  [{ concurrency: Number.NaN }, 'The concurrency of a run cannot be NaN'],
  [{ concurrency: 0 }, 'The concurrency of a run cannot be 0'],
];

describe.each(WRONG)('%j', (options, message) => {
  it.each(['a plan', 'a request', 'a request that is planned first', 'the engine', 'a fork'])(
    'is refused for %s',
    async (entry) => {
      const started = {
        'a plan': () => polyphony.run(PLAN, {}, unchecked(options)),
        'a request': () => polyphony.run('Do it', {}, unchecked(options)),
        'a request that is planned first': () =>
          polyphony.run('Do it', {}, unchecked({ ...options, streaming: false })),
        'the engine': () => polyphony.engine.startRequest('Do it', unchecked(options)).result(),
        'a fork': async () => {
          await polyphony.run(PLAN, {}, { runId: 'source' });
          return polyphony.runs.fork('source', unchecked({ from: 'a', ...options }));
        },
      }[entry];
      await expect(started?.()).rejects.toThrow(message);
      expect(asked).toBe(0);
    },
  );
});

describe('calls', () => {
  const ask = (options: object, limits?: object): Promise<unknown> =>
    polyphony.gateway.generate(
      { messages: [{ role: 'user', content: 'x' }], ...(limits && { limits: unchecked<RequestLimits>(limits) }) },
      unchecked<CallOptions>(options),
    );

  it('refuse a misspelt option or limit, a cap and an id that are none', async () => {
    await expect(ask({ scope: [] })).rejects.toThrow('A call has no field "scope"');
    await expect(ask({}, { dollars: 1 })).rejects.toThrow('limits has no field "dollars": it may have usd, ms,');
    await expect(ask({}, { usd: Number.NaN })).rejects.toThrow(
      'limits.usd is NaN, but it must be a number of US dollars from 0 to 9,000,000',
    );
    await expect(ask({ scopes: [{ kind: 'tenant', id: 't', capNanoUsd: Number.NaN }] })).rejects.toThrow(
      'The cap of tenant',
    );
    await expect(ask({ session: 's\n' })).rejects.toThrow('A session cannot be "s\\n"');
    await expect(ask({ id: '\udc00' })).rejects.toThrow('The id of a call cannot be');
    expect(asked).toBe(0);
  });
});

it('refuses ids that no run can have, wherever a run is taken by its id', async () => {
  const id = 'run\ud800';
  const refusal = 'The id of a run cannot be "run\\ud800"';
  const { runs } = polyphony;
  await expect(runs.show(id)).rejects.toThrow(refusal);
  await expect(runs.resume(id)).rejects.toThrow(refusal);
  await expect(runs.answer(id, 'a', 1)).rejects.toThrow(refusal);
  await expect(runs.cancel(id)).rejects.toThrow(refusal);
  await expect(runs.fork(id, { from: 'a' })).rejects.toThrow(refusal);
  await expect(runs.replay(id)[Symbol.asyncIterator]().next()).rejects.toThrow(refusal);
  await expect(runs.watch(id)[Symbol.asyncIterator]().next()).rejects.toThrow(refusal);
});
