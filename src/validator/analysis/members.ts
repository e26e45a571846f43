/**
 * The workflows that a plan brings with it. Their names win over registered ones, but only inside their plan: what is registered
 * never sees them.
 */
import type { Plan } from '../../core/plan/plan.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';
import { toJsonSchema } from '../../kit/json/json-schema.ts';
import { type InferredType, inferredTypeOfValue, stepInto } from '../inference/inferred-type.ts';
import { keepOutputType } from '../inference/output-types.ts';
import { operationOf } from './candidates.ts';
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';
import { changesNothing } from './side-effects.ts';

/** The catalogue of the operator, which a catalogue with workflows of a plan was made from. */
const registered = new WeakMap<Catalogue, Catalogue>();

export const registeredIn = (catalogue: Catalogue): Catalogue => registered.get(catalogue) ?? catalogue;

/** One workflow of a plan for the catalogue: its step, and its plan with those that it uses. */
export interface Member {
  readonly step: StepType;
  readonly plan: Plan;
}

/** The catalogue as it was given, with these steps and plans before those of the same names. */
export function withMembers(catalogue: Catalogue, members: ReadonlyMap<string, Member>): Catalogue {
  if (members.size === 0) return catalogue;
  const steps = new Map(catalogue.steps);
  const workflows = new Map(catalogue.workflows);
  for (const [name, { step, plan }] of members) {
    steps.set(step.use, step);
    workflows.set(name, plan);
  }
  const wider: Catalogue = { ...catalogue, steps, workflows };
  registered.set(wider, registeredIn(catalogue));
  return wider;
}

const NOTHING_TAKEN = { type: 'object', properties: {}, additionalProperties: false } as const;

/** The step that runs a workflow of the plan, from its analysis. */
export function memberStep(name: string, analysis: PlanAnalysis): StepType {
  const { plan, nodes } = analysis;
  const effects = nodes.map((node) => effectOf(node, analysis.catalogue));
  const sideEffects = effects.includes(true) ? true : effects.includes(undefined) ? undefined : false;
  const step: StepType = {
    use: `workflow:${name}`,
    description: plan.goal ?? `The workflow ${name} of the plan.`,
    input: inputOf(plan),
    // A step that asks no chat model needs none of the catalogue's.
    usesModel: nodes.some(({ node, step }) => step?.usesModel === true && operationOf(node.use) === 'chat'),
    ...(sideEffects === undefined ? {} : { sideEffects }),
  };
  keepOutputType(step, outputOf(analysis));
  return step;
}

/** Undefined: nobody says whether it changes something outside the run. */
function effectOf({ node, step }: NodeAnalysis, catalogue: Catalogue): boolean | undefined {
  if (step?.sideEffects === true) return true;
  return changesNothing(node, step, catalogue) ? false : undefined;
}

function inputOf({ input }: Plan): StepType['input'] {
  if (input === undefined) return NOTHING_TAKEN;
  try {
    return toJsonSchema(input);
  } catch {
    // It is reported where it is declared.
    return { type: 'object' };
  }
}

function outputOf({ plan, byId, input, template, outputTypes }: PlanAnalysis): InferredType {
  if (plan.output === undefined) return [{ schema: { type: 'null' }, root: {} }];
  return inferredTypeOfValue(plan.output, (text) => {
    const { segments } = template(text);
    const [only] = segments;
    if (only?.type === 'expression') return outputTypes.get(text) ?? 'any';
    if (segments.length !== 1 || only?.type !== 'reference') return 'text';
    const [first, second] = only.reference.alternatives;
    if (first?.type !== 'path' || second !== undefined) return 'any';
    const start = first.head === 'input' ? input : byId.get(first.head)?.output;
    return typeAt(start ?? 'any', first.path);
  });
}

function typeAt(start: InferredType, path: readonly (string | number)[]): InferredType {
  // What the run keeps of a node stands beside its output.
  if (path[0] === 'meta') return 'any';
  let inferred = start;
  for (const step of path) inferred = stepInto(inferred, step) ?? 'any';
  return inferred;
}
