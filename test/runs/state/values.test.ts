import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { onAbort } from '../../../src/core/on-abort.ts';
import type { Plan, PlanNode } from '../../../src/core/plan/plan.ts';
import type { RunResult } from '../../../src/core/run/engine.ts';
import { VALUE_BOUNDS, type ValueBounds } from '../../../src/core/run/value-bounds.ts';
import { createPolyphony, definePlugin, type Polyphony, type Tool, t, value, workflow } from '../../../src/index.ts';
import { compileTemplate, type RenderMeter } from '../../../src/language/template.ts';
import { Task, type Unit } from '../../../src/runs/state/task.ts';
import { createValues, meterOf } from '../../../src/runs/state/values.ts';
import { fakeProvider, finish } from '../../../src/testing/fakes.ts';

type Bounds = Partial<ValueBounds>;
const KILOBYTE = 'x'.repeat(1000);
const input = { type: 'object' } as const;
const tool = (name: string, run: Tool['run']) => ({ name, description: name, input, sideEffects: false, run });

/** Ten pieces of a text. */
const script = () => [
  ...[...'abcdefghij'].map((letter) => ({ type: 'text-delta', text: letter.repeat(100) }) as const),
  finish(),
];

function made(values: Bounds, tools: readonly Tool[] = []): Promise<Polyphony> {
  return createPolyphony({
    providers: [fakeProvider({ script })],
    plugins: [definePlugin({ name: 'own', tools })],
    config: { limits: { values } },
    workflows: [copies],
  });
}

/** Makes two texts of its input, and returns neither. */
const copies = workflow({ id: 'copies', input: z.object({ t: z.any() }) })
  .node('one', value, ({ input: { t: given } }) => ({ in: { t: t`1${given}2${given}`, n: 1 } }))
  .output(({ one }) => ({ n: one.n }));

const planOf = (...nodes: readonly PlanNode[]): Plan =>
  ({ version: 1, input: { t: 'any?', none: 'any?', l: 'any?' }, nodes: [...nodes] }) as Plan;
const withOutput = (output: unknown, ...nodes: readonly PlanNode[]): Plan => ({ ...planOf(...nodes), output }) as Plan;

async function ended(polyphony: Polyphony, plan: Plan, given?: Record<string, unknown>): Promise<RunResult> {
  const result = await (await polyphony.start(plan, given)).result();
  await polyphony.close();
  return result;
}
const run = async (values: Bounds, plan: Plan, given?: Record<string, unknown>): Promise<RunResult> =>
  ended(await made(values), plan, given);

const exceeded = (bound: string, nodeId?: string) => ({
  code: 'limit-exceeded',
  retryable: false,
  message: expect.stringContaining(bound),
  details: expect.objectContaining(nodeId === undefined ? { bound } : { bound, nodeId }),
});

