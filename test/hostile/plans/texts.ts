/** Texts in which a plan may be, or of which one might be made: prose, fences, garbage, halves. */
import { each, type Family } from '../harness/report.ts';
import { document, nest, type PlanCase, times, value } from './plan-case.ts';

const LONG = 500_000;
const good = JSON.stringify(document([value('a', { x: 'fine' })]));

const READABLE: Readonly<Record<string, string>> = {
  plain: good,
  fenced: `Here it is:\n\`\`\`json\n${good}\n\`\`\`\nGood luck!`,
  'in-prose': `Sure! ${good} That is all.`,
  'byte-order-mark': `\ufeff${good}`,
  blanks: `${' '.repeat(10_000)}${good}${'\n'.repeat(10_000)}`,
};

const GARBAGE: Readonly<Record<string, string>> = {
  empty: '',
  blank: ' '.repeat(LONG),
  null: 'null',
  list: '[]',
  number: '1',
  text: '"plan"',
  html: `<html><body>${'<div>'.repeat(20_000)}</body></html>`,
  xml: `<?xml version="1.0"?>${nest(20_000, '<a>', '', '</a>')}`,
  yaml: `version: 1\nnodes:\n${times(20_000, (index) => `  - id: n${index}\n    use: value`).join('\n')}`,
  'yaml-aliases': `a: &a [x,x]\n${times(20, (index) => `b${index}: &b${index} [*${index === 0 ? 'a' : `b${index - 1}`},*a]`).join('\n')}`,
  script: 'module.exports = (() => { while (true); })()',
  'open-brackets': '['.repeat(LONG),
  'open-braces': '{'.repeat(LONG),
  'open-objects': '{"a":'.repeat(LONG / 5),
  'open-both': '[{"a":'.repeat(LONG / 6),
  'brackets-that-close': nest(LONG / 2, '[', '', ']'),
  'braces-that-close': nest(LONG / 8, '{"a":', '1', '}'),
  'closing-first': '}]'.repeat(LONG / 2),
  'quotes-alternating': '"\''.repeat(LONG / 2),
  'unclosed-quote': `{"version":1,"goal":"${'a'.repeat(LONG)}`,
  backslashes: `{"version":1,"goal":"${'\\'.repeat(LONG)}`,
  commas: `{${','.repeat(LONG)}}`,
  colons: `{"a"${':'.repeat(LONG)}1}`,
  'empty-objects': '{}'.repeat(LONG / 2),
  'empty-objects-in-list': `[${'{},'.repeat(LONG / 3)}]`,
  nul: '\u0000'.repeat(LONG),
  'half-emojis': '\ud83d'.repeat(LONG / 2),
  'random-ascii': times(LONG, (index) => String.fromCharCode(33 + ((index * 7919 + (index >> 3)) % 90))).join(''),
  'open-fences': '```json\n'.repeat(LONG / 8),
  'fences-in-fences': '```json\n{"version":1,\n```\n'.repeat(20_000),
  'comments-unclosed': `{"version":1,/*${'*'.repeat(LONG)}`,
  'comment-starts': `{"version":1,${'/*'.repeat(LONG / 2)}`,
  'line-comments': `{${'//\n'.repeat(LONG / 3)}"version":1}`,
  'thoughts-unclosed': `<think>${'hm '.repeat(LONG / 3)}`,
  'thoughts-nested': `${nest(20_000, '<think>', 'hm', '</think>')}`,
  'key-of-half-a-megabyte': `{"${'k'.repeat(LONG)}":1,"version":1,"nodes":[]}`,
  'plans-by-the-thousand': `${good}\n`.repeat(5000),
  'starts-by-the-thousand': '{"version":1,"nodes":[{'.repeat(20_000),
  escapes: `{"version":1,"goal":"${'\\u0041'.repeat(LONG / 6)}","nodes":[]}`,
  'bad-escapes': `{"version":1,"goal":"${'\\uD83D\\x'.repeat(LONG / 8)}","nodes":[]}`,
  'numbers-and-dots': `[${'1.2.3e'.repeat(LONG / 6)}`,
  'words-in-a-row': 'true false null undefined NaN '.repeat(LONG / 30),
  'single-quotes': good.replaceAll('"', "'"),
  'trailing-commas': good.replaceAll('}', ',}'),
  'duplicate-keys': good.replace(
    '"nodes"',
    '"nodes":[],"nodes":[{"id":"x","use":"tool:material","in":{"kind":"error","size":1}}],"nodes"',
  ),
  'duplicate-ids': good.replace('"use"', '"id":"b","use":"llm","use"'),
  'a-plan-in-a-plan': JSON.stringify({ plan: JSON.stringify({ plan: good }) }),
  'text-of-text': wrapInQuotes(good, 12),
};

/** Quoted again and again: each time every backslash doubles. */
function wrapInQuotes(text: string, times_: number): string {
  let result = text;
  for (let index = 0; index < times_ && result.length < LONG; index += 1) result = JSON.stringify(result);
  return result;
}

const steps = Object.fromEntries(times(9, (tenth) => [`${tenth + 1}`, (tenth + 1) / 10]));
const large = JSON.stringify(
  document(times(200, (index) => value(`n${index}`, { x: 'some "text" of it\n'.repeat(50) }))),
);

export const texts: readonly Family<PlanCase>[] = [
  each('readable', READABLE, (text): PlanCase => ({ plan: () => text, ends: 'done' })),
  each('garbage', GARBAGE, (text): PlanCase => ({ plan: () => text })),
  each('cut-at-tenth', steps, (share): PlanCase => ({ plan: () => large.slice(0, Math.floor(large.length * share)) })),
];
