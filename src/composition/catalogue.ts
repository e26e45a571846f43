/** Everything that a plan may name, from the registered parts. */

import type { Config } from '../core/config.ts';
import { defined } from '../core/defined.ts';
import type { Gateway } from '../core/gateway.ts';
import type { JsonSchema } from '../core/model/model.ts';
import { sideEffectsOf } from '../core/plan/effects.ts';
import { DEFAULT_BOUNDS, type Plan, type PlanBounds } from '../core/plan/plan.ts';
import type { PromptBook } from '../core/plan/prompts.ts';
import { BUILT_IN_STEPS } from '../core/plan/steps.ts';
import type { Catalogue, StepType } from '../core/plan/validation.ts';
import type { Tool } from '../core/plugin.ts';
import { zodOrJson } from '../kit/json/own/own-schema.ts';
import type { CollectedParts } from './plugins/plugin-host.ts';

export interface RegisteredWorkflow {
  readonly id: string;
  readonly plan: Plan;
  readonly inputSchema: JsonSchema;
  /** False: the planner is not told of it. @default true */
  readonly forPlanner?: boolean;
}

export function boundsOf(config: Config): PlanBounds {
  const { nodes, bytes, depth, items, rounds, toolRounds, nesting } = {
    ...DEFAULT_BOUNDS,
    ...defined(config.bounds ?? {}),
  };
  return { nodes, bytes, depth, items, rounds, toolRounds, nesting };
}

export function createCatalogue(options: {
  readonly parts: CollectedParts;
  readonly workflows: ReadonlyMap<string, RegisteredWorkflow>;
  readonly config: Config;
  readonly models: ReturnType<Gateway['models']>;
  readonly escalates: boolean;
  readonly prompts?: PromptBook | undefined;
  readonly tokenRatios?: Catalogue['tokenRatios'];
  readonly tokenCounter?: Catalogue['tokenCounter'];
}): Catalogue {
  const { parts, workflows, config, models, escalates, prompts, tokenRatios, tokenCounter } = options;
  const steps = new Map<string, StepType>();
  for (const step of BUILT_IN_STEPS) steps.set(step.use, step);
  for (const { type } of parts.steps.values()) steps.set(type.use, stepType(type));
  for (const tool of parts.tools.values()) steps.set(`tool:${tool.name}`, toolStep(tool));
  for (const workflow of workflows.values()) steps.set(`workflow:${workflow.id}`, workflowStep(workflow));
  return {
    steps,
    models,
    unlisted: (provider, model) => parts.providers.find(({ id }) => id === provider)?.unlisted?.(model),
    aliases: config.aliases ?? {},
    routes: Object.keys(config.routes ?? {}),
    ...(config.tasks === undefined ? {} : { tasks: Object.keys(config.tasks) }),
    evaluators: [...parts.evaluators.keys()],
    escalates,
    ...(config.adapt?.toolsInPrompt === true ? { toolsInPrompt: true } : {}),
    workflows: new Map([...workflows.values()].map(({ id, plan }) => [id, plan])),
    bounds: boundsOf(config),
    ...defined({ prompts, tokenRatios, tokenCounter }),
  };
}

/** A tool without an output schema returns `{ result }`, of any type. */
const toolStep = (tool: Tool): StepType => ({
  use: `tool:${tool.name}`,
  description: tool.description,
  input: zodOrJson(tool.input).input,
  output: outputOf(tool.output) ?? {
    type: 'object',
    properties: { result: {} },
    required: ['result'],
    additionalProperties: false,
  },
  ...defined({ sideEffects: sideEffectsOf(tool), effects: tool.effects, expectedMs: tool.expectedMs }),
});

/** Every step says whether it has side effects, where its effects do. */
function stepType(type: StepType): StepType {
  const sideEffects = sideEffectsOf(type);
  return sideEffects === type.sideEffects ? type : { ...type, ...defined({ sideEffects }) };
}

const outputOf = (schema: Tool['output']): JsonSchema | undefined =>
  schema === undefined ? undefined : zodOrJson(schema).output;

const workflowStep = ({ id, plan, inputSchema, forPlanner }: RegisteredWorkflow): StepType => ({
  use: `workflow:${id}`,
  description: plan.goal ?? `The workflow ${id}.`,
  input: inputSchema,
  usesModel: true,
  ...defined({ forPlanner }),
});