describe('the bound of one value', () => {
  const node = (text: string): PlanNode => ({ id: 'a', use: 'value', in: { t: text } });

  it('holds to the byte, and names node, bound and remedy', async () => {
    const bytes = Buffer.byteLength(JSON.stringify({ t: 'é"\n' }));
    const whole = withOutput('{{a.t}}', node('é"\n'));
    expect(await run({ valueBytes: bytes }, whole)).toMatchObject({ status: 'done' });
    const { error } = await run({ valueBytes: bytes - 1 }, whole);
    expect(error).toMatchObject(exceeded('limits.values.valueBytes', 'a'));
    expect(error?.message).toMatch(/node a .*raise the bound in the config/);
  });

  it('holds for inputs, tools, models, rounds and answers', async () => {
    const valueBytes = 900;
    const polyphony = await made({ valueBytes }, [tool('big', async () => KILOBYTE)]);
    const error = exceeded('limits.values.valueBytes');
    const results = [
      (await polyphony.start(planOf(node('{{input.t}}')), { t: KILOBYTE })).result(),
      (await polyphony.start(planOf({ id: 'a', use: 'tool:big' }))).result(),
      (await polyphony.start(planOf({ id: 'a', use: 'llm', in: { prompt: 'go' } }))).result(),
      (
        await polyphony.start(
          planOf({
            id: 'a',
            use: 'value',
            repeat: { until: 'false', max: 9 },
            in: { t: `{{prev.t}}${KILOBYTE.slice(0, 200)}` },
          }),
        )
      ).result(),
    ];
    for (const result of await Promise.all(results)) expect(result).toMatchObject({ status: 'failed', error });
    const asking = await (await polyphony.start(planOf({ id: 'a', use: 'human', in: { question: 'go?' } }))).result();
    await expect(polyphony.runs.answer(asking.runId, 'a', KILOBYTE)).rejects.toMatchObject({ code: 'limit-exceeded' });
    await expect(polyphony.runs.answer(asking.runId, 'a', { at: new Map() } as never)).rejects.toMatchObject({
      code: 'invalid-request',
    });
    expect(await (await polyphony.runs.answer(asking.runId, 'a', 'yes')).result()).toMatchObject({ status: 'done' });
    await polyphony.close();
  });

  it('is a failure as any other for onError, and is not tried again', async () => {
    let calls = 0;
    const big = tool('big', async () => {
      calls += 1;
      return KILOBYTE;
    });
    const polyphony = await made({ valueBytes: 500 }, [big]);
    const plan = planOf(
      { id: 'a', use: 'tool:big', onError: 'skip', limits: { retries: 3 } },
      { id: 'b', use: 'tool:big', onError: { value: { t: 'small' } } },
    );
    expect(await ended(polyphony, plan)).toMatchObject({ status: 'done', output: { a: null, b: { t: 'small' } } });
    expect(calls).toBe(2);
  });

  it('stops a stream where it is passed', async () => {
    const { error } = await run({ valueBytes: 250 }, planOf({ id: 'a', use: 'llm', in: { prompt: 'go' } }));
    expect(error?.message).toMatch(/streamed text of node a/);
  });

  it('refuses what is no JSON, and says what it is', async () => {
    const odd: Record<string, unknown> = { big: 1n };
    odd.circle = odd;
    const polyphony = await made({}, [tool('odd', async () => odd)]);
    expect(await ended(polyphony, planOf({ id: 'a', use: 'tool:odd' }))).toMatchObject({
      error: { code: 'invalid-output', message: expect.stringMatching(/odd returned .*JSON does not have/) },
    });
  });

  it('refuses what no stack can write, and says how deep it may be', async () => {
    const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);
    const polyphony = await made({}, [tool('deep', async () => deep)]);
    expect(await ended(polyphony, planOf({ id: 'a', use: 'tool:deep' }))).toMatchObject({
      // Some releases of Node write any depth: then the value itself is refused.
      error: {
        code: expect.stringMatching(/^(?:invalid-output|limit-exceeded)$/),
        message: expect.stringContaining('more than 500 levels deep'),
      },
    });
  });
});

