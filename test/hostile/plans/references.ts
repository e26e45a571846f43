/** Plans whose names and references lead in circles, nowhere, or to what every object has. */
import { each, type Family } from '../harness/report.ts';
import { document, llm, material, type PlanCase, times, value } from './plan-case.ts';

const A_MILLION = 1_000_000;
const EVERY_OBJECT_HAS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  'toJSON',
];
const named = <Value>(values: readonly Value[]): Readonly<Record<string, Value>> =>
  Object.fromEntries(values.map((one) => [String(one).replace(/[^\w]/g, '') || 'none', one]));

const circles: Family<PlanCase> = {
  'refers-to-itself': { plan: () => document([value('a', { x: '{{a.x}}' })]), ends: 'refused' },
  'two-in-a-circle': {
    plan: () => document([value('a', { x: '{{b.x}}' }), value('b', { x: '{{a.x}}' })]),
    ends: 'refused',
  },
  'circle-of-all': {
    plan: () => document(times(256, (index) => value(`n${index}`, { x: `{{n${(index + 1) % 256}.x}}` }))),
    ends: 'refused',
  },
  backwards: { plan: () => document(times(256, (index) => value(`n${index}`, { x: `{{n${index + 1}.x ?? 1}}` }))) },
  'all-on-all': {
    plan: () =>
      document(times(256, (index) => value(`n${index}`, { all: times(index, (before) => `{{n${before}}}`) }))),
  },
  'needs-all': {
    plan: () =>
      document(times(256, (index) => value(`n${index}`, {}, { needs: times(index, (before) => `n${before}`) }))),
    ends: 'done',
  },
};

const IDS: Readonly<Record<string, string>> = {
  ...named(EVERY_OBJECT_HAS),
  reserved: 'input',
  item: 'item',
  empty: '',
  blank: ' ',
  nul: 'a\u0000b',
  'half-emoji': 'a\ud83d',
  umlaut: 'größe',
  'right-to-left': 'a\u202eb',
  'zero-width': 'a\u200bb',
  megabyte: 'a'.repeat(A_MILLION),
  dots: 'a.b.c',
  braces: '{{a}}',
  number: '1',
};

const PATHS: Readonly<Record<string, string>> = {
  ...named(EVERY_OBJECT_HAS.map((name) => `a.${name}`)),
  'prototype-of-prototype': 'a.constructor.prototype.polluted',
  'input-proto': 'input.__proto__',
  'negative-index': 'a.list[-1]',
  'huge-index': 'a.list[99999999999999999999]',
  'index-of-text': 'a.text[0]',
  'fraction-index': 'a.list[0.5]',
  'name-in-brackets': 'a["__proto__"]',
  'ten-thousand-steps': `a${'.x'.repeat(10_000)}`,
  'thousands-of-indexes': `a${'[0]'.repeat(10_000)}`,
  'ten-thousand-alternatives': times(10_000, () => 'a.none').join(' ?? '),
  'field-of-a-megabyte': `a.${'x'.repeat(A_MILLION)}`,
  nul: 'a.\u0000',
  'half-emoji': 'a.\ud83d',
  unknown: 'nothing.at.all',
  'other-case': 'A.text',
};

const USES = [
  ...EVERY_OBJECT_HAS.map((name) => `tool:${name}`),
  'workflow:__proto__',
  'workflow:../../etc',
  'toString',
  '',
  'tool:',
  'tool:material:x',
];

const fields: Family<PlanCase> = {
  'proto-in-input': {
    plan: () =>
      `{"version":1,"nodes":[{"id":"a","use":"value","in":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}],"output":"{{a}}"}`,
  },
  'proto-in-node': {
    plan: () =>
      `{"version":1,"__proto__":{"polluted":1},"nodes":[{"id":"a","__proto__":{"use":"llm"},"use":"value","in":{}}]}`,
  },
  'proto-in-answer': {
    plan: () => document([llm('a', 'x', { out: { x: 'any' } }), value('b', { got: '{{a}}' })]),
    answer: () => '{"x":{"__proto__":{"polluted":1}},"__proto__":{"polluted":1}}',
  },
  'same-id-for-all': { plan: () => document(times(256, () => value('same', {}))), ends: 'refused' },
  'needs-nobody': { plan: () => document([value('a', {}, { needs: times(10_000, (index) => `x${index}`) })]) },
  'needs-one-often': { plan: () => document([value('a', {}), value('b', {}, { needs: times(10_000, () => 'a') })]) },
  'output-of-nothing': { plan: () => document([value('a', {})], { output: '{{nothing}}' }), ends: 'refused' },
  'output-of-everything': {
    plan: () =>
      document([material('m', 'items', 1000)], {
        output: Object.fromEntries(times(5000, (index) => [`f${index}`, '{{m.items[0]}}'])),
      }),
  },
  'half-emoji-in-prompt': { plan: () => document([llm('a', 'x\ud83d\u0000')]), ends: 'done' },
  'two-hundred-typos': {
    plan: () =>
      document([value('correct', {}), ...times(200, (index) => value(`n${index}`, { x: `{{corect${index}.x}}` }))]),
    ends: 'refused',
  },
};

export const references: readonly Family<PlanCase>[] = [
  circles,
  fields,
  each('id', IDS, (id) => ({ plan: () => document([value(id, { x: 1 }), value('after', { x: `{{${id}.x}}` })]) })),
  each('path', PATHS, (path) => ({
    plan: () => document([value('a', { text: 'x', list: [1] }), value('b', { x: `{{${path}}}` })]),
  })),
  each('use', named(USES), (use) => ({ plan: () => document([{ id: 'a', use, in: {} }]), ends: 'refused' })),
  each('each-over', { text: 'x', number: 1, object: {}, nothing: null }, (list) => ({
    plan: () => document([value('a', { list }), value('b', { x: '{{item}}' }, { each: '{{a.list}}' })]),
  })),
];
