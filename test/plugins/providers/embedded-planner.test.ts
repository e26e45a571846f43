import { describe, expect, test } from 'vitest';
import { planText } from '../../../plugins/providers/embedded/planner/planner.ts';
import { fileReferences } from '../../../plugins/providers/embedded/planner/planner-request.ts';
import type { Message } from '../../../src/core/model/model.ts';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { PlanSchema } from '../../../src/core/plan/plan-schema.ts';
import { parseTemplate } from '../../../src/language/template.ts';

const CATALOGUE = {
  tools: ['read_file', 'list_files'],
  tiers: ['fast', 'premium'],
};

const catalogueText = ({ tools = [], tiers = [] }: Partial<typeof CATALOGUE>): string =>
  [
    'Steps:',
    'llm(prompt?: string) -> {text: string}',
    'Tools:',
    ...tools.map((name) => `tool:${name}(path: string) -> {text: string} # Reads.`),
    'Models:',
    'id tier; best at',
    ...tiers.map((tier) => `some/model-${tier} ${tier}; free`),
  ].join('\n');

function messages(request: string, catalogue: Partial<typeof CATALOGUE> = CATALOGUE): Message[] {
  const system = `Rules.\n\n<catalogue>\n${catalogueText(catalogue)}\n</catalogue>`;
  return [
    { role: 'system', content: system },
    { role: 'user', content: request },
  ];
}

/** The plan, checked: it parses, and every reference names an earlier node. */
function plan(request: string): Plan {
  const parsed = PlanSchema.parse(JSON.parse(planText(messages(request))));
  const earlier = new Set<string>(['item', 'index', 'input']);
  for (const node of parsed.nodes) {
    expect(node.id).toMatch(/^[a-z][a-z0-9_]{0,39}$/);
    expect(earlier.has(node.id)).toBe(false);
    for (const head of heads([node.in, node.each])) expect(earlier).toContain(head);
    earlier.add(node.id);
  }
  for (const head of heads(parsed.output)) expect(earlier).toContain(head);
  return parsed as Plan;
}

