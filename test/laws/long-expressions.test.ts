/**
 * Expressions that take long do not keep all else from its turn.
 *
 * L1. Between two turns of the event loop the inputs of nodes take at most one part of work and one expression more, however many
 *     expressions a node has and however many nodes render at the same time.
 * L2. A run is cancelled between two parts; nothing of the node is called then.
 * L3. In parts, a value is the same as at once, and may take no more steps.
 */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { createPolyphony, defineTool } from '../../src/index.ts';
import { workedSteps } from '../../src/language/cel/condition-work.ts';
import { CONDITION_BOUNDS } from '../../src/language/condition-rules.ts';
import { PART_STEPS } from '../../src/language/rendering.ts';
import { compileTemplate, type RenderMeter } from '../../src/language/template.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';

const ITEMS = Array.from({ length: 1000 }, (_, index) => index);
/** Of so many steps, one by one: each item is read and compared. */
const heavy = (place: number): string =>
  `{{= input.items.filter(x, x > ${place} && x != 3 && x != 4 && x != 5).size() }}`;
const fields = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, place) => [`f${place}`, heavy(place)]));

function stepsOf(work: () => unknown): number {
  const before = workedSteps();
  work();
  return workedSteps() - before;
}

const scope = (head: string): unknown => (head === 'input' ? { items: ITEMS } : undefined);
const ONE = stepsOf(() => compileTemplate(heavy(0)).render(scope));

/** The most steps between two turns of the event loop, until the work has ended. */
async function longestTurn(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const end = (): void => {
    isOver = true;
  };
  work.then(end, end);
  let longest = 0;
  for (let before = workedSteps(); !isOver; before = workedSteps()) {
    await new Promise((resolve) => setImmediate(resolve));
    longest = Math.max(longest, workedSteps() - before);
  }
  return longest;
}

async function world(ran: string[] = []) {
  const tool = defineTool({
    name: 'note',
    description: 'Notes.',
    input: { type: 'object' },
    effects: {},
    run: async () => {
      ran.push('note');
      return {};
    },
  });
  return createPolyphony({ runtime: fakeRuntime(), environment: false, plugins: [{ name: 'own', tools: [tool] }] });
}

const COUNT = Math.ceil((4 * PART_STEPS) / ONE);

describe('the expressions of nodes', () => {
  it('take long together, so that this test says something', () => {
    expect(ONE).toBeGreaterThan(1000);
    expect(COUNT * ONE).toBeLessThan(CONDITION_BOUNDS.renderedSteps);
  });

  it.each([1, 5])('leave the others their turn; nodes at once: %i', async (nodes) => {
    const polyphony = await world();
    const plan = {
      version: 1 as const,
      input: { items: 'integer[]' },
      nodes: Array.from({ length: nodes }, (_, at): PlanNode => ({ id: `n${at}`, use: 'value', in: fields(COUNT) })),
    };
    const handle = await polyphony.start(plan, { items: ITEMS });
    expect(await longestTurn(handle.result())).toBeLessThanOrEqual(PART_STEPS + 2 * ONE);
    expect(await handle.result()).toMatchObject({ status: 'done' });
    await polyphony.close();
  });

  it('and those of the output of a run do the same', async () => {
    const polyphony = await world();
    const nodes: PlanNode[] = [{ id: 'a', use: 'value', in: { x: 1 } }];
    const plan = { version: 1 as const, input: { items: 'integer[]' }, nodes, output: fields(COUNT) };
    const handle = await polyphony.start(plan, { items: ITEMS });
    expect(await longestTurn(handle.result())).toBeLessThanOrEqual(PART_STEPS + 2 * ONE);
    expect(await handle.result()).toMatchObject({ status: 'done', output: { f0: 996 } });
    await polyphony.close();
  });

  it('end with the run that is cancelled', async () => {
    const ran: string[] = [];
    const polyphony = await world(ran);
    const nodes: PlanNode[] = [{ id: 'a', use: 'tool:note', in: fields(COUNT) }];
    const handle = await polyphony.start({ version: 1, input: { items: 'integer[]' }, nodes }, { items: ITEMS });
    const before = workedSteps();
    await new Promise((resolve) => setImmediate(resolve));
    handle.cancel('by the test');
    expect((await handle.result()).status).toBe('cancelled');
    expect(workedSteps() - before).toBeLessThan(2 * (PART_STEPS + 2 * ONE));
    expect(ran).toEqual([]);
    await polyphony.close();
  });
});

describe('a value that is rendered in parts', () => {
  const counted = (): { readonly meter: RenderMeter; readonly bytes: () => number } => {
    let sum = 0;
    const add = (bytes: number): void => {
      sum += bytes;
    };
    const one = (): void => add(1);
    const text = (part: string): void => add(part.length);
    return { meter: { text, json: one, container: add, reference: one, made: add }, bytes: () => sum };
  };

  it('is the same, and counts the same', () => {
    const value = {
      ...fields(COUNT),
      list: [heavy(1), 'text {{input.items[2]}}', { deep: heavy(2) }],
      wrong: '{{= ( }}',
    };
    const template = compileTemplate(value);
    const [whole, parts] = [counted(), counted()];
    const rendering = template.inParts?.(scope, parts.meter);
    let count = 1;
    while (rendering?.next() === false) count += 1;
    expect(rendering?.value()).toEqual(template.render(scope, whole.meter));
    expect(parts.bytes()).toBe(whole.bytes());
    expect(count).toBeGreaterThanOrEqual(4);
  });

  it('has one part where it takes little, and none of its own with one expression', () => {
    expect(compileTemplate(fields(2)).inParts?.(scope).next()).toBe(true);
    expect(compileTemplate({ a: heavy(1), b: '{{input.items}}' }).inParts).toBeUndefined();
  });

  it('takes no more steps than at once', () => {
    const rendering = compileTemplate(fields(Math.ceil((1.2 * CONDITION_BOUNDS.renderedSteps) / ONE))).inParts?.(scope);
    expect(() => {
      while (rendering?.next() === false);
    }).toThrow(/more than 4000000 steps together/);
  });

  it('reads a head once, so that what changes between two parts does not', () => {
    let reads = 0;
    const changing = (head: string): unknown => {
      reads += 1;
      return head === 'input' ? { items: [...ITEMS, reads] } : undefined;
    };
    const rendering = compileTemplate({
      a: '{{= size(input.items) }}',
      b: '{{= input.items.last(1) }}',
      c: '{{input.items[1000]}}',
    }).inParts?.(changing);
    expect(rendering?.next()).toBe(true);
    expect(rendering?.value()).toEqual({ a: 1001, b: [1], c: 1 });
    expect(reads).toBe(1);
  });
});
