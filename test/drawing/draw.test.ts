import { describe, expect, it } from 'vitest';
import type { ValidPlan } from '../../src/core/plan/plan.ts';
import { memberPlan } from '../../src/core/plan/plan-workflows.ts';
import type { NodeState } from '../../src/core/run/engine.ts';
import { draw } from '../../src/drawing/index.ts';
import { drawingOf } from '../../src/drawing/layout.ts';
import { notesOf } from '../../src/drawing/notes.ts';
import { placementOf } from '../../src/drawing/routes.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { STEERING } from './steering.ts';

const EVIL = '"]; click x "javascript:alert(1)" <script>&\u001b[2J\u202E\n%% `#quot;';
const { validate } = await createPolyphony();

async function planOf(nodes: readonly object[], goal = 'a goal'): Promise<ValidPlan> {
  const { plan, issues } = await validate({
    version: 1,
    goal,
    nodes,
    output: '{{last.end}}',
    input: { xs: 'string[]' },
  });
  if (plan === undefined) throw new Error(JSON.stringify(issues));
  return plan;
}

const plan = await planOf(
  [
    { id: 'first', use: 'value', in: { a: 'a.md' } },
    { id: 'side', use: 'human', in: { question: EVIL } },
    { id: 'page', use: 'tool:read_file', in: { path: '{{first.a}}' }, when: `first.a == ${JSON.stringify(EVIL)}` },
    { id: 'middle', use: 'value', each: '{{input.xs}}', in: { b: '{{page.text}}', c: '{{item}}' }, needs: ['side'] },
    { id: 'last', use: 'value', in: { end: '{{first.a}} {{middle}}' } },
  ],
  EVIL,
);
const states = new Map<string, NodeState>([
  ['first', 'done'],
  ['side', 'suspended'],
  ['page', 'failed'],
  ['last', 'waiting'],
]);

describe('a plan as a tree', () => {
  it('has one line a node, cut to the terminal, and nothing that steers it', () => {
    const tree = draw(plan, 'tree', states, 50);
    const lines = tree.split('\n');
    expect(lines).toHaveLength(6);
    expect(tree).not.toMatch(STEERING);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(50);
    expect(lines[1]).toMatch(/^ 1 ┬ ✓ first /);
    expect(lines.at(-1)).toMatch(/^ 4 ─ · last .*← first, middle/);
  });
});

describe('a plan as Mermaid', () => {
  const mermaid = draw(plan, 'mermaid', states);

  it('consists of nothing but the statements of a flowchart', () => {
    const text = String.raw`(?:[\p{L}\p{M}\p{N} .,:!?/=+'_-]|#\d+;|<b>|</b>|<br/>)*`;
    const statement = new RegExp(
      [
        'flowchart LR',
        String.raw`  n_\w+(?:\["${text}"\]|\{\{"${text}"\}\}|\[/"${text}"/\])`,
        String.raw`  n_\w+ (?:-->|-\.->) (?:n_\w+|output)`,
        String.raw`  output\(\["output"\]\)`,
        '  classDef s_[a-z]+ [a-z]+:[#a-z0-9-]+(?:,[a-z-]+:[#a-z0-9]+)*',
        '  class n_\\w+(?:,n_\\w+)* s_[a-z]+',
      ]
        .map((form) => `^${form}$`)
        .join('|'),
      'u',
    );
    for (const line of mermaid.split('\n')) expect(line).toMatch(statement);
  });

  it('names every node and every edge once', () => {
    expect(mermaid.match(/n_first --> n_page/g)).toHaveLength(1);
    expect(mermaid.match(/n_side -\.-> n_middle/g)).toHaveLength(1);
    expect(mermaid).toContain('class n_page s_failed');
  });
});

