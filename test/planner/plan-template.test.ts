/**
 * Plans that are made again for requests of the same shape.
 *
 * 1. A template filled with the parts that it was made from is the plan that it was made from.
 * 2. Filled with other parts it holds no trace of the first ones.
 * 3. What cannot be told for sure stays as it is, and the plan then fits only requests that have it too.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import { planFrom, templateOf } from '../../src/planner/plan-template.ts';
import { shapeOf } from '../../src/planner/request-shape.ts';

const partsOf = (request: string) => shapeOf(request)?.parts ?? [];
const texts = (request: string): readonly string[] => partsOf(request).map(({ text }) => text);

describe('the shape of a request', () => {
  it.each([
    ['summarise report.md', ['report.md']],
    ['Summarise docs/2024/report.md.', ['docs/2024/report.md']],
    ['compare a.md and b.md, then a.md again', ['a.md', 'b.md']],
    ['write "annual results" in 3 bullet points', ['annual results', '3']],
    ['read https://example.org/a?b=1, and answer', ['https://example.org/a?b=1']],
    ["translate 'good evening' to French", ['good evening']],
    ["it's John's turn", []],
    ['pay 12.50 and 7', ['12.50', '7']],
    ['version v2 of model gpt4', []],
    ['fasse «Über uns» zusammen', ['Über uns']],
  ] as const)('%s', (request, parts) => {
    expect(texts(request)).toEqual(parts);
  });

  it('is equal only where all else is, and where the same parts are equal', () => {
    const shape = (request: string): string | undefined => shapeOf(request)?.shape;
    expect(shape('read a.md and b.md')).toBe(shape('read c.md and d.md'));
    expect(shape('read a.md and b.md')).not.toBe(shape('read a.md and a.md'));
    expect(shape('read a.md')).not.toBe(shape('read a.csv'));
    expect(shape('read a.md')).not.toBe(shape('Read a.md'));
    expect(shape('read "a" now')).not.toBe(shape('read 3 now'));
  });

  it('has none for what is long or holds references', () => {
    expect(shapeOf('x'.repeat(5000))).toBeUndefined();
    expect(shapeOf('say {{input.secret}}')).toBeUndefined();
  });

  it('is read in linear time', () => {
    const started = performance.now();
    for (const unit of ['"', "'a ", 'a/', 'a.', '1.', '/', 'http://', '«', '-a', '~.'])
      shapeOf(unit.repeat(4000 / unit.length));
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

const READ: PlanNode = { id: 'read', use: 'tool:read_file', in: { path: 'report.md' } };
const SAY: PlanNode = { id: 'say', use: 'llm', in: { prompt: 'Give 5 points of it: {{read.text}}' } };
const plan = (...nodes: PlanNode[]): Plan => ({ version: 1, goal: 'the first goal', nodes, output: '{{say.text}}' });

/** The plan of the first request, made for the second one. */
function again(made: Plan, first: string, second: string): Plan | undefined {
  const template = templateOf(made, partsOf(first));
  return template === undefined ? undefined : planFrom(template, second, partsOf(second));
}

describe('a plan made again', () => {
  it('has the parts of the new request', () => {
    const made = again(plan(READ, SAY), 'give 5 points of report.md', 'give 7 points of notes.md');
    expect(made?.nodes[0]?.in).toEqual({ path: 'notes.md' });
    expect(made?.nodes[1]?.in).toEqual({ prompt: 'Give 7 points of it: {{read.text}}' });
    expect(made?.goal).toBe('give 7 points of notes.md');
  });

  const REQUEST = 'give 5 points of report.md';
  const OTHER = 'give 7 points of notes.md';
  it.each([
    ['the file is named in another form', plan(READ, { ...SAY, in: { prompt: 'Give 5 points of the report.' } })],
    ['the file is a part of another name', plan({ ...READ, in: { path: 'report.md', to: 'out/report.md.txt' } }, SAY)],
    ['the file stands in a condition', plan(READ, { ...SAY, when: "read.path == 'report.md'" })],
    ['the file stands in an expression', plan({ ...READ, in: { path: "{{= 'report.md'}}" } }, SAY)],
    ['the file is nowhere', plan({ id: 'read', use: 'llm', in: { prompt: 'Read it.' } }, SAY)],
    ['the number is one of the plan', plan(READ, { ...SAY, limits: { concurrency: 5 } })],
    ['the number is a word too', plan(READ, { ...SAY, in: { prompt: 'Give 5 points, five lines.' } })],
    ['there are as many items', plan(READ, { ...SAY, in: { prompt: 'Give 5 points.', list: [1, 2, 3, 4, 8] } })],
    [
      'there are as many fields',
      plan(READ, { ...SAY, out: { a: 'string', b: 'string', c: 'string', d: 'string', e: 'string' } }),
    ],
    ['there are as many nodes', plan(READ, ...['a', 'b', 'c', 'd'].map((id) => ({ ...SAY, id })))],
    ['a reference holds the number', plan(READ, { ...SAY, in: { prompt: '{{read.list[5]}}' } })],
  ])('does not fit another request where %s', (_name, made) => {
    expect(again(made, REQUEST, OTHER)).toBeUndefined();
    expect(again(made, REQUEST, REQUEST)).toEqual({ ...made, goal: REQUEST });
  });

  it('does not fit one of something where it was made for several', () => {
    expect(again(plan(READ, SAY), REQUEST, 'give 1 points of report.md')).toBeUndefined();
  });

  const name = fc.stringMatching(/^[a-z]{4,9}$/);
  it('is the first plan with the first parts, and has no trace of them with others', () => {
    fc.assert(
      fc.property(name, name, fc.integer({ min: 20, max: 90 }), fc.integer({ min: 100, max: 900 }), (a, b, n, m) => {
        fc.pre(
          a !== b &&
            !b.includes(a) &&
            !'readtoolfilepathpromptsayllmnodesgiveoutputusegoaltextversionpointsinidit'.includes(a),
        );
        const made = plan({ ...READ, in: { path: `${a}.md` } }, { ...SAY, in: { prompt: `Say ${n} points of it.` } });
        const first = `give ${n} points of ${a}.md`;
        const second = `give ${m} points of ${b}.md`;
        expect(again(made, first, first)).toEqual({ ...made, goal: first });
        const other = JSON.stringify(again(made, first, second) ?? null);
        if (other === 'null') return;
        expect(other).not.toContain(a);
        expect(other).toContain(`${b}.md`);
        expect(other).toContain(`Say ${m} points`);
      }),
    );
  });
});
