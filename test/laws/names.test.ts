/**
 * The law of names: what a plan names is what runs and what is read. A misspelt name is spelt right where it can mean only one
 * thing, which is told wherever the run is told; any other name that does not exist keeps the plan from running.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepType } from '../../src/core/plan/validation.ts';
import type { Logger, Plan, PolyphonyOptions, RunEvent, Tool } from '../../src/index.ts';
import { createPolyphony, definePlugin, tool, workflow } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { validate } from '../../src/validator/validate.ts';
import { inStyle, NAME_STYLES, OTHER_WORDS, otherNames } from '../language/other-words.ts';
import { catalogue, MODELS } from '../validator/catalogue.ts';

const step = (use: string, more: Partial<StepType> = {}): StepType => ({
  use,
  description: 'A step.',
  input: { type: 'object' },
  sideEffects: false,
  ...more,
});
const fields = (...names: readonly string[]) => ({
  type: 'object',
  properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
  additionalProperties: false,
});

/** Every place of a plan where a name of the catalogue or of the plan itself stands: the name that is given, and the one that exists. */
const PLACES: Readonly<
  Record<string, (given: string, name: string) => { readonly raw: unknown; readonly all: ReturnType<typeof catalogue> }>
> = {
  'a tool': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: `tool:${given}` }] },
    all: catalogue({ steps: [step(`tool:${name}`)] }),
  }),
  'a workflow': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: `workflow:${given}` }] },
    all: catalogue({ steps: [step(`workflow:${name}`)] }),
  }),
  'a step': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: given }] },
    all: catalogue({ steps: [step(name)] }),
  }),
  'an input of a step': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: 'tool:make', in: { [given]: 'x' } }] },
    all: catalogue({ steps: [step('tool:make', { input: fields(name) })] }),
  }),
  'a field in a text': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: 'tool:make' }], output: `{{a.${given}}}` },
    all: catalogue({ steps: [step('tool:make', { output: fields(name) })] }),
  }),
  'a field in a condition': (given, name) => ({
    raw: {
      version: 1,
      nodes: [
        { id: 'a', use: 'tool:make' },
        { id: 'b', use: 'tool:make', when: `a.${given} == 'x'` },
      ],
    },
    all: catalogue({ steps: [step('tool:make', { output: fields(name) })] }),
  }),
  'an input of the plan': (given, name) => ({
    raw: {
      version: 1,
      input: { [name]: 'string' },
      nodes: [{ id: 'a', use: 'value', in: { x: `{{input.${given}}}` } }],
    },
    all: catalogue(),
  }),
  'a node in a text': (given, name) => ({
    raw: {
      version: 1,
      nodes: [
        { id: `n_${name}`, use: 'value', in: { x: 1 } },
        { id: 'b', use: 'value', in: { x: `{{n_${given}.x}}` } },
      ],
    },
    all: catalogue(),
  }),
  'a node in "needs"': (given, name) => ({
    raw: {
      version: 1,
      nodes: [
        { id: `n_${name}`, use: 'value', in: { x: 1 } },
        { id: 'b', use: 'value', in: { x: 1 }, needs: [`n_${given}`] },
      ],
    },
    all: catalogue(),
  }),
  'a model': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, model: { id: given } }] },
    all: catalogue({ models: MODELS.map((model) => ({ ...model, card: { ...model.card, id: name } })).slice(0, 1) }),
  }),
  'a route': (given, name) => ({
    raw: { version: 1, nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, model: { route: given } }] },
    all: { ...catalogue(), routes: [name] },
  }),
  'an evaluator': (given, name) => ({
    raw: {
      version: 1,
      nodes: [
        { id: 'a', use: 'llm', in: { prompt: 'x' }, escalate: { evaluator: given, below: 0.5, to: ['premium'] } },
      ],
    },
    all: { ...catalogue(), evaluators: [name] },
  }),
  'a rung': (given, name) => ({
    raw: {
      version: 1,
      nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x' }, escalate: { evaluator: 'judge', below: 0.5, to: [given] } }],
    },
    all: catalogue({ models: MODELS.map((model) => ({ ...model, card: { ...model.card, id: name } })).slice(0, 1) }),
  }),
};