describe('the bound of what a node renders', () => {
  const items: PlanNode = { id: 'l', use: 'value', in: { l: [1, 2, 3, 4, 5, 6, 7, 8] } };
  const bounds = { renderedBytes: 5000 };
  const error = exceeded('limits.values.renderedBytes', 'a');

  it('counts texts, lists, objects and fallbacks of all items and rounds together', async () => {
    const given = { t: KILOBYTE, none: null };
    const nodes: PlanNode[] = [
      { id: 'a', use: 'value', each: '{{l.l}}', in: { t: '{{input.t}}{{item}}' } },
      { id: 'a', use: 'value', each: '{{l.l}}', in: { t: ['{{input.none ?? input.t}}!'], i: { n: '{{index}}' } } },
      { id: 'a', use: 'value', repeat: { until: 'false', max: 9 }, in: { t: '{{input.t}}{{prev}}' } },
      {
        id: 'a',
        use: 'value',
        in: { l: ['1{{input.t}}', '2{{input.t}}', { m: '3{{input.t}}' }], p: '4{{input.t}}5{{input.t}}' },
      },
      {
        id: 'a',
        use: 'llm',
        in: { prompt: '1{{input.t}}2{{input.t}}', system: '3{{input.t}}4{{input.t}}5{{input.t}}' },
      },
    ];
    for (const node of nodes) expect(await run(bounds, planOf(items, node), given)).toMatchObject({ error });
  });

  it('does not count a reference that is passed as it is', async () => {
    const node: PlanNode = { id: 'a', use: 'value', each: '{{l.l}}', in: { t: '{{input.t}}' } };
    expect(await run(bounds, planOf(items, node), { t: KILOBYTE })).toMatchObject({ status: 'done' });
  });

  it('is met before anything longer is made', () => {
    const part = fc.constantFrom('{{big}}', '{{list}}', '{{word}}', 'é漢', '{{none ?? big}}', '{{none}}');
    const template = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 3 }, tie('text'), tie('list'), tie('object')),
      text: fc.array(part, { maxLength: 12 }).map((parts) => `!${parts.join('')}`),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value')),
    })).value;
    const scope = (head: string): unknown =>
      ({ big: 'ü'.repeat(500), list: [1.5, 'a"', { b: null }], word: 'word', none: null })[head];
    fc.assert(
      fc.property(template, fc.integer({ min: 1, max: 20_000 }), (given, renderedBytes) => {
        const { meter, counted } = metered(renderedBytes);
        const { render } = compileTemplate(given);
        const whole = render(scope);
        const texts = textsIn(whole).filter((text) => text !== '!' && text.length > 0);
        const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
        try {
          render(scope, meter);
          expect(bytes).toBeLessThanOrEqual(renderedBytes + 12 * texts.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'limit-exceeded' });
          expect(counted()).toBeLessThanOrEqual(renderedBytes);
        }
      }),
    );
  });
});

function metered(renderedBytes: number): { readonly meter: RenderMeter; readonly counted: () => number } {
  const estimate = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 };
  const node = { id: 'a', use: 'value' } as PlanNode;
  const valid = { node, index: 0, data: [], dependencies: [], hasFallback: false, estimate, priority: 0 };
  const task = new Task(valid, false);
  const unit = { task, used: undefined } as unknown as Unit;
  return {
    meter: meterOf(createValues({ ...VALUE_BOUNDS, renderedBytes }), unit),
    counted: () => task.used?.rendered ?? 0,
  };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

