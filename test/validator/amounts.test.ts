/** Numbers of a plan that no run could use are told by its validation, before anything is paid. */
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/index.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';
import { ask } from './fragments.ts';

const TOO_MUCH = [1e308, 9_000_000.01, Number.NaN, Number.POSITIVE_INFINITY, -1];
const TOO_LONG = [1e308, 315_360_001, Number.NaN, Number.POSITIVE_INFINITY, 0, -1];
const NO_COUNT = [1e308, 1.5, Number.NaN, -1];

type Field = readonly [place: string, values: readonly number[], fits: number, put: (value: number) => object];
type Holder = readonly [what: string, at: string, holding: (part: object) => object];

const OF_NODES: readonly Field[] = [
  ['/limits/usd', TOO_MUCH, 9_000_000, (usd) => ({ limits: { usd } })],
  ['/limits/seconds', TOO_LONG, 315_360_000, (seconds) => ({ limits: { seconds } })],
  ['/limits/attemptSeconds', TOO_LONG, 315_360_000, (attemptSeconds) => ({ limits: { attemptSeconds } })],
  ['/limits/retries', NO_COUNT, 10, (retries) => ({ limits: { retries } })],
  ['/limits/tokens', NO_COUNT, 1, (tokens) => ({ limits: { tokens } })],
  ['/limits/concurrency', NO_COUNT, 1000, (concurrency) => ({ limits: { concurrency } })],
  ['/model/intent/usd', TOO_MUCH, 9_000_000, (usd) => ({ model: { intent: { usd } } })],
  ['/in/maxTokens', [...NO_COUNT, 0], 100, (maxTokens) => ({ in: { prompt: 'x', maxTokens } })],
  ['/in/rounds', [...NO_COUNT, 0], 2, (rounds) => ({ in: { prompt: 'x', tools: ['search'], rounds } })],
  ['/in/toolLimits/search/usd', TOO_MUCH, 9_000_000, (usd) => limited({ usd })],
  ['/in/toolLimits/search/calls', [...NO_COUNT, 0], 2, (calls) => limited({ calls })],
];
const OF_PLANS: readonly Field[] = [
  ['/budget/usd', TOO_MUCH, 9_000_000, (usd) => ({ budget: { usd } })],
  ['/budget/seconds', TOO_LONG, 315_360_000, (seconds) => ({ budget: { seconds } })],
];

const limited = (search: object) => ({ in: { prompt: 'x', tools: ['search'], toolLimits: { search } } });
const call = { id: 'a', use: 'workflow:own' };
const HOLDERS: readonly Holder[] = [
  ['a plan', '', (part) => ({ version: 1, ...part })],
  ['a workflow of a plan', '/workflows/own', (part) => ({ version: 1, workflows: { own: part }, nodes: [call] })],
];

const errorsOf = (raw: unknown) =>
  validate(raw, catalogue(), { repair: false }).issues.filter(({ severity }) => severity === 'error');

describe.each(HOLDERS)('a number in %s', (_what, at, holding) => {
  const fields = [
    ...OF_PLANS.map(([place, values, fits, put]): Field => {
      return [place, values, fits, (value) => ({ nodes: [ask('b', 'x')], ...put(value) })];
    }),
    ...OF_NODES.map(([place, values, fits, put]): Field => {
      return [`/nodes/0${place}`, values, fits, (value) => ({ nodes: [ask('b', 'x', put(value))] })];
    }),
  ];
  it.each(fields)('%s has an issue where it is none that a run can hold', (place, values, fits, put) => {
    for (const value of values) {
      const found = errorsOf(holding(put(value))).filter(({ path }) => path === `${at}${place}`);
      expect(found.map(({ message }) => message).join(), `${value}`).toMatch(
        /: (?:give|lower) |at most|at least|whole|integer/,
      );
    }
    expect(errorsOf(holding(put(fits)))).toEqual([]);
  });
});

describe('the numbers of other steps', () => {
  it.each([
    ['/in/seconds', [1e308, -1], { use: 'wait' }, 'seconds'],
    ['/in/count', [...NO_COUNT, 0], { use: 'image', in: { prompt: 'x' } }, 'count'],
    ['/in/seed', [1e308, 1.5, Number.NaN], { use: 'image', in: { prompt: 'x' } }, 'seed'],
    ['/in/top', [...NO_COUNT, 0], { use: 'rerank', in: { query: 'x', documents: ['y'] } }, 'top'],
  ] as const)('%s have an issue too', (place, values, node, field) => {
    for (const value of values) {
      const inputs = { ...('in' in node ? node.in : {}), [field]: value };
      const paths = errorsOf({ version: 1, nodes: [{ ...node, id: 'a', in: inputs }] }).map(({ path }) => path);
      expect(paths, `${value}`).toContain(`/nodes/0${place}`);
    }
  });
});

it('is repaired by the planner that wrote it, not thrown when the run begins', async () => {
  const written = (usd: number) =>
    JSON.stringify({ version: 1, budget: { usd }, nodes: [ask('a', 'Say it.')], output: '{{a}}' });
  let plans = 0;
  const provider = fakeProvider({
    models: [fakeCard({ id: 'one', capabilities: [...fakeCard({ id: 'one' }).capabilities, 'planning'] })],
    script: ({ purpose }) => (purpose === 'planner' ? written(++plans === 1 ? 1e308 : 1) : 'said'),
  });
  const polyphony = await createPolyphony({ providers: [provider], defaults: false, config: { allowUnpriced: true } });
  expect(await polyphony.run('Say it.')).toMatchObject({ status: 'done' });
  expect(plans).toBe(2);
  await polyphony.close();
});
