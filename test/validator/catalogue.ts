/** A catalogue and plans for the tests and the benchmark of the validator. */
import type { Tier } from '../../src/core/model/model.ts';
import type { ModelCard } from '../../src/core/model/provider.ts';
import { DEFAULT_BOUNDS, type Plan, type PlanBounds } from '../../src/core/plan/plan.ts';
import { BUILT_IN_STEPS } from '../../src/core/plan/steps.ts';
import type { Catalogue, StepType } from '../../src/core/plan/validation.ts';

export function card(id: string, tier: Tier, usd: number, more: Partial<ModelCard> = {}): ModelCard {
  return {
    id,
    operations: ['chat'],
    tier,
    strengths: { general: { fast: 0.5, balanced: 0.7, premium: 0.9 }[tier] },
    capabilities: [
      'text',
      'streaming',
      'json-schema',
      'tools',
      ...(tier === 'premium' ? (['reasoning'] as const) : []),
    ],
    contextTokens: 128_000,
    maxOutputTokens: 8000,
    price: { input: usd, output: usd * 4 },
    retention: 'none',
    expectedMs: 1000,
    ...more,
  };
}

export const SEARCH: StepType = {
  use: 'tool:search',
  description: 'Searches the handbook.',
  input: {
    type: 'object',
    properties: { query: { type: 'string' }, top: { type: 'integer', minimum: 1, maximum: 50 } },
    required: ['query'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      hits: {
        type: 'array',
        items: { type: 'object', properties: { title: { type: 'string' }, score: { type: 'number' } } },
      },
    },
  },
};
export const SEND: StepType = {
  use: 'tool:send-mail',
  description: 'Sends a mail.',
  input: {
    type: 'object',
    properties: {
      to: { type: 'string' },
      body: { type: 'string' },
      urgency: { type: 'string', enum: ['low', 'high'] },
    },
    required: ['to', 'body'],
    additionalProperties: false,
  },
  sideEffects: true,
};

export interface CatalogueParts {
  readonly steps?: readonly StepType[];
  readonly models?: Catalogue['models'];
  readonly aliases?: Catalogue['aliases'];
  readonly workflows?: Catalogue['workflows'];
  readonly bounds?: Partial<PlanBounds>;
  readonly prompts?: Catalogue['prompts'];
}

export const MODELS: Catalogue['models'] = [
  { provider: 'acme', card: card('swift-1', 'fast', 0.1) },
  { provider: 'acme', card: card('steady-1', 'balanced', 1, { aliases: ['steady'] }) },
  { provider: 'zenith', card: card('grand-1', 'premium', 5, { retention: 'provider' }) },
  { provider: 'zenith', card: card('vector-1', 'fast', 0.02, { operations: ['embed'], capabilities: ['embeddings'] }) },
];

export function catalogue(parts: CatalogueParts = {}): Catalogue {
  const steps = [...BUILT_IN_STEPS, SEARCH, SEND, ...(parts.steps ?? [])];
  return {
    steps: new Map(steps.map((step) => [step.use, step])),
    models: parts.models ?? MODELS,
    aliases: parts.aliases ?? { cheap: 'acme/swift-1' },
    routes: ['support'],
    tasks: ['writing'],
    evaluators: ['validators', 'judge', 'agreement'],
    workflows: parts.workflows ?? new Map(),
    bounds: { ...DEFAULT_BOUNDS, ...parts.bounds },
    ...(parts.prompts === undefined ? {} : { prompts: parts.prompts }),
  };
}

/** The plan of the format's page. */
export const TICKET: Plan = {
  version: 1,
  goal: 'Answer a support ticket',
  input: { ticket: 'string' },
  budget: { usd: 0.05, seconds: 60 },
  nodes: [
    {
      id: 'kind',
      use: 'llm',
      in: { prompt: 'Classify: {{input.ticket}}' },
      model: { tier: 'fast' },
      out: { label: 'billing|tech', confidence: 'number' },
      escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
    },
    { id: 'docs', use: 'tool:search', in: { query: '{{input.ticket}}' } },
    {
      id: 'notes',
      use: 'llm',
      each: '{{docs.hits}}',
      limits: { concurrency: 4, usd: 0.01 },
      in: { prompt: '{{index}}: {{item}}' },
    },
    { id: 'bill', use: 'llm', when: "kind.label == 'billing'", in: { prompt: '{{notes}}' } },
    {
      id: 'tech',
      use: 'llm',
      when: "kind.label == 'tech'",
      model: { can: ['reasoning'] },
      in: { prompt: '{{notes}}' },
    },
  ],
  output: { answer: '{{bill.text ?? tech.text}}', label: '{{kind.label}}' },
};

/** A chain of blocks of five nodes that uses every part of the format; `salt` makes its conditions new ones. */
export function longPlan(nodes: number, salt = 0): Plan {
  return {
    version: 1,
    goal: 'Work through a long ticket',
    input: { ticket: 'string' },
    budget: { usd: 100 },
    nodes: Array.from({ length: nodes }, (_, index) => longNode(index, salt)),
    output: { answer: `{{n${nodes - 1}.text}}` },
  };
}

function longNode(index: number, salt: number): Plan['nodes'][number] {
  const id = `n${index}`;
  const before = `n${index - 1}`;
  switch (index % 5) {
    case 0:
      return {
        id,
        use: 'llm',
        in: { prompt: `Classify the ticket {{input.ticket}}${index === 0 ? '' : ` after {{${before}.text}}`}` },
        model: { tier: 'fast' },
        out: { label: 'billing|tech', confidence: 'number' },
        escalate: { evaluator: 'validators', below: 0.7, to: ['premium'] },
      };
    case 1:
      return { id, use: 'tool:search', in: { query: `about {{${before}.label}}` } };
    case 2:
      return {
        id,
        use: 'llm',
        each: `{{${before}.hits}}`,
        in: { prompt: 'Summarise {{item.title}}, number {{index}}, for {{input.ticket}}' },
        limits: { concurrency: 4 },
      };
    case 3:
      return {
        id,
        use: 'llm',
        when: `n${index - 3}.label == 'billing' && n${index - 3}.confidence > 0.${salt}`,
        in: { prompt: `Join these notes into one answer: {{${before}}}` },
      };
    default:
      return {
        id,
        use: 'llm',
        in: { prompt: `Check {{${before}.text ?? n${index - 2}[0].text}} carefully` },
        model: { can: ['reasoning'] },
      };
  }
}
