import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/index.ts';

const PLANNING = ['text', 'streaming', 'json-mode', 'planning'] as const;
const GOOD = { version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }], output: '{{a.x}}' };
/** A forward name that nothing near it repairs. */
const BAD = { ...GOOD, output: '{{nothing_like_it.x}}' };

const OTHER = { ...GOOD, output: '{{nor_this.x}}' };

interface Script {
  readonly answers: readonly (object | string)[];
  readonly premium?: boolean;
}

/** A fake planner model that gives its answers in turn. */
async function withPlanner<T>(
  { answers, premium = false }: Script,
  use: (polyphony: Polyphony, seen: readonly Attempt[]) => Promise<T>,
): Promise<T> {
  let turn = 0;
  const provider = fakeProvider({
    id: 'fake',
    models: [
      fakeCard({ id: 'planner', capabilities: PLANNING, price: { input: 0, output: 100 } }),
      ...(premium
        ? [
            fakeCard({
              id: 'strong',
              tier: 'premium' as const,
              strengths: { general: 0.9 },
              capabilities: PLANNING,
              price: { input: 0, output: 1000 },
            }),
          ]
        : []),
    ],
    script: ({ purpose }) => {
      if (purpose !== 'planner') return [{ fail: new PolyphonyError('unsupported', 'it only plans') }];
      const answer = answers[Math.min(turn++, answers.length - 1)] ?? '';
      return typeof answer === 'string' ? answer : JSON.stringify(answer);
    },
  });
  const polyphony = await createPolyphony({
    runtime: fakeRuntime(),
    plugins: [{ name: 'fake', providers: [provider] }],
  });
  try {
    return await use(polyphony, provider.seen);
  } finally {
    await polyphony.close();
  }
}

const messagesOf = (attempt: Attempt | undefined): string =>
  attempt?.request.operation === 'chat' ? JSON.stringify(attempt.request.messages) : '';

