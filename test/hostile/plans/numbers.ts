/** Plans with numbers that are none, or that no machine can keep. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, type PlanCase, times, value } from './plan-case.ts';

/** As JSON text, because most of them are no JSON. */
const NUMBERS: Readonly<Record<string, string>> = {
  nan: 'NaN',
  infinity: 'Infinity',
  overflow: '1e999',
  huge: '1e308',
  negative: '-1',
  'minus-zero': '-0',
  fraction: '0.5',
  tiny: '5e-324',
  text: '"1e9"',
  'not-whole-any-more': '9007199254740993',
  'a-hundred-thousand-digits': '9'.repeat(100_000),
};

const withField = (field: string, number: string): PlanCase => ({
  plan: () =>
    JSON.stringify(document([value('a', { x: 1 }), llm('b', '{{a.x}}')])).replace(
      '"use":"llm",',
      `"use":"llm",${field.replace('#', number)},`,
    ),
});

const LIMITS = '"limits":{"usd":#,"seconds":#,"retries":#,"concurrency":#,"tokens":#}';

export const numbers: readonly Family<PlanCase>[] = [
  each('limits', NUMBERS, (number) => withField(LIMITS.replaceAll('#', number), number)),
  each('rounds', NUMBERS, (number) => withField('"repeat":{"until":"false","max":#}', number)),
  each('quorum', NUMBERS, (number) => withField('"needs":["a"],"wait":{"atLeast":#}', number)),
  each('threshold', NUMBERS, (number) =>
    withField('"escalate":{"evaluator":"validators","below":#,"to":["premium"]}', number),
  ),
  each('budget', NUMBERS, (number) => ({
    plan: () =>
      JSON.stringify(document([llm('a', 'x')])).replace(
        '"goal"',
        `"budget":{"usd":${number},"seconds":${number}},"goal"`,
      ),
  })),
  each('version', { ...NUMBERS, two: '2', list: '[1]', none: 'null' }, (number) => ({
    plan: () => JSON.stringify(document([value('a', {})])).replace('"version":1', `"version":${number}`),
  })),
  each('temperature', NUMBERS, (number) => ({
    plan: () =>
      JSON.stringify(document([llm('a', 'x')])).replace(
        '"prompt"',
        `"temperature":${number},"maxTokens":${number},"prompt"`,
      ),
  })),
  {
    'numbers-by-the-thousand': {
      plan: () =>
        `{"version":1,"nodes":[{"id":"a","use":"value","in":{"x":[${times(100_000, () => '1e308').join(',')}]}}]}`,
    },
  },
];
