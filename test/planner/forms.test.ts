/** In which form each model is asked for a plan, and that plans are read, streamed and repaired in all of them. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, Capability, ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { PlannerAnswer } from '../../src/core/plan/planner.ts';
import type { RunEvent } from '../../src/core/run/run-events.ts';
import { createPlanner } from '../../src/planner/planner.ts';
import { createPolyphony, type Polyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish, type ScriptStep } from '../../src/testing/index.ts';
import { checkedRequestInput } from '../../src/validator/check-input.ts';
import { emptyPlan, openDraft } from '../../src/validator/draft.ts';
import { validate } from '../../src/validator/validate.ts';
import { closedNode, closedPlan } from '../eval/closed-plan.ts';

const NODES: Plan['nodes'] = ['a', 'b', 'c', 'd'].map((id) => ({ id, use: 'value', in: { x: 1 } }));
const GOOD: Plan = { version: 1, goal: 'g', nodes: NODES, output: NODES.map(({ id }) => `{{${id}.x}}`) };
const [first, ...others] = NODES;
/** Nothing near it repairs the name. */
const WRONG: Plan['nodes'][number] = { id: 'a', use: 'value', in: { x: '{{nothing_like_it.y}}' } };
const BAD: Plan = { ...GOOD, nodes: [WRONG, ...others] };

const FORMS = {
  schema: ['text', 'streaming', 'system', 'planning', 'json-mode', 'json-schema', 'tools', 'tool-choice'],
  tool: ['text', 'streaming', 'system', 'planning', 'json-mode', 'tools', 'tool-choice'],
  json: ['text', 'streaming', 'system', 'planning', 'json-mode'],
} as const satisfies Record<string, readonly Capability[]>;
type Form = keyof typeof FORMS;

const chatOf = (attempt: Attempt | undefined): ChatRequest => {
  if (attempt?.request.operation !== 'chat') throw new Error('no chat request');
  return attempt.request;
};

function formOf(attempt: Attempt | undefined): Form {
  const { output, tools, toolChoice } = chatOf(attempt);
  if (output?.schema !== undefined) return 'schema';
  return tools?.length === 1 && typeof toolChoice === 'object' ? 'tool' : 'json';
}

const isFirst = (attempt: Attempt): boolean =>
  !JSON.stringify(chatOf(attempt).messages).includes('cannot run as it is');

/** The plan, or the node that a repair replaces, as a model of that form writes it, a few characters at a time. */
function written(form: Form, value: Plan | Plan['nodes'][number]): readonly ModelEvent[] {
  const isPlan = 'nodes' in value;
  const open = isPlan ? value : { replace: [value] };
  const closed = isPlan ? closedPlan(value) : { replace: [closedNode(value)], more: [] };
  const text = JSON.stringify(form === 'schema' ? closed : open);
  const pieces = text.match(/[\s\S]{1,7}/g) ?? [];
  if (form !== 'tool') return [...pieces.map((piece) => ({ type: 'text-delta', text: piece }) as const), finish()];
  const name = isPlan ? 'plan' : 'replaced_nodes';
  return [
    ...pieces.map((delta) => ({ type: 'tool-call-delta', index: 0, id: 'call_1', name, delta }) as const),
    { type: 'tool-call', call: { type: 'tool-call', id: 'call_1', name, arguments: JSON.parse(text) } },
    finish({ reason: 'tool-calls' }),
  ];
}

async function withModels<T>(
  models: readonly (readonly [id: string, form: Form])[],
  script: (attempt: Attempt) => readonly ScriptStep[] | string,
  use: (polyphony: Polyphony, seen: readonly Attempt[]) => Promise<T>,
): Promise<T> {
  const cards = models.map(([id, form], place) =>
    fakeCard({ id, capabilities: FORMS[form], strengths: { general: 0.9 - place / 10 } }),
  );
  const provider = fakeProvider({ models: cards, script });
  const polyphony = await createPolyphony({ runtime: fakeRuntime(), providers: [provider], environment: false });
  try {
    return await use(polyphony, provider.seen);
  } finally {
    await polyphony.close();
  }
}