describe('the bound of a run', () => {
  const runBytes = 20_000;
  const numbers = Array.from({ length: 30 }, (_, index) => index);
  const items: PlanNode = { id: 'l', use: 'value', in: { l: numbers } };
  const error = exceeded('limits.values.runBytes');
  const copy = (id: string): PlanNode => ({ id, use: 'value', in: { t: `${id}{{input.t}}` } });

  it('counts what is made once, and what is passed on not again', async () => {
    const given = { t: KILOBYTE };
    const made = Array.from({ length: 30 }, (_, index) => copy(`n${index}`));
    expect(await run({ runBytes }, planOf(...made), given)).toMatchObject({ error });
    const passed = made.map((node) => ({ ...node, in: { t: '{{input.t}}' } }));
    expect(await run({ runBytes }, withOutput(1, ...passed), given)).toMatchObject({ status: 'done' });
  });

  it('holds for what is put together of held values: lists of items, and the output of a run', async () => {
    const bounds = { valueBytes: 2000, runBytes };
    const item: PlanNode = { id: 'a', use: 'value', each: '{{l.l}}', in: { t: '{{input.t}}' } };
    const given = { t: KILOBYTE };
    const ten: PlanNode = { ...items, in: { l: numbers.slice(0, 10) } };
    expect(await run(bounds, planOf(ten, item), given)).toMatchObject({ status: 'done' });
    const list = await run(bounds, withOutput(1, items, item), given);
    expect(list).toMatchObject({ error });
    expect(list.error?.message).toMatch(/list of results of node a/);
    const output = await run(bounds, withOutput(new Array(30).fill('{{input.t}}'), items), given);
    expect(output).toMatchObject({ error });
    expect(output.error?.message).toMatch(/output of the run/);
  });

  it('counts nested runs with their root', async () => {
    const node: PlanNode = { id: 'a', use: 'workflow:copies', each: '{{l.l}}', in: { t: '{{input.t}}' } };
    const plan = withOutput('{{l}}', items, node);
    expect(await run({ runBytes: 150_000 }, plan, { t: KILOBYTE })).toMatchObject({ status: 'done' });
    // Thirty times two texts; what is passed to the nested runs is not counted again.
    expect(await run({ runBytes: 60_000 }, plan, { t: KILOBYTE })).toMatchObject({ error });
  });

  it('counts a resumed run from its journal', async () => {
    const polyphony = await made({ runBytes });
    const before = Array.from({ length: 12 }, (_, index) => copy(`n${index}`));
    const asking: PlanNode = { id: 'q', use: 'human', in: { question: 'go?' }, needs: before.map(({ id }) => id) };
    const after = Array.from({ length: 12 }, (_, index) => ({ ...copy(`m${index}`), needs: ['q'] }));
    const plan = withOutput('{{q}}', ...before, asking, ...after);
    const asked = await (await polyphony.start(plan, { t: KILOBYTE })).result();
    expect(asked.status).toBe('suspended');
    expect(await (await polyphony.runs.answer(asked.runId, 'q', 'yes')).result()).toMatchObject({ error });
    await polyphony.close();
  });

  it('does not call the other items of a node whose results have no room', async () => {
    let calls = 0;
    const big = tool('big', async () => {
      calls += 1;
      return KILOBYTE.repeat(50);
    });
    const polyphony = await made({ runBytes: 200_000 }, [big]);
    const node: PlanNode = { id: 'a', use: 'tool:big', each: '{{l.l}}', onError: 'skip', limits: { concurrency: 1 } };
    expect(await ended(polyphony, planOf(items, node))).toMatchObject({ status: 'done' });
    // Three have room, the fourth has none.
    expect(calls).toBe(4);
  });

  it('counts calls in flight, and leaves nothing there when they have ended', async () => {
    let open = 0;
    let letGo: () => void = () => {};
    const all = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // None of them ends before all have begun, or one has failed: how many run at once is not left to the speed of the machine.
    const together = tool('together', async (_given, { signal }) => {
      open += 1;
      if (open === numbers.length) letGo();
      onAbort(signal, letGo);
      await all;
      return 'x';
    });
    const given = { t: 'x'.repeat(4000) };
    const node: PlanNode = { id: 'a', use: 'tool:together', each: '{{l.l}}', in: { text: '{{input.t}}!' } };
    const bounds = { runBytes: 70_000 };
    expect(await ended(await made(bounds, [together]), planOf(items, node), given)).toMatchObject({ error });
    expect(open).toBeLessThan(numbers.length);
    const ask: PlanNode = { id: 'a', use: 'llm', each: '{{l.l}}', in: { prompt: '{{input.t}}' } };
    const oneByOne = planOf(items, { ...ask, limits: { concurrency: 1 } });
    expect(await run(bounds, oneByOne, given)).toMatchObject({ status: 'done' });
  });
});

it('runs 10,000 items under the defaults', async () => {
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const node: PlanNode = { id: 'a', use: 'value', each: '{{input.l}}', in: { t: `${'word '.repeat(100)}{{item}}` } };
  const result = await run({}, planOf(node), { l: numbers });
  expect(result).toMatchObject({ status: 'done' });
});
