/**
 * In which form a model writes a plan: the strictest that it supports.
 *
 * - `schema`: the provider enforces the schema of plans.
 * - `tool`: the plan is the argument of one tool, which the model has to call.
 * - `json`: any JSON; the prompt alone says what a plan is.
 */

import type { ChatRequest, JsonSchema, ModelEvent, ModelResponse } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { textOf } from '../../core/model/response.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { usableSteps } from '../prompt/usable-steps.ts';
import { plainPlan } from './plain-plan.ts';
import { planShape, type Shape, type Wanted } from './plan-shape.ts';

export type PlanForm = 'schema' | 'tool' | 'json';

const SHAPES = { schema: 'closed', tool: 'open' } as const satisfies Record<Exclude<PlanForm, 'json'>, Shape>;

export const shapeOf = (form: PlanForm): Shape | undefined => (form === 'json' ? undefined : SHAPES[form]);

const NAMES = { plan: 'plan', nodes: 'replaced_nodes' } as const satisfies Record<Wanted, string>;

/** A model that is made for planning knows the format by itself. */
export function formOf({ capabilities, dedicatedTo }: ModelCard): PlanForm {
  if (dedicatedTo === 'planning') return 'json';
  if (capabilities.includes('json-schema')) return 'schema';
  return capabilities.includes('tools') && capabilities.includes('tool-choice') ? 'tool' : 'json';
}

/** The schemas of one planning. */
export interface PlanForms {
  readonly uses: readonly string[];
  /** Tokens of the schema of a whole plan beside the prompt. */
  readonly tokens: Readonly<Record<PlanForm, number>>;
}

/** @param needed steps that can be named in any case */
export function planForms(catalogue: Catalogue, needed: ReadonlySet<string> = new Set()): PlanForms {
  const { steps, tools } = usableSteps(catalogue);
  const uses = [...new Set([...[...steps, ...tools].map(({ use }) => use), ...needed])];
  const tokensOf = (shape: Shape): number => estimateTokens(JSON.stringify(planShape(shape, 'plan', uses)));
  return { uses, tokens: { schema: tokensOf('closed'), tool: tokensOf('open'), json: 0 } };
}

/** What a request says of its answer. */
export function formFields(
  form: PlanForm,
  wanted: Wanted,
  { uses }: PlanForms,
): Pick<ChatRequest, 'output' | 'tools' | 'toolChoice'> {
  const shape = shapeOf(form);
  if (shape === undefined) return { output: { type: 'json' } };
  const schema: JsonSchema = planShape(shape, wanted, uses);
  const name = NAMES[wanted];
  if (form === 'schema') return { output: { type: 'json', schema, name } };
  const description = wanted === 'plan' ? 'Takes the plan.' : 'Takes the nodes that change.';
  return { tools: [{ name, description, inputSchema: schema }], toolChoice: { name } };
}

/** What is written in an event of a stream; undefined for any other. */
export function writtenIn(event: ModelEvent, form: PlanForm): string | undefined {
  if (event.type === 'text-delta') return event.text;
  return form === 'tool' && event.type === 'tool-call-delta' && event.index === 0 ? event.delta : undefined;
}

/** Whether what is written belongs to the plan: beside a call of the tool it is talk. */
export const isPlanIn = ({ type }: ModelEvent, form: PlanForm): boolean =>
  form !== 'tool' || type === 'tool-call-delta';

/** The plan of an answer in the form of the format; what is no JSON is given as it is. A model may answer a tool with text. */
export function planText(response: ModelResponse, form: PlanForm): string {
  const shape = shapeOf(form);
  const written = argumentsOf(response, form) ?? textOf(response);
  return shape === undefined ? written : plainText(written, (value) => plainPlan(value, shape));
}

function argumentsOf({ content }: ModelResponse, form: PlanForm): string | undefined {
  if (form !== 'tool') return undefined;
  const call = content.find((part) => part.type === 'tool-call');
  return call === undefined ? undefined : (call.raw ?? JSON.stringify(call.arguments));
}

/** The text itself where nothing changes: what is wrong with it is told as it was written. */
export function plainText(text: string, change: (value: unknown) => unknown): string {
  try {
    const value: unknown = JSON.parse(text);
    const plain = JSON.stringify(change(value));
    return plain === JSON.stringify(value) ? text : plain;
  } catch {
    return text;
  }
}