describe.each(['schema', 'tool', 'json'] as const)('a model that supports %s', (form) => {
  it('is asked in that form, and its plan is the one that it means', async () => {
    const said = (attempt: Attempt) => written(formOf(attempt), GOOD);
    await withModels([['m', form]], said, async (polyphony, seen) => {
      const { plan, rounds, warnings, repaired } = await polyphony.plan('four');
      expect(seen.map(formOf)).toEqual([form]);
      expect({ nodes: plan.plan.nodes, output: plan.plan.output, rounds, warnings, repaired }).toEqual({
        nodes: GOOD.nodes,
        output: GOOD.output,
        rounds: 1,
        warnings: undefined,
        repaired: [],
      });
    });
  });

  it('has its nodes passed on while the plan is written', async () => {
    const known: { readonly ids: readonly string[]; readonly characters: number }[] = [];
    let characters = 0;
    await withModels(
      [['m', form]],
      (attempt) => written(formOf(attempt), GOOD),
      async (polyphony) => {
        const catalogue = (): ReturnType<Polyphony['catalogue']> => polyphony.catalogue();
        const validator = { validate, openDraft, emptyPlan, checkInput: checkedRequestInput };
        await createPlanner({ gateway: polyphony.gateway, catalogue, validator }).plan('four', {
          onDelta: (text) => {
            characters += text.length;
          },
          onDraft: (nodes) => known.push({ ids: nodes.map(({ valid }) => valid.node.id), characters }),
        });
      },
    );
    expect(known.flatMap(({ ids }) => ids)).toEqual(['a', 'b', 'c', 'd']);
    expect(known[0]?.characters).toBeLessThan(characters / 2);
  });

  it('is asked for the nodes that are wrong in the same form, and they are put in their places', async () => {
    const said = (attempt: Attempt) => written(formOf(attempt), isFirst(attempt) ? BAD : (first ?? WRONG));
    await withModels([['m', form]], said, async (polyphony, seen) => {
      const { plan, rounds } = await polyphony.plan('four');
      expect(rounds).toBe(2);
      expect(seen.map(formOf)).toEqual([form, form]);
      expect(plan.plan.nodes).toEqual(GOOD.nodes);
    });
  });

  it('is told in the preview, with the tokens that the form takes beside the same prompt', async () => {
    await withModels(
      [['m', form]],
      () => '',
      async (polyphony) => {
        const { form: told, tokens } = await polyphony.planningPreview('four');
        expect(told.name).toBe(form);
        expect(told.tokens > 0).toBe(form !== 'json');
        await withModels(
          [['m', 'json']],
          () => '',
          async (plain) => {
            expect((await plain.planningPreview('four')).tokens).toBe(tokens);
          },
        );
      },
    );
  });
});

describe.each(['schema', 'tool'] as const)('a provider that refuses the %s', (form) => {
  const refusing = (attempt: Attempt): readonly ScriptStep[] =>
    formOf(attempt) === 'json'
      ? written('json', GOOD)
      : [{ fail: new PolyphonyError('invalid-request', 'The compiled grammar is too large.', { status: 400 }) }];

  it('is asked for plain JSON in the same round, with a warning, and from then on', async () => {
    let calls = 0;
    const onCall = (): void => {
      calls += 1;
    };
    await withModels([['m', form]], refusing, async (polyphony, seen) => {
      const { rounds, warnings } = await polyphony.plan('four', { onCall });
      expect({ rounds, calls }).toEqual({ rounds: 1, calls: 1 });
      expect(warnings).toEqual([{ code: 'schema-refused', message: expect.stringMatching(/^fake\/m refused/) }]);
      expect(seen.map(formOf)).toEqual([form, 'json']);
      expect((await polyphony.plan('five')).warnings).toBeUndefined();
      expect(seen.map(formOf)).toEqual([form, 'json', 'json']);
      expect((await polyphony.planningPreview('six')).form).toEqual({ name: 'json', tokens: 0 });
    });
  });

  const REFUSED = [{ code: 'schema-refused', message: expect.stringMatching(/^fake\/m refused/) }];

  it('is told in the events of a run, whether its plan is written before or within it', async () => {
    for (const streaming of [true, false])
      await withModels([['m', form]], refusing, async (polyphony) => {
        const handle = await polyphony.start('four', {}, { streaming });
        const events: RunEvent[] = [];
        for await (const event of handle.events()) events.push(event);
        const told = events.flatMap((event) => {
          if (event.type === 'plan-answered') return event.warnings ?? [];
          return event.type === 'run-started' ? (event.paid?.warnings ?? []) : [];
        });
        expect(told).toEqual(REFUSED);
      });
  });

  it('is told by the node that plans', async () => {
    await withModels([['m', form]], refusing, async (polyphony) => {
      const node = { id: 'sub', use: 'plan', in: { goal: 'four' } };
      const plan: Plan = { version: 1, nodes: [node], output: '{{sub.meta.warnings}}' };
      expect(await polyphony.run(plan)).toMatchObject({ status: 'done', output: REFUSED });
    });
  });

  it('and plain JSON too is asked no third time, with the warning beside the error', async () => {
    const fail = new PolyphonyError('invalid-request', 'No.', { status: 400 });
    await withModels(
      [['m', form]],
      () => [{ fail }],
      async (polyphony, seen) => {
        const told: unknown[] = [];
        const onAnswer = ({ error, warnings }: PlannerAnswer): unknown => told.push([error?.code, warnings]);
        await expect(polyphony.plan('four', { onAnswer })).rejects.toMatchObject({ code: 'invalid-request' });
        expect(seen).toHaveLength(2);
        expect(told).toEqual([['invalid-request', REFUSED]]);
      },
    );
  });
});

