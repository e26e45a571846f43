/** Plans whose templates are unclosed, nested or endless, and conditions that are wrong, deep or slow. */
import { each, type Family } from '../harness/report.ts';
import { document, material, nest, type PlanCase, value, wrapped } from './plan-case.ts';

const HALF_MEGABYTE = 500_000;
const TEMPLATES: Readonly<Record<string, string>> = {
  unclosed: '{{',
  'unclosed-reference': '{{a.x',
  'only-closed': '}}',
  'nested-braces': '{{ {{a.x}} }}',
  'ten-thousand': '{{a.x}}'.repeat(10_000),
  'ten-thousand-typos': '{{b.x}}'.repeat(10_000),
  'open-half-megabyte': '{'.repeat(HALF_MEGABYTE),
  'opened-often': '{{ '.repeat(HALF_MEGABYTE / 4),
  'escapes-half-megabyte': '{{{{'.repeat(HALF_MEGABYTE / 8),
  'blank-half-megabyte': `{{${' '.repeat(HALF_MEGABYTE)}a.x}}`,
  'unclosed-text': '{{a.x ?? "',
  'quotes-half-megabyte': `{{a.x ?? "${'\\"'.repeat(HALF_MEGABYTE / 2)}`,
  'dots-half-megabyte': `{{a${'.'.repeat(HALF_MEGABYTE)}}}`,
  'questions-half-megabyte': `{{a.x ${'?'.repeat(HALF_MEGABYTE)}}}`,
  'brackets-half-megabyte': `{{a${'['.repeat(HALF_MEGABYTE)}}}`,
  'names-half-megabyte': `{{${'ab'.repeat(HALF_MEGABYTE / 2)}}}`,
  'a-nul': '{{a.x\u0000}}',
  'a-call': '{{a.x.constructor("return process")()}}',
  'an-expression': '{{a.x + process.exit(1)}}',
  'another-language': `\${a.x} <%= a.x %> {% a.x %} {a.x}`,
  'braces-in-text': '{{a.x ?? "}}{{a.x}}"}}',
};

const CONDITIONS: Readonly<Record<string, string>> = {
  longest: `${'true && '.repeat(240)}true`,
  'too-long': `${'true && '.repeat(100_000)}true`,
  'deep-parentheses': nest(900, '(', 'true', ')'),
  'deep-not': `${'!'.repeat(1900)}true`,
  'deep-minus': `${'-'.repeat(1900)}1 == 1`,
  'deep-list': `size(${nest(900, '[', '', ']')}) == 1`,
  'deep-map': `size(${nest(300, '{1:', '1', '}')}) == 1`,
  'deep-ternary': `${'true ? false : '.repeat(120)}true`,
  'deep-index': `a.list${'[0]'.repeat(600)} == 1`,
  'slow-pattern': "a.text.matches('^(a+)+$')",
  'slow-pattern-long': `'${'a'.repeat(1800)}!'.matches('^(a+)+$')`,
  'divided-by-zero': '1 / 0 == 1',
  'rest-of-zero': '1 % 0 == 1',
  'zero-point-zero': '1.0 / 0.0 > 1.0',
  'too-large': '9223372036854775807 + 1 > 0',
  'too-many-digits': `${'9'.repeat(1500)} > 0`,
  'text-and-number': 'a.text + 1 > 2',
  'list-as-bool': 'a.list',
  'number-as-bool': 'a.number',
  'null-field': 'a.nothing.at.all == 1',
  'unknown-name': 'process.exit(1)',
  constructor: "a.constructor.constructor('return 1')() == 1",
  proto: "a.__proto__ == a && a['__proto__'] == null",
  'unknown-function': "eval('1') == 1",
  'unclosed-text': "a.text == 'x",
  'all-in-all': `m.items.all(x, m.items.all(y, m.items.all(z, x != '' && y != '' && z != '')))`,
  'exists-in-exists': `m.items.exists(x, m.items.exists(y, m.items.exists(z, x + y + z == 'none')))`,
  'all-in-all-of-two': "m.items.all(x, m.items.all(y, x != '' && y != ''))",
  'map-of-maps': `size(${wrapped(8, 'm.items', (list) => `${list}.map(x, [x, x])`)}) > 0`,
  'texts-that-grow': `m.items.map(x, m.items.map(y, x + y + x + y)).size() > 0`,
  durations: "duration('9999999999999h') > duration('1s')",
  timestamps: "timestamp('99999-99-99T99:99:99Z') > timestamp('0001-01-01T00:00:00Z')",
  bytes: "size(b'\\377\\000') == 2",
  conversions: "int('9'.repeat(1)) > 0 || double('NaN') > 0.0 || string(a) == ''",
  'index-out': 'a.list[99999] == 1 || a.list[-1] == 1',
  'names-everywhere': `${'x.'.repeat(800)}x == 1`,
  unicode: 'größe == 1 && "\ud83d" == "x"',
  empty: '',
  nul: 'true\u0000',
};

const conditioned = (field: object): PlanCase => ({
  plan: () =>
    document([
      material('m', 'items', 3000),
      value('a', { text: `${'a'.repeat(5000)}!`, number: 1, list: [1], nothing: null }),
      value('n', { x: '{{m.items[0]}}{{a.text}}' }, field),
    ]),
});

export const templates: readonly Family<PlanCase>[] = [
  each('template', TEMPLATES, (text) => ({ plan: () => document([value('a', { x: 'x' }), value('b', { text })]) })),
  each('condition', CONDITIONS, (when) => conditioned({ when })),
  each('until', Object.fromEntries(Object.entries(CONDITIONS).filter((_, index) => index % 4 === 1)), (until) =>
    conditioned({ repeat: { until, max: 20 } }),
  ),
] satisfies readonly Family<PlanCase>[];