describe('the planner', () => {
  it('takes the first plan that can run', async () => {
    await withPlanner(
      { answers: [`Here you are:\n\`\`\`json\n${JSON.stringify(GOOD)}\n\`\`\``] },
      async (polyphony) => {
        const planning = await polyphony.plan('say one');
        expect(planning.plan.plan.nodes[0]?.id).toBe('a');
        expect(planning.rounds).toBe(1);
      },
    );
  });

  it('tells the model the catalogue, and the request alone as the last message', async () => {
    await withPlanner({ answers: [GOOD] }, async (polyphony, seen) => {
      await polyphony.plan('say one');
      const request = seen[0]?.request;
      if (request?.operation !== 'chat') throw new Error('no chat request');
      expect(request.messages.at(-1)).toEqual({ role: 'user', content: 'say one' });
      const system = String(request.messages[0]?.content);
      const catalogue = system.split('<catalogue>')[1]?.split('</catalogue>')[0] ?? '';
      expect(catalogue).toMatch(/^llm\(prompt\?: any.*\) -> \{text: string\}/m);
    });
  });

  it('sends every issue back, and counts what all its rounds cost', async () => {
    await withPlanner({ answers: [BAD, OTHER, GOOD] }, async (polyphony, seen) => {
      const planning = await polyphony.plan('say one');
      expect(planning.rounds).toBe(3);
      expect(messagesOf(seen[1])).toContain('ref.unknown_node');
      // Five tokens out a round, by the fake's usage, at 100 dollars a million.
      expect(planning.costNanoUsd).toBe(3 * 5 * 100_000);
    });
  });

  it('escalates to a premium planner for one more round when the others are used up', async () => {
    await withPlanner({ answers: [BAD, OTHER, BAD, GOOD], premium: true }, async (polyphony, seen) => {
      const planning = await polyphony.plan('say one');
      expect(planning.rounds).toBe(4);
      expect(seen.at(-1)?.target.model).toBe('strong');
    });
  });

  it('gives up with every issue, and says what may help', async () => {
    await withPlanner({ answers: [BAD] }, async (polyphony) => {
      await expect(polyphony.plan('say one')).rejects.toMatchObject({
        code: 'invalid-plan',
        message: expect.stringMatching(/ref\.unknown_node.*planner\.model/s),
        details: { issues: [expect.objectContaining({ code: 'ref.unknown_node' })] },
      });
    });
  });

  it('asks nobody a third time for the answer that came twice', async () => {
    await withPlanner({ answers: [BAD, BAD, GOOD] }, async (polyphony, seen) => {
      await expect(polyphony.plan('say one')).rejects.toMatchObject({ code: 'invalid-plan' });
      expect(seen).toHaveLength(2);
    });
    await withPlanner({ answers: [BAD, BAD, GOOD], premium: true }, async (polyphony, seen) => {
      expect((await polyphony.plan('say one')).rounds).toBe(3);
      expect(seen.at(-1)?.target.model).toBe('strong');
    });
  });

  const NODES = ['a', 'b', 'c', 'd'].map((id) => ({ id, use: 'value', in: { x: 1 } }));
  const FOUR = { version: 1, nodes: NODES, output: NODES.map(({ id }) => `{{${id}.x}}`) };

  it('tells a cut answer as cut, and takes nothing of it for the plan', async () => {
    const whole = JSON.stringify(FOUR);
    // Its brackets could be closed, but then the last nodes are missing.
    const begun = whole.slice(0, whole.indexOf(',{"id":"d"'));
    let turn = 0;
    const provider = fakeProvider({
      models: [fakeCard({ id: 'planner', capabilities: PLANNING })],
      script: () => [
        { type: 'text-delta', text: turn++ === 0 ? `${begun}]}x` : `${begun}` },
        { type: 'finish', reason: 'length', usage: { input: 9, output: 9 } },
      ],
    });
    const polyphony = await createPolyphony({ runtime: fakeRuntime(), plugins: [], providers: [provider] });
    await expect(polyphony.plan('say four')).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringMatching(/cut at its length limit.*fewer nodes/s),
    });
    await polyphony.close();
  });

  it('names the planner where its prompt does not fit', async () => {
    const tooLong = new PolyphonyError('context-window', 'The input has 9000 tokens.');
    const provider = fakeProvider({
      models: [fakeCard({ id: 'planner', capabilities: PLANNING })],
      script: () => [{ fail: tooLong }],
    });
    const polyphony = await createPolyphony({ runtime: fakeRuntime(), plugins: [], providers: [provider] });
    await expect(polyphony.plan('say four')).rejects.toMatchObject({
      code: 'context-window',
      message: expect.stringMatching(/prompt of the planner.*9000 tokens.*planner\.model/s),
    });
    await polyphony.close();
  });

  it('asks only for the nodes that are wrong, and puts them where they stood', async () => {
    const wrong = { ...FOUR, nodes: NODES.with(2, { id: 'c', use: 'valve:none', in: { x: 1 } }) };
    const replace = [{ id: 'c', use: 'value', in: { x: 2 } }];
    await withPlanner({ answers: [wrong, { replace }] }, async (polyphony, seen) => {
      const { plan, rounds } = await polyphony.plan('say four');
      expect([rounds, plan.plan]).toEqual([2, { ...FOUR, nodes: NODES.with(2, replace[0] as never) }]);
      expect(messagesOf(seen[1])).toContain('c have issues');
    });
  });

  it('validates the whole of what was replaced', async () => {
    const wrong = { ...FOUR, nodes: NODES.with(2, { id: 'c', use: 'valve:none', in: { x: 1 } }) };
    const replace = [{ id: 'c', use: 'value', in: { x: '{{nobody.x}}' } }];
    await withPlanner({ answers: [wrong, { replace }, FOUR] }, async (polyphony, seen) => {
      expect((await polyphony.plan('say four')).rounds).toBe(3);
      expect(messagesOf(seen[2])).toContain('nobody.x');
    });
  });

  it('asks once more where a node is paid for and not read, and takes the plan if that stays so', async () => {
    const asked = { id: 'e', use: 'llm', in: { prompt: 'Say e' } };
    const unread = { ...FOUR, nodes: [...NODES, asked], output: '{{a.x}}' };
    // What costs nothing, or may be there for what it changes, is no reason for a call.
    await withPlanner({ answers: [{ ...FOUR, output: '{{a.x}}' }] }, async (polyphony) => {
      expect((await polyphony.plan('say four')).rounds).toBe(1);
    });
    await withPlanner({ answers: [unread, FOUR] }, async (polyphony) => {
      const { rounds, plan } = await polyphony.plan('say four');
      expect([rounds, plan.plan.output]).toEqual([2, FOUR.output]);
    });
    await withPlanner({ answers: [unread] }, async (polyphony) => {
      const { rounds, plan } = await polyphony.plan('say four');
      expect([rounds, plan.plan.output]).toEqual([2, '{{a.x}}']);
    });
    await withPlanner({ answers: [unread, BAD] }, async (polyphony) => {
      expect((await polyphony.plan('say four')).plan.plan.output).toBe('{{a.x}}');
    });
  });

  it('bounds its answers, and shows a long one shortened', async () => {
    const long = `{"version":1,"nodes":[{"id":"a","use":"value","in":{"x":"${'word '.repeat(9000)}`;
    await withPlanner({ answers: [long, `${long}again`, GOOD] }, async (polyphony, seen) => {
      await polyphony.plan('say one');
      const [first, , third] = seen.map(({ request }) => request);
      expect(first).toMatchObject({ maxOutputTokens: expect.any(Number) });
      expect(JSON.stringify(third).length).toBeLessThan(2 * JSON.stringify(first).length);
    });
  });

  it('refuses an empty or endless request before a model is paid', async () => {
    await withPlanner({ answers: [GOOD] }, async (polyphony, seen) => {
      await expect(polyphony.plan('  ')).rejects.toMatchObject({ code: 'invalid-request' });
      await expect(polyphony.plan('x'.repeat(200_001))).rejects.toMatchObject({ code: 'invalid-request' });
      expect(seen).toHaveLength(0);
    });
  });

  it('charges its calls to the run that it plans, under the cap of the run', async () => {
    await withPlanner({ answers: [GOOD] }, async (polyphony) => {
      const result = await polyphony.run('say one', {}, { budgetUsd: 1 });
      expect(result.costNanoUsd).toBe(500_000);
      const totals = await polyphony.stores.ledger.totals('scope:run');
      expect(totals).toMatchObject([{ group: result.runId, costNanoUsd: 500_000 }]);
      // Its counters are not left behind.
      await new Promise((resolve) => setImmediate(resolve));
      expect(await polyphony.stores.keyValue.keys('budget:')).toEqual([]);
    });
    await withPlanner({ answers: [GOOD] }, async (polyphony) => {
      await expect(polyphony.run('say one', {}, { budgetUsd: 0.0000001 })).rejects.toMatchObject({
        code: 'budget-exceeded',
      });
    });
  });

  it('shows the plan while it is written, to whom it may concern', async () => {
    await withPlanner({ answers: [GOOD] }, async (polyphony) => {
      let text = '';
      await polyphony.plan('say one', {
        onDelta: (delta) => {
          text += delta;
        },
      });
      expect(JSON.parse(text)).toEqual(GOOD);
    });
  });
});

describe('replanning', () => {
  const failing = {
    version: 1 as const,
    goal: 'say one',
    nodes: [
      { id: 'first', use: 'value', in: { x: 1 } },
      { id: 'broken', use: 'llm', in: { prompt: '{{first.x}}' }, onError: 'replan' as const },
    ],
    output: '{{broken.text}}',
  };
  const revised = {
    ...failing,
    nodes: [failing.nodes[0], { id: 'other', use: 'value', in: { text: 'went round {{first.x}}' } }],
    output: '{{other.text}}',
  };

  it('goes round a node that failed for good; what finished is kept', async () => {
    await withPlanner({ answers: [revised] }, async (polyphony, seen) => {
      const handle = await polyphony.start(failing);
      const types: string[] = [];
      for await (const event of handle.events())
        types.push('nodeId' in event ? `${event.type} ${event.nodeId}` : event.type);
      const result = await handle.result();
      expect(result.output).toBe('went round 1');
      expect(types.filter((type) => type === 'node-started first')).toHaveLength(1);
      expect(types).toContain('plan-revised');
      const asked = messagesOf(seen.at(-1));
      expect(asked).toContain('it only plans');
      expect(asked).toContain('first: ');
    });
  });
});