describe('a plan as SVG', () => {
  const svg = draw(plan, 'svg', states);

  it('is well-formed: every element is closed, and no text of the plan is markup', () => {
    const open: string[] = [];
    for (const [, end, name = '', self] of svg.matchAll(/<(\/?)([a-zA-Z]+)(?:\s+[\w:-]+="[^"<]*")*(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (self === '') open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg.replace(/<\/?[a-zA-Z]+(?:\s+[\w:-]+="[^"<]*")*\/?>/g, '')).not.toMatch(/[<>]|&(?!#\d+;)/);
    expect(svg).not.toContain('<script');
    expect(svg).not.toMatch(STEERING);
  });

  it('says how each node stands in words, not by colour alone', () => {
    for (const words of ['value · done', 'human · suspended', 'tool:read_file · failed']) expect(svg).toContain(words);
  });

  it('leads edges around boxes: no box of a column overlaps another box or a passing edge', () => {
    const heightOf = (): number => 50;
    const { columns, routes, height } = placementOf(drawingOf(plan, new Set()), { gap: 20, heightOf });
    for (const column of columns) {
      for (const [index, slot] of column.entries()) {
        const next = column[index + 1];
        if (next === undefined) continue;
        const halves = [slot, next].map(({ node }) => (node === undefined ? 3 : 25));
        expect(next.y - slot.y).toBeGreaterThanOrEqual((halves[0] ?? 0) + (halves[1] ?? 0));
      }
    }
    expect(Math.max(...columns.flat().map(({ y }) => y))).toBeLessThanOrEqual(height);
    // Every hop goes from one column to the next.
    for (const { stops } of routes) {
      for (const [index, stop] of stops.slice(1).entries()) expect(stop.column - (stops[index]?.column ?? 0)).toBe(1);
    }
    expect(routes.some(({ stops }) => stops.length > 2)).toBe(true);
  });

  it('shows a long title in several lines, and cuts one that is longer than a picture may hold', async () => {
    const goal = 'Read every letter of the archive and tell who wrote to whom about the flood of that winter and why';
    const svg = draw(await planOf([{ id: 'last', use: 'value', in: { end: 'x' } }], goal), 'svg');
    const titles = (picture: string): string[] =>
      [...picture.matchAll(/font-size="16"[^>]*>([^<]*)</g)].map(([, text = '']) => text);
    expect(titles(svg).length).toBeGreaterThan(1);
    expect(titles(svg).join(' ')).toBe(goal);
    const long = draw(
      await planOf([{ id: 'last', use: 'value', in: { end: 'x' } }], `${goal} `.repeat(5).trim()),
      'svg',
    );
    expect(titles(long)).toHaveLength(4);
    expect(titles(long).at(-1)).toMatch(/…$/);
  });

  it('draws 200 nodes', async () => {
    const nodes = Array.from({ length: 199 }, (_, index) => ({
      id: `n${index}`,
      use: 'value',
      in: { a: index < 10 ? 1 : `{{n${index - 10}.a}} {{n${index % 7}.a}}` },
    }));
    const many = await planOf([...nodes, { id: 'last', use: 'value', in: { end: '{{n198.a}}' } }]);
    expect(draw(many, 'svg').match(/<rect x=/g)).toHaveLength(200);
  });
});

it('names the thread of a node in all three pictures', async () => {
  const node = { id: 'chat', use: 'llm', in: { prompt: 'Hi' }, thread: { key: '{{input.xs}}' } };
  const remembering = await planOf([node, { id: 'last', use: 'value', in: { end: '{{chat.text}}' } }]);
  for (const format of ['tree', 'mermaid', 'svg'] as const)
    expect(draw(remembering, format)).toContain('thread input.xs');
});

describe('a plan with workflows', async () => {
  const workflows = {
    ask: { nodes: [{ id: 'said', use: 'value', in: { a: 1 } }], output: '{{said.a}}' },
    tell: {
      goal: EVIL,
      nodes: [
        { id: 'said', use: 'workflow:ask' },
        { id: 'end', use: 'value', in: { a: '{{said}}' } },
      ],
      output: '{{end.a}}',
    },
  };
  const { plan: valid } = await validate({
    version: 1,
    goal: 'to tell',
    workflows,
    nodes: [{ id: 'said', use: 'workflow:tell' }],
    output: '{{said}}',
  });
  if (valid === undefined) throw new Error('the plan is not valid');
  const opened = await Promise.all(
    Object.keys(workflows).map(async (name) => {
      const { plan: inner } = await validate(memberPlan(valid.plan, name));
      if (inner === undefined) throw new Error(`${name} is not valid`);
      return { name, plan: inner };
    }),
  );

  it.each(['tree', 'mermaid', 'svg'] as const)('has a box with the name of each, as %s', (format) => {
    const folded = draw(valid, format);
    expect(folded).toMatch(/workflow(?::|#58;)tell/);
    expect(folded).not.toMatch(/\bend\b(?!\])/);
  });

  it('shows them open as trees behind one another', () => {
    const trees = draw(valid, 'tree', undefined, 60, opened).split('\n\n');
    expect(trees.map((tree) => tree.split('\n')[0]?.slice(0, 13))).toEqual([
      'to tell',
      'workflow:ask',
      'workflow:tell',
    ]);
    expect(trees[2]).toMatch(/said\s+workflow:ask[\s\S]*end\s+value\s+← said/);
    expect(trees.join('')).not.toMatch(STEERING);
  });

  it('shows them open as parts of one chart, whose ids never meet', () => {
    const lines = draw(valid, 'mermaid', undefined, undefined, opened).split('\n');
    expect(lines.filter((line) => /^ {2}subgraph w[01]\["workflow:(?:ask|tell)/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => line === '  end')).toHaveLength(2);
    expect(lines.filter((line) => /^ {2}(?:n|w0|w1)_said\[/.test(line))).toHaveLength(3);
    expect(lines).toContain('  w1_said --> w1_end');
  });

  it('shows them open in one picture, below one another', () => {
    const folded = draw(valid, 'svg');
    const open = draw(valid, 'svg', undefined, undefined, opened);
    const heightOf = (svg: string) => Number(/height="(\d+)"/.exec(svg)?.[1]);
    expect(open.match(/<g transform="translate\(0 \d+\)">/g)).toHaveLength(2);
    expect(heightOf(open)).toBeGreaterThan(heightOf(folded) * 2);
    expect(open.match(/<rect x=/g)).toHaveLength(4);
  });
});

it('says which bounds the calls of a node keep', async () => {
  for (const intent of ['under $0.01, under 800 ms', { usd: 0.01, ms: 800 }]) {
    const notes = notesOf({ id: 'a', use: 'llm', in: { prompt: 'Hi' }, model: { tier: 'fast', intent } }, {});
    expect(notes).toEqual(['fast', 'under $0.01, under 800 ms']);
  }
  const free = notesOf({ id: 'a', use: 'llm', in: { prompt: 'Hi' }, model: { intent: { usd: 0, accuracy: 0.9 } } }, {});
  expect(free).toEqual(['under $0, accuracy above 0.9']);
});