/** Names that are identifiers in lower case, as ids of nodes have to be. */
const identifiers = otherNames().filter((names) => names.every((name) => /^[a-z]\w*$/.test(name)));

describe.each(Object.entries(PLACES))('%s', (_place, planFor) => {
  it('is never another one', () => {
    fc.assert(
      fc.property(identifiers, ([given, name]) => {
        const { raw, all } = planFor(given, name);
        expect(validate(raw, all)).toMatchObject({ repaired: [] });
        expect(validate(raw, all).plan).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  it('is the same one in another case, with other separators, or with one letter misplaced', () => {
    for (const [given, name] of [
      ['custmoer_name', 'customer_name'],
      ['cusstomer_name', 'customer_name'],
      ['custoer_name', 'customer_name'],
      ['customerName', 'customer_name'],
      ['customer_Name', 'customer_name'],
    ] as const) {
      const { raw, all } = planFor(given, name);
      const { plan, repaired, issues } = validate(raw, all);
      expect(issues, given).toEqual([]);
      expect(repaired.map(({ code }) => code)).toEqual(['name.corrected']);
      expect(plan?.repaired).toEqual(repaired);
      expect(JSON.stringify(plan?.plan)).not.toContain(given);
      expect(validate(raw, all, { repair: false }).plan).toBeUndefined();
    }
  });

  it('is neither of two that it can be', () => {
    const { raw, all } = planFor('custmoer_name', 'customer_name');
    const both = {
      ...all,
      steps: new Map([...all.steps, ...[...all.steps.values()].map((known) => doubled(known))]),
      models: [
        ...all.models,
        ...all.models.map((model) => ({ ...model, card: { ...model.card, id: twin(model.card.id) } })),
      ],
      routes: all.routes.flatMap((route) => [route, twin(route)]),
      evaluators: all.evaluators.flatMap((evaluator) => [evaluator, twin(evaluator)]),
    };
    const { plan, repaired } = validate(withTwins(raw), both);
    expect({ plan, repaired }).toEqual({ plan: undefined, repaired: [] });
  });
});

const twin = (name: string): string => name.replace('customer_name', 'customeer_name');
const twinFields = (schema: unknown): Readonly<Record<string, unknown>> => {
  const { properties = {}, ...rest } = (schema ?? {}) as { readonly properties?: object };
  const twins = Object.entries(properties).flatMap(([name, type]) => [
    [name, type],
    [twin(name), type],
  ]);
  return { ...rest, properties: Object.fromEntries(twins) };
};
const doubled = (known: StepType): readonly [string, StepType] => {
  const use = twin(known.use);
  if (use !== known.use || !known.use.startsWith('tool:make')) return [use, { ...known, use }];
  return [use, { ...known, input: twinFields(known.input), output: twinFields(known.output) }];
};
/** The plan with a second node and a second input beside those that have the name. */
function withTwins(raw: unknown): unknown {
  const { nodes, input, ...rest } = raw as {
    readonly nodes: readonly { readonly id: string }[];
    readonly input?: object;
  };
  const [first] = nodes;
  const id = twin(first?.id ?? '');
  const more = id === first?.id ? [] : [{ ...first, id }];
  const inputs =
    input === undefined
      ? {}
      : {
          input: Object.fromEntries(
            Object.keys(input).flatMap((name) => [
              [name, 'string'],
              [twin(name), 'string'],
            ]),
          ),
        };
  return { ...rest, ...inputs, nodes: [...more, ...nodes] };
}

describe('what may change something', () => {
  const mail = (sideEffects: boolean | undefined) =>
    catalogue({
      steps: [
        step('tool:archive_mail', {
          input: fields('folder_name'),
          ...(sideEffects === undefined ? {} : { sideEffects }),
        }),
        step('tool:make', { output: fields('folder_name') }),
      ].map(({ sideEffects: given, ...rest }) =>
        rest.use === 'tool:archive_mail' && sideEffects === undefined
          ? rest
          : { ...rest, ...(given === undefined ? {} : { sideEffects: given }) },
      ),
    });
  const plans: Readonly<Record<string, unknown>> = {
    'its name': { version: 1, nodes: [{ id: 'a', use: 'tool:archvie_mail' }] },
    'its input': { version: 1, nodes: [{ id: 'a', use: 'tool:archive_mail', in: { fodler_name: 'x' } }] },
    'what it reads': {
      version: 1,
      nodes: [
        { id: 'm', use: 'tool:make' },
        { id: 'a', use: 'tool:archive_mail', in: { folder_name: '{{m.fodler_name}}' } },
      ],
    },
    'its condition': {
      version: 1,
      nodes: [
        { id: 'm', use: 'tool:make' },
        { id: 'a', use: 'tool:archive_mail', when: "m.fodler_name == 'x'" },
      ],
    },
    'itself, for the node before': {
      version: 1,
      nodes: [
        { id: 'm', use: 'tool:make' },
        { id: 'a', use: 'tool:archive_mail', in: { folder_name: '{{a.folder_name}}' } },
      ],
    },
  };

  it.each(Object.keys(plans))('is not repaired beyond case and separators: %s', (place) => {
    for (const sideEffects of [true, undefined]) {
      const { plan, repaired, issues } = validate(plans[place], mail(sideEffects));
      expect({ plan, repaired }).toEqual({ plan: undefined, repaired: [] });
      expect(issues.length).toBeGreaterThan(0);
    }
    if (!place.startsWith('itself')) expect(validate(plans[place], mail(false)).plan).toBeDefined();
  });

  it('is repaired in case and separators', () => {
    const raw = { version: 1, nodes: [{ id: 'a', use: 'tool:ArchiveMail', in: { folderName: 'x' } }] };
    expect(validate(raw, mail(true)).plan?.plan.nodes[0]).toEqual({
      id: 'a',
      use: 'tool:archive_mail',
      in: { folder_name: 'x' },
    });
  });

  it('is also a model that has a tool for it', () => {
    const ask = { id: 'a', use: 'llm', in: { prompt: '{{m.fodler_name}}', tools: ['archive_mail'] } };
    const raw = { version: 1, nodes: [{ id: 'm', use: 'tool:make' }, ask] };
    expect(validate(raw, mail(true)).plan).toBeUndefined();
    expect(validate(raw, mail(false)).plan).toBeDefined();
  });

  it('keeps the kind of step that was named, and gets one only where it is the only one', () => {
    const both = catalogue({ steps: [step('tool:tidy'), step('workflow:tidy'), step('workflow:sweep')] });
    const use = (name: string) => validate({ version: 1, nodes: [{ id: 'a', use: name }] }, both);
    expect(use('tidy').plan).toBeUndefined();
    expect(use('tool:sweep').plan).toBeUndefined();
    expect(use('tool:sweep').issues[0]?.suggest).toContain('workflow:sweep');
    expect(use('sweep').plan?.plan.nodes[0]?.use).toBe('workflow:sweep');
    const named = (name: string, inputs: object) =>
      validate({ version: 1, nodes: [{ id: 'a', use: name, in: inputs }] }, both);
    expect(named('tool:llm', { prompt: 'x' }).plan?.plan.nodes[0]?.use).toBe('llm');
    expect(named('tool:plan', { goal: 'x' }).plan).toBeUndefined();
  });
});

describe('a word that means something', () => {
  const serach = { version: 1, nodes: [{ id: 'a', use: 'tool:serach' }] };
  const all = catalogue({ steps: [step('tool:find_text')], ...{} });
  const searching = { ...all, steps: new Map([...all.steps, ['tool:search', step('tool:search')]]) };

  it('is a typing error only where nobody uses it', () => {
    expect(validate(serach, searching).plan).toBeDefined();
    expect(validate(serach, searching, { request: 'Ask Serach about the trip.' }).plan).toBeUndefined();
    expect(validate({ ...serach, goal: 'Ask serach' }, searching).plan).toBeUndefined();
    const other = step('tool:book', { input: fields('serach_id') });
    expect(
      validate(serach, { ...searching, steps: new Map([...searching.steps, ['tool:book', other]]) }).plan,
    ).toBeUndefined();
  });
});

// ---------------------------------------------------------------------------------------------------- runs

const quiet: Tool = {
  name: 'weather_report',
  description: 'Tells the weather.',
  input: { type: 'object' },
  output: { type: 'object', properties: { forecast: { type: 'string' } }, required: ['forecast'] },
  sideEffects: false,
  run: async () => ({ forecast: 'rain' }),
};

const PLANNER = fakeCard({ id: 'one', capabilities: [...fakeCard({ id: 'one' }).capabilities, 'planning'] });

const MISSPELT: Plan = { version: 1, nodes: [{ id: 'a', use: 'tool:weather-report' }], output: '{{a.forcast}}' };

async function open(more: Partial<PolyphonyOptions> = {}) {
  const warned: object[] = [];
  const ignore = (): void => {};
  const logger: Logger = { debug: ignore, info: ignore, error: ignore, warn: (entry) => void warned.push(entry) };
  const ran: string[] = [];
  const acting = (name: string): Tool => ({
    name,
    description: name,
    input: { type: 'object' },
    run: async () => {
      ran.push(name);
      return {};
    },
  });
  const plugin = definePlugin({ name: 'own', tools: [quiet, acting('unmount_disk'), acting('delete_users')] });
  const polyphony = await createPolyphony({ plugins: [plugin], defaults: false, providers: [], logger, ...more });
  return { polyphony, warned, ran };
}

async function eventsOf(run: { events(): AsyncIterable<RunEvent> }): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.events()) events.push(event);
  return events;
}

describe('a run', () => {
  const expected = [
    expect.objectContaining({ code: 'name.corrected', path: '/nodes/0/use' }),
    expect.objectContaining({ code: 'name.corrected', path: '/output' }),
  ];

  it('tells what was repaired: in its outcome, its events, its journal, its forks and the log', async () => {
    const stores = memoryStores();
    const { polyphony, warned } = await open({ stores });
    const handle = await polyphony.start(MISSPELT);
    const events = await eventsOf(handle);
    expect(await handle.result()).toMatchObject({ status: 'done', output: 'rain', repaired: expected });
    expect(events[0]).toMatchObject({ type: 'run-started', repaired: expected });
    expect(await polyphony.runs.show(handle.runId)).toMatchObject({ repaired: expected });
    const fork = await polyphony.runs.fork(handle.runId, { from: 'a' });
    expect(await fork.result()).toMatchObject({ status: 'done', repaired: expected });
    expect(warned).toContainEqual(expect.objectContaining({ runId: handle.runId, repaired: expected }));
    expect(
      await polyphony.run({ ...MISSPELT, nodes: [{ id: 'a', use: 'tool:weather_report' }], output: '{{a.forecast}}' }),
    ).not.toHaveProperty('repaired');
    await polyphony.close();
  });

  it.each([true, false])('tells it of a plan that a model wrote; streamed: %s', async (streaming) => {
    const provider = fakeProvider({ models: [PLANNER], script: () => JSON.stringify(MISSPELT) });
    const { polyphony, warned } = await open({ providers: [provider] });
    const handle = await polyphony.start('What is the weather like?', undefined, { streaming });
    const events = await eventsOf(handle);
    expect(await handle.result()).toMatchObject({ status: 'done', repaired: expected });
    const told = events.filter((event) => 'repaired' in event && event.repaired !== undefined);
    expect(told.map(({ type }) => type)).toEqual([streaming ? 'plan-revised' : 'run-started']);
    expect(warned.filter((entry) => 'repaired' in entry)).toHaveLength(1);
    expect(await polyphony.runs.show(handle.runId)).toMatchObject({ repaired: expected });
    await polyphony.close();
  });

  it('asks the planner again, and runs nothing, where another tool is named', async () => {
    const plan = (use: string) => JSON.stringify({ version: 1, nodes: [{ id: 'a', use, in: {} }], output: 'done' });
    const answers = [plan('tool:mount_disk'), plan('tool:delete_user'), plan('tool:weather_report')];
    const prompts: string[] = [];
    const provider = fakeProvider({
      models: [PLANNER],
      script: (request) => {
        prompts.push(JSON.stringify(request));
        return answers[prompts.length - 1] ?? '';
      },
    });
    const { polyphony, ran } = await open({ providers: [provider] });
    const result = await polyphony.run('Mount the disk.');
    expect(result).toMatchObject({ status: 'done' });
    expect(prompts).toHaveLength(3);
    expect(prompts[1]).toContain('unmount_disk');
    expect(ran).toEqual([]);
    await polyphony.close();
  });
});

describe('a workflow of a program', () => {
  const of = (name: string) =>
    workflow({ id: 'report' })
      .node('a', tool<object, { readonly forecast: string }>(name), () => ({ in: {} }))
      .output((c) => c.a.forecast);

  it('is never repaired: a name that does not exist is an error with the nearest one, alone or nested', async () => {
    const { polyphony } = await open();
    const nearly = of('weather-report');
    await expect(polyphony.run(nearly, {})).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringContaining('weather_report'),
    });
    const outer = workflow({ id: 'outer' })
      .node('inner', nearly, () => ({ in: {} }))
      .output((c) => c.inner);
    await expect(polyphony.run(outer, {})).rejects.toMatchObject({ code: 'invalid-plan' });
    await polyphony.close();
  });

  it('that was refused does not keep its id', async () => {
    const { polyphony } = await open();
    await expect(polyphony.run(of('wether'), {})).rejects.toMatchObject({ code: 'invalid-plan' });
    expect(polyphony.catalogue().steps.has('workflow:report')).toBe(false);
    expect(await polyphony.run(of('weather_report'), {})).toMatchObject({ status: 'done', output: 'rain' });
    expect(polyphony.catalogue().steps.has('workflow:report')).toBe(true);
    await polyphony.close();
  });
});

describe('a run that continues', () => {
  it('is not repaired against what is registered meanwhile', async () => {
    const stores = memoryStores();
    const asking: Plan = {
      version: 1,
      nodes: [
        { id: 'ask', use: 'human', in: { question: 'Go?' } },
        { id: 'a', use: 'tool:weather_report', needs: ['ask'] },
      ],
    };
    const { polyphony } = await open({ stores: { ...stores, close: async () => {} } });
    const { runId } = await polyphony.run(asking);
    await polyphony.close();
    const renamed = definePlugin({ name: 'own', tools: [{ ...quiet, name: 'weatherReport' }] });
    const { polyphony: later } = await open({ stores, plugins: [renamed] });
    await later.engine.answer(runId, 'ask', 'yes');
    await expect(later.resume(runId)).rejects.toMatchObject({
      code: 'invalid-plan',
      message: expect.stringContaining('weatherReport'),
    });
    await later.close();
  });
});

it('the names of the law are written in every style', () => {
  expect(NAME_STYLES.map((style) => inStyle(style, OTHER_WORDS[0] ?? []))).toHaveLength(NAME_STYLES.length);
});