describe('the next planner', () => {
  const overloaded = new PolyphonyError('overloaded', 'Later.', { retryable: false });

  it('answers in its own form where the first one cannot answer', async () => {
    const said = (attempt: Attempt): readonly ScriptStep[] =>
      attempt.target.model === 'plain' ? written('json', GOOD) : [{ fail: overloaded }];
    await withModels(
      [
        ['best', 'schema'],
        ['next', 'tool'],
        ['plain', 'json'],
      ],
      said,
      async (polyphony, seen) => {
        const { model, rounds, costNanoUsd } = await polyphony.plan('four');
        expect({ model, rounds }).toEqual({ model: 'fake/plain', rounds: 1 });
        expect([...new Set(seen.map((attempt) => `${attempt.target.model} ${formOf(attempt)}`))]).toEqual([
          'best schema',
          'next tool',
          'plain json',
        ]);
        expect(costNanoUsd).toBeGreaterThan(0);
      },
    );
  });

  it('does not begin another plan behind a part of one', async () => {
    const said = (attempt: Attempt): readonly ScriptStep[] =>
      attempt.target.model === 'plain'
        ? written('json', GOOD)
        : [{ type: 'text-delta', text: '{"goal":' }, { fail: overloaded }];
    await withModels(
      [
        ['best', 'schema'],
        ['plain', 'json'],
      ],
      said,
      async (polyphony, seen) => {
        await expect(polyphony.plan('four', { onDelta: () => {} })).rejects.toMatchObject({ code: 'overloaded' });
        expect(new Set(seen.map(({ target }) => target.model))).toEqual(new Set(['best']));
      },
    );
  });
});

it('a model that answers its tool with text is understood', async () => {
  await withModels(
    [['m', 'tool']],
    () => `Here:\n${JSON.stringify(GOOD)}`,
    async (polyphony) => {
      expect((await polyphony.plan('four')).plan.plan.nodes).toEqual(GOOD.nodes);
    },
  );
});

it('a tool call that was cut is told as cut', async () => {
  const raw = JSON.stringify(GOOD).slice(0, 80);
  const said = (attempt: Attempt): readonly ScriptStep[] =>
    isFirst(attempt)
      ? [
          { type: 'tool-call', call: { type: 'tool-call', id: 'call_1', name: 'plan', arguments: {}, raw } },
          finish({ reason: 'length' }),
        ]
      : written('tool', GOOD);
  await withModels([['m', 'tool']], said, async (polyphony, seen) => {
    expect((await polyphony.plan('four')).rounds).toBe(2);
    expect(JSON.stringify(chatOf(seen[1]).messages)).toContain('was cut at its length limit');
  });
});

it('a model that is named is asked in its form, and a small window of somebody else leaves no room for a schema', async () => {
  const said = (attempt: Attempt) => written(formOf(attempt), GOOD);
  const models = [
    fakeCard({ id: 'named', capabilities: FORMS.schema }),
    fakeCard({ id: 'small', capabilities: FORMS.schema, contextTokens: 4096 }),
  ];
  for (const [model, form] of [
    ['named', 'schema'],
    ['small', 'json'],
  ]) {
    const provider = fakeProvider({ models, script: said });
    const config = { planner: { model: `fake/${model}` } };
    const polyphony = await createPolyphony({
      runtime: fakeRuntime(),
      providers: [provider],
      environment: false,
      config,
    });
    await polyphony.plan('four');
    expect(provider.seen.map(formOf)).toEqual([form]);
    await polyphony.close();
  }
});
