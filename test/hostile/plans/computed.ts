/** Expressions that want more work, more room or other names than a plan has. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, material, nest, type PlanCase, times, value } from './plan-case.ts';

/** Over `m.items`, ten thousand short texts, and `big.text` of a megabyte. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  'long-body': `m.items.filter(x, m.items.first(100).exists(y, ${"x == 'z' || ".repeat(700)} false))`,
  'long-chain-in-body': `m.items.filter(x, m.items.first(100).exists(y, ${"x != 'z' && ".repeat(700)} false))`,
  'long-sums-in-body': `m.items.filter(x, m.items.first(100).exists(y, ${"'a' + 'b' == 'c' || ".repeat(480)} false))`,
  'branches-in-body': `m.items.map(x, m.items.first(100).map(y, ${"(x == 'q' ? 1 : 2) + ".repeat(400)} 0))`,
  'times-in-body': `m.items.filter(x, m.items.exists(y, ${"timestamp('2026-01-01T00:00:00Z').getHours('Asia/Tokyo') < 0 || ".repeat(140)} false))`,
  'filter-of-filter': nest(25, '', 'm.items', '.filter(x, true)'),
  'map-of-all': 'm.items.map(x, m.items)',
  'map-of-all-twice': 'm.items.map(x, m.items.map(y, [x, y]))',
  'json-of-all': 'm.items.map(x, toJson(m.items))',
  'json-of-json': nest(30, 'toJson(', "'\"'", ')'),
  'json-and-back': nest(8, 'fromJson(toJson(', 'm.items', '))'),
  'open-brackets': `fromJson('${'['.repeat(9000)}')`,
  'join-with-all': 'm.items.join(big.text)',
  'split-to-letters': "big.text.split('')",
  'split-of-splits': "m.items.map(x, big.text.split('a'))",
  'join-of-splits': nest(12, '', "'aa'", ".split('').join('aaaaaaaaaaaaaaaa')"),
  'sort-of-sorts': nest(25, '', "m.items.map(x, {'k': x})", ".sortBy('k')"),
  'sort-of-megabytes': "m.items.map(x, {'k': big.text}).sortBy('k')",
  'unique-of-megabytes': 'm.items.map(x, big.text).unique()',
  'zip-of-all': 'zip(m.items, m.items, m.items).map(x, zip(m.items, m.items))',
  'flatten-of-all': 'm.items.map(x, m.items).flatten()',
  'sizes-of-megabytes': 'm.items.map(x, size(big.text))',
  'letters-of-megabytes': 'm.items.map(x, big.text.lowerAscii())',
  'hash-keys': `{${times(500, (index) => `'k${index}': m.items`).join(', ')}}`,
  'prototype-keys': "{'__proto__': 1, 'constructor': 2, 'toString': 3}",
  'prototype-of-text': 'big.text.__proto__',
  'constructor-of-list': "m.items['constructor']['constructor']",
  'prototype-in-zip': "zip({'__proto__': m.items, 'length': m.items})",
  'prototype-of-json': 'fromJson(\'{"__proto__": {"polluted": true}}\').__proto__',
  'many-digits': `${'9'.repeat(9000)}`,
  'power-by-hand': nest(15, '', '[9000000000]', '.map(x, x * x)'),
  infinite: "double('1e308') * 10.0",
  'not-a-number': '0.0 / 0.0',
  'least-number': 'round(5e-324, 15)',
  'many-decimals': 'fixed(1e300, 15)',
  'half-a-pair': 'big.text.first(3) + "\\ud83d"',
  'endless-duration': `duration('${'1h'.repeat(4000)}')`,
  'time-out-of-range': "timestamp('9999-12-31T23:59:59Z') + duration('1000000h')",
  'deep-parentheses': nest(4000, '(', '1', ')'),
  'deep-lists': nest(3000, '[', '1', ']'),
  'deep-minus': `${'-'.repeat(9000)}1`,
  'deep-not': `${'!'.repeat(9000)}true`,
  'deep-or': times(2000, () => 'true').join('||'),
  'deep-orders': times(1500, () => '1').join('<'),
  'deep-branches': nest(900, 'true ? ', '1', ' : 2'),
  'long-comparison': times(600, (index) => `m.items[0] == '${index}'`).join(' && '),
  'regular-expression': "big.text.matches('(a+)+b')",
  'own-function': "_read(m, '__proto__')",
};

const results = each(
  'computed',
  EXPRESSIONS,
  (source): PlanCase => ({
    plan: () =>
      document([
        material('m', 'items', 10_000),
        material('big', 'text', 2 ** 20),
        value('n', { x: `{{= ${source} }}`, waits: '{{m.items[0]}}{{big.text}}' }),
      ]),
  }),
);

const places: Family<PlanCase> = {
  'computed-for-every-item': {
    plan: () =>
      document([
        material('m', 'items', 10_000),
        value('n', { x: '{{= m.items.map(x, x + item).join(" ") }}' }, { each: '{{m.items}}' }),
      ]),
  },
  'computed-hundred-times': {
    plan: () =>
      document([
        material('m', 'items', 2000),
        value('n', {
          all: times(60, (index) => `{{= m.items.filter(x, ${`x != '${index}' && `.repeat(500)} false) }}`),
        }),
      ]),
  },
  'chains-hundred-times': {
    plan: () =>
      document([
        material('m', 'items', 10),
        ...times(60, (place) =>
          value(`n${place}`, {
            x: `{{= ${times(380, (index) => `m.items[0] == '${place} ${index}'`).join(' && ')} }}`,
          }),
        ),
      ]),
  },
  'model-from-the-data': {
    plan: () => document([material('m', 'items', 10), llm('a', 'x', { model: { id: '{{= m.items[0] }}' } })]),
  },
  'model-of-ten-thousand-names': {
    plan: () =>
      document([
        material('m', 'items', 10),
        llm('a', 'x', {
          model: { id: `{{= ${times(28, (index) => `size(m.items) == ${index} ? 'm${index}' : `).join('')} 'one' }}` },
        }),
      ]),
  },
  'items-made-of-items': {
    plan: () =>
      document([material('m', 'items', 10_000), value('n', { x: '{{item}}' }, { each: '{{= m.items + m.items }}' })]),
    ends: 'failed',
  },
  'session-of-json': {
    plan: () => document([material('m', 'items', 10_000), llm('a', 'x', { session: '{{= toJson(m.items) }}' })]),
  },
  'output-of-all': {
    plan: () => document([material('m', 'items', 10_000)], { output: '{{= m.items.map(x, m.items) }}' }),
  },
};

export const computed: readonly Family<PlanCase>[] = [results, places];
