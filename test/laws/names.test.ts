/**
 * The law of names: what a plan names is what runs and what is read. A misspelt name is spelt right where it can mean only one
 * thing; any other name that does not exist keeps the plan from running.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StepType } from '../../src/core/plan/validation.ts';
import { validate } from '../../src/validator/validate.ts';
import { otherNames } from '../language/other-words.ts';
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
/** Behind the name of a node these words mean what it gives, and are not the name of a field. */
const OUTPUT_WORDS: ReadonlySet<string> = new Set(['output', 'outputs', 'result', 'results', 'response', 'returns']);
const isOutput = (place: string, given: string): boolean => place.startsWith('a field in') && OUTPUT_WORDS.has(given);

describe.each(Object.entries(PLACES))('%s', (place, planFor) => {
  it('is never another one', () => {
    fc.assert(
      fc.property(identifiers, ([given, name]) => {
        fc.pre(!isOutput(place, given));
        const { raw, all } = planFor(given, name);
        const { plan, repaired } = validate(raw, all);
        // An id with capitals is written in lower case where it stands, with all that refer to it by that id.
        expect(repaired.filter(({ code }) => code !== 'id.renamed')).toEqual([]);
        expect(plan).toBeUndefined();
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
