/** The built-in steps, as the catalogue lists them. executor/runners has one file per step. */
import { type JsonSchema, TIERS } from '../model/model.ts';
import { MOST_USD } from '../money/money.ts';
import { ANY_EFFECTS, type Effects, sideEffectsOf } from './effects.ts';
import type { PlanNode } from './plan-document.ts';
import type { StepType } from './validation.ts';

const string = { type: 'string' } as const;
const strings = { type: 'array', items: string } as const;
const number = { type: 'number' } as const;
const count = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;
const seed = { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } as const;
const anything = {} as const;

const object = (properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

/** A picture in a plan: a media source, or a string with a URL or a data URL. */
export const MEDIA_SCHEMA: JsonSchema = {
  anyOf: [
    string,
    object({ type: { const: 'base64' }, data: string, mediaType: string }, ['type', 'data', 'mediaType']),
    object({ type: { const: 'url' }, url: string, mediaType: string }, ['type', 'url']),
  ],
};

const PROVIDER_TOOL = {
  ...object(
    { type: { type: 'string', enum: ['provider'] }, name: string, provider: string, options: { type: 'object' } },
    ['type', 'name'],
  ),
  description: 'A tool that the provider runs itself: web-search, web-fetch, code-execution.',
};

/** As `model` of a node. */
const MODEL = object(
  {
    id: string,
    route: string,
    tier: { type: 'string', enum: [...TIERS] },
    strict: { type: 'boolean' },
    can: strings,
    strengths: strings,
  },
  [],
);

const MODEL_CALLS: Effects = { reaches: ['models'], costs: 'models' };

const llm: StepType = {
  use: 'llm',
  effects: MODEL_CALLS,
  description: 'Asks a language model. Give prompt or messages; declare out for typed answers.',
  input: object(
    {
      prompt: anything,
      messages: { type: 'array' },
      system: string,
      images: { type: 'array' },
      files: { type: 'array' },
      audio: { type: 'array' },
      tools: { type: 'array', items: { anyOf: [string, PROVIDER_TOOL] } },
      rounds: { type: 'integer', minimum: 1 },
      stopWhen: string,
      approve: strings,
      toolLimits: {
        type: 'object',
        additionalProperties: object({ calls: count, usd: { type: 'number', minimum: 0, maximum: MOST_USD } }, []),
      },
      transcript: { type: 'boolean' },
      agents: {
        type: 'object',
        additionalProperties: object(
          {
            about: string,
            system: string,
            tools: { type: 'array', items: { anyOf: [string, PROVIDER_TOOL] } },
            model: MODEL,
          },
          ['system'],
        ),
        description: 'Who may take the conversation over, by name: the model calls handoff:<name>.',
      },
      temperature: number,
      maxTokens: count,
      reasoning: { type: 'string', enum: ['none', 'minimal', 'low', 'medium', 'high'] },
    },
    [],
  ),
  output: object({ text: string }, ['text']),
  typedOutput: true,
  usesModel: true,
};

const image: StepType = {
  use: 'image',
  effects: MODEL_CALLS,
  description: 'Makes or edits a picture.',
  input: object(
    {
      prompt: string,
      negativePrompt: string,
      size: string,
      count,
      seed,
      image: MEDIA_SCHEMA,
    },
    ['prompt'],
  ),
  output: object({ image: MEDIA_SCHEMA, images: { type: 'array', items: MEDIA_SCHEMA } }, ['image', 'images']),
  usesModel: true,
};

const embed: StepType = {
  use: 'embed',
  effects: { ...MODEL_CALLS, reads: ['cache'], writes: ['cache'] },
  description: 'Turns texts into vectors; with index also those of its passages.',
  input: {
    ...object({ input: { anyOf: [string, strings] }, index: string }, []),
    anyOf: [{ required: ['input'] }, { required: ['index'] }],
  },
  output: object(
    {
      vectors: { type: 'array', items: { type: 'array', items: number } },
      index: string,
      model: string,
      embedded: { type: 'integer' },
    },
    ['vectors'],
  ),
  usesModel: true,
};

const moderate: StepType = {
  use: 'moderate',
  effects: MODEL_CALLS,
  description: 'Checks a text for harmful content.',
  input: object({ input: anything }, ['input']),
  output: object({ flagged: { type: 'boolean' }, categories: { type: 'object' }, scores: { type: 'object' } }, [
    'flagged',
    'categories',
    'scores',
  ]),
  usesModel: true,
};

const rerank: StepType = {
  use: 'rerank',
  effects: MODEL_CALLS,
  description: 'Orders documents by how well they answer a query.',
  input: object({ query: string, documents: strings, top: count }, ['query', 'documents']),
  output: object(
    {
      results: { type: 'array', items: object({ index: { type: 'integer' }, score: number }, ['index', 'score']) },
    },
    ['results'],
  ),
  usesModel: true,
};

const human: StepType = {
  use: 'human',
  effects: { reads: ['people'], reaches: ['people'] },
  description: 'Asks a person; the run waits, even across processes, until the answer comes.',
  input: object(
    {
      question: string,
      choices: strings,
      approve: { type: 'string', description: 'The only choice that approves; by default one such as yes or approve.' },
      data: anything,
      mustApprove: { type: 'boolean' },
    },
    ['question'],
  ),
  output: object({ answer: anything, approved: { type: 'boolean' } }, ['answer', 'approved']),
  typedOutput: true,
};

/** Ten years: whatever is added to a moment stays one. */
export const MOST_WAIT_SECONDS = 315_360_000;

const wait: StepType = {
  use: 'wait',
  effects: { reads: ['events'] },
  description: 'Waits for one of: seconds, a time, an event.',
  input: object(
    {
      seconds: { type: 'number', minimum: 0, maximum: MOST_WAIT_SECONDS },
      until: { type: 'string', description: 'ISO 8601, with a time zone.' },
      event: string,
      match: { type: 'object', description: 'Fields that the payload has to have.' },
      schema: { type: 'object', description: 'Of the payload.' },
    },
    [],
  ),
  output: object({ at: string, payload: anything }, ['at']),
  expectedMs: 0,
};

const plan: StepType = {
  use: 'plan',
  effects: ANY_EFFECTS,
  description: 'Plans a goal while the run goes on, and runs that plan.',
  input: object({ goal: string, context: anything }, ['goal']),
  output: object({ output: anything, plan: { type: 'object' } }, ['output', 'plan']),
  usesModel: true,
};

const value: StepType = {
  use: 'value',
  effects: {},
  description: 'Its own inputs, rendered: reshapes and joins without a model.',
  input: { type: 'object' },
  typedOutput: true,
  expectedMs: 0,
};

const saidOf = (step: StepType): StepType => {
  const sideEffects = sideEffectsOf(step);
  return sideEffects === undefined ? step : { ...step, sideEffects };
};

export const BUILT_IN_STEPS: readonly StepType[] = [llm, image, embed, moderate, rerank, human, wait, plan, value].map(
  saidOf,
);

/** False for a step of a plugin or a workflow that took the name of one of them. */
export const isBuiltIn = (step: StepType): boolean => BUILT_IN_STEPS.includes(step);

/** Their calls are tried again by the gateway, which knows the target, and bounded there. */
const ATTEMPTED_BY_GATEWAY: ReadonlySet<string> = new Set(['llm', 'image', 'embed', 'moderate', 'rerank']);
/** A person is asked once, and what was rendered is rendered alike again. */
const ATTEMPTED_ONCE: ReadonlySet<string> = new Set(['human', 'wait', 'value']);

/** What it waits for is outside: its question stays open when the process ends, and its time (`limits.seconds`) runs meanwhile. */
export const waitsOutside = (use: string): boolean => use === 'human' || use === 'wait';

/** Whether several attempts at the step can have an effect at all. */
export const hasAttempts = (use: string): boolean => !ATTEMPTED_ONCE.has(use);

/** Whether the engine itself makes and bounds the attempts: at tools, workflows, plans and steps of plugins. */
export const isAttemptedHere = (use: string): boolean => hasAttempts(use) && !ATTEMPTED_BY_GATEWAY.has(use);

/** How long a node may take, and one attempt at it, in seconds; undefined where nothing bounds it. */
export interface TimeLimits {
  readonly seconds: number | undefined;
  readonly attemptSeconds: number | undefined;
}

/**
 * Who asks for retries needs time for them after an attempt that hangs: without `attemptSeconds`, `seconds` then bounds each attempt,
 * and the node takes at most as long as all of its attempts.
 */
export function timeLimitsOf({ use, limits = {} }: Pick<PlanNode, 'use' | 'limits'>): TimeLimits {
  const { seconds, attemptSeconds, retries = 0 } = limits;
  if (seconds === undefined || attemptSeconds !== undefined || retries === 0 || !hasAttempts(use))
    return { seconds, attemptSeconds };
  return { seconds: seconds * (retries + 1), attemptSeconds: seconds };
}