function heads(value: unknown): string[] {
  if (typeof value === 'string') {
    const { segments, issues } = parseTemplate(value);
    expect(issues).toEqual([]);
    return segments.flatMap((segment) =>
      segment.type === 'reference'
        ? segment.reference.alternatives.flatMap((part) => (part.type === 'path' ? part.head : []))
        : [],
    );
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(heads) : [];
}

const uses = ({ nodes }: Plan) => nodes.map(({ id, use }) => `${id}=${use}`);
const paths = ({ nodes }: Plan) =>
  nodes.filter(({ use }) => use.startsWith('tool:')).flatMap((node) => Object.values(node.in ?? {}));

/** Reads the question that a plan's answering node asks. */
const question = ({ nodes }: Plan) => /Question: (.*)/.exec(String(nodes.at(-1)?.in?.prompt))?.[1];

describe('plans over files', () => {
  test.each([
    ['summarise résumé.md', 'résumé.md'],
    ['summarise Übersicht/größe.txt', 'Übersicht/größe.txt'],
    ['summarise отчёт.md', 'отчёт.md'],
    ["summarise 'my notes.txt'", 'my notes.txt'],
    ['summarise “my notes.txt”', 'my notes.txt'],
    ['summarise «mes notes.txt»', 'mes notes.txt'],
    ['要約して 報告.md', '報告.md'],
    ['報告.mdを要約してください', '報告.md'],
    ['「報告 1.md」のキーワード', '報告 1.md'],
    ['报告.md的摘要', '报告.md'],
    ['보고서.md 요약', '보고서.md'],
  ])('take the file of %s', (request, path) => {
    expect(paths(plan(request))).toEqual([path]);
  });

  test.each(['報告.mdを英語に翻訳してください', '报告.md翻译成英文', '報告.mdについて詩を書いて'])(
    'refuse %s, which needs a language model',
    (request) => {
      expect(() => planText(messages(request))).toThrow(/cannot put into a plan/);
    },
  );

  test.each([
    ['When was the harbour built? a/harbour.md', 'When was the harbour built?'],
    ['When was the harbour built? (see a/harbour.md)', 'When was the harbour built?'],
    ['Using a/rules.md, answer: may I bring a guest?', 'may I bring a guest?'],
    ['a/rules.md: may I bring a guest?', 'may I bring a guest?'],
    ['Is a guest allowed according to a/rules.md?', 'Is a guest allowed according to the text?'],
  ])('%s asks: %s', (request, asked) => expect(question(plan(request))).toBe(asked));

  test.each(['What differs between a/x.md and a/y.md?', 'How is a/x.md different from a/y.md?'])(
    '%s compares',
    (request) => {
      expect(uses(plan(request)).at(-1)).toBe('comparison=llm');
    },
  );

  test('whether a file is one thing or another is a classification', () => {
    const made = plan('Is mail/002.txt a complaint or praise?');
    expect(made.nodes.at(-1)).toMatchObject({ id: 'label', out: { label: 'complaint|praise' } });
  });

  test.each([
    'Summarise the whole folder a/notes',
    'Summarise everything in a/notes/',
    'Summarise the directory a/notes, please',
  ])('%s reads all of it', (request) => expect(paths(plan(request))).toEqual(['a/notes/*', '{{item}}']));

  test('a product is no pattern of files', () => {
    expect(fileReferences('what is 12 + 30 * 4')).toEqual([]);
    expect(fileReferences('summarise the folder and compare it')).toEqual([]);
  });

  test('summaries, a comparison and terms of two files', () => {
    const made = plan('summarise README.md and docs/a.md, compare them and list the key terms');
    expect(uses(made)).toEqual([
      'read_readme=tool:read_file',
      'read_docs_a=tool:read_file',
      'summary_readme=llm',
      'summary_docs_a=llm',
      'comparison=llm',
      'terms=llm',
    ]);
    expect(paths(made)).toEqual(['README.md', 'docs/a.md']);
    expect(made.output).toEqual({
      'summary by file': { 'README.md': '{{summary_readme.text}}', 'docs/a.md': '{{summary_docs_a.text}}' },
      comparison: '{{comparison.text}}',
      terms: '{{terms.terms}}',
    });
  });

  test('a classification of every file of a pattern', () => {
    const { nodes, output } = plan('classify every file in data/*.txt as a|b');
    expect(nodes).toMatchObject([
      { use: 'tool:list_files', in: { pattern: 'data/*.txt' } },
      { use: 'tool:read_file', each: '{{list_data.files}}', in: { path: '{{item}}' } },
      { use: 'llm', each: '{{read_data}}', model: { tier: 'fast' }, out: { label: 'a|b', confidence: 'number' } },
    ]);
    expect(output).toEqual({ label: '{{label}}', files: '{{list_data.files}}' });
  });

  test('a question about a file, without the path in the question', () => {
    const { nodes } = plan('what does README.md say about retries?');
    expect(nodes).toHaveLength(2);
    expect(nodes[1]?.in).toMatchObject({
      prompt: expect.stringContaining('Question: what does the text say about retries?'),
    });
    expect(nodes[1]?.out).toEqual({ answer: 'string', found: 'boolean', confidence: 'number' });
  });

  test('labels with descriptions, folders, several jobs on different files', () => {
    const made = plan('Classify each ticket in tickets/ into billing, tech or other and summarise docs/a.md');
    expect(paths(made)).toEqual(['tickets/*', '{{item}}', 'docs/a.md']);
    expect(made.nodes.find(({ id }) => id.startsWith('label'))?.out).toEqual({
      label: 'billing|tech|other',
      confidence: 'number',
    });
    const described = plan('Classify reviews/*.txt as:\n- positive: happy customers\n- negative: complaints');
    expect(described.nodes.at(-1)?.in).toMatchObject({ prompt: expect.stringContaining('- negative: complaints') });
  });

  test('a list of documents as one text where one summary is asked', () => {
    const { nodes } = plan('Summarise every file in data/*.txt into one summary');
    expect(nodes.at(-1)).toMatchObject({ use: 'llm', in: { prompt: expect.stringContaining('{{read_data}}') } });
    expect(nodes.at(-1)?.each).toBeUndefined();
  });

  test('files of the same stem get nodes of their own', () => {
    expect(uses(plan('compare a.md with a.txt'))).toEqual([
      'read_a=tool:read_file',
      'read_a_2=tool:read_file',
      'comparison=llm',
    ]);
  });
});

describe('plans over a text in the request', () => {
  test('keep braces as text', () => {
    const { nodes } = plan('Summarise: Ships sail at dawn over {{seas}}. The crew is glad. They sing.');
    expect(nodes).toMatchObject([{ id: 'summary', use: 'llm', in: { prompt: expect.stringContaining('{{{{seas}}') } }]);
  });

  test('one node a job', () => {
    expect(uses(plan('Summarise the text and list the key terms:\n\nShips sail at dawn. The crew is glad.'))).toEqual([
      'summary=llm',
      'terms=llm',
    ]);
  });
});

describe('never invents a file', () => {
  test.each([
    ['summarise README.md, docs/a.md and `my notes.md`', ['README.md', 'docs/a.md', 'my notes.md']],
    ['all markdown files in docs', ['docs/*.md']],
    ['every file in data/**/*.json', ['data/**/*.json']],
    ['is Node.js faster than version 2.5, e.g. for and/or trees?', []],
    ['the README', ['README*']],
    ['/usr/share/common-licenses/GPL-3 please', ['/usr/share/common-licenses/GPL-3']],
    ['mail me at a@example.com', []],
  ])('%j', (text, expected) => {
    expect(fileReferences(text).map(({ path }) => path)).toEqual(expected);
  });
});

describe('refuses', () => {
  test.each([
    ['translate README.md into German', /"translate"/],
    ['summarise README.md and save it to out.txt', /"save"/],
    ['summarise https://example.com/page', /reads only local files/],
    ['Write a poem', /"write"/],
    ['What is the capital of France?', /contains no text to answer it from/],
    ['classify README.md', /at least two labels/],
    ['compare README.md', /at least two files/],
    ['', /empty/],
  ])('%j', (request, reason) => {
    expect(() => planText(messages(request))).toThrow(reason);
    expect(() => planText(messages(request))).toThrow(/ANTHROPIC_API_KEY/);
  });

  test('files without a tool to read them', () => {
    expect(() => planText(messages('summarise README.md', { ...CATALOGUE, tools: [] }))).toThrow(/no tool:read_file/);
  });

  test('to mend a plan', () => {
    const repair: Message[] = [
      ...messages('summarise README.md'),
      { role: 'assistant', content: '{}' },
      { role: 'user', content: 'Mend it.' },
    ];
    expect(() => planText(repair)).toThrow(/same plan again/);
  });
});
