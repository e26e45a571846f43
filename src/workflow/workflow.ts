/**
 * The typed builder. It emits the same JSON as the planner. The compiler rejects unknown fields, wrong types, later nodes,
 * missing inputs, literals outside an enum and duplicate ids. A workflow is itself a step, so workflows compose.
 */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Infer, InferInput, JsonOf, SchemaLike } from '../core/model/schema-like.ts';
import { WORKFLOW_NAME } from '../core/plan/plan.ts';
import { type LooseBuilder, type LooseOver, withItems, withRounds } from './bodies.ts';
import type {
  Context,
  Inputs,
  Nodes,
  Repetition,
  UndoStep,
  WorkflowBuilder,
  WorkflowOptions,
} from './builder-types.ts';
import type { Workflow } from './built.ts';
import { compileNode, type Draft, type LooseSpec, NOTHING, overEach, withNode } from './draft.ts';
import { embed } from './members.ts';
import { encode, type Ref, referenceTo } from './reference.ts';
import { mustRun, writtenSchema } from './schema.ts';
import type { WorkflowStep } from './step.ts';

const open = (draft: Draft): LooseBuilder => builder(draft) as unknown as LooseBuilder;

/**
 * Starts a workflow.
 *
 * @throws invalid-plan when the id is invalid
 */
export function workflow<const S extends SchemaLike = Record<never, never>>(
  options: WorkflowOptions<S>,
): WorkflowBuilder<JsonOf<Infer<S>>, Record<never, never>, false, InferInput<S>> {
  if (!WORKFLOW_NAME.test(options.id)) {
    throw new PolyphonyError(
      'invalid-plan',
      `A workflow cannot have the id "${options.id}": start with a lower-case letter, and use only lower-case letters, digits, _ and -.`,
    );
  }
  return builder<JsonOf<Infer<S>>, Record<never, never>, InferInput<S>>({
    ...NOTHING,
    options: options as WorkflowOptions<SchemaLike>,
  });
}

/** Only the interface has the compile-time types; inside, every draft is the same plain data. */
function builder<Input, N extends Nodes, Given>(draft: Draft): WorkflowBuilder<Input, N, false, Given> {
  const context = (): Context<Input, N> => {
    const nodes = draft.nodes.map(({ id }) => [id, referenceTo(id)] as const);
    return Object.fromEntries([['input', referenceTo(draft.inputPath)], ...nodes]) as Context<Input, N>;
  };
  const methods = {
    node: (
      id: string,
      step: WorkflowStep<unknown, unknown, boolean>,
      build: (c: Context<Input, N>) => LooseSpec,
      repetition?: Repetition<unknown>,
    ) => builder(withNode(draft, step, compileNode(draft, id, step, build(context()), repetition))),
    map: (
      id: string,
      step: WorkflowStep<unknown, unknown, boolean>,
      over: (c: Context<Input, N>) => unknown,
      build: (item: Ref<unknown>, c: Context<Input, N>, index: Ref<number>) => LooseSpec,
      repetition?: Repetition<unknown>,
    ) => {
      const c = context();
      const spec = build(referenceTo('item'), c, referenceTo('index'));
      return builder(withNode(draft, step, overEach(over(c), compileNode(draft, id, step, spec, repetition))));
    },
    repeat: (id: string, ...given: readonly unknown[]) => builder(withRounds(draft, id, { c: context(), open, given })),
    each: (id: string, over: LooseOver, ...given: readonly unknown[]) =>
      builder(withItems(draft, id, { c: context(), open, over, given })),
    output: (build: (c: Context<Input, N>) => unknown) => finished(draft, encode(build(context()))),
  };
  return methods as unknown as WorkflowBuilder<Input, N, false, Given>;
}

function finished(draft: Draft, output: unknown): Workflow<unknown, unknown> {
  const { id, goal, input: given, budget, failFast } = draft.options;
  const input = given === undefined ? undefined : writtenSchema(given);
  const { nodes, workflows: own, members } = embed(draft.nodes, draft.used, draft.offered);
  const plan = {
    version: 1 as const,
    id,
    ...defined({ goal }),
    ...(input === undefined ? {} : { input: input.written }),
    ...defined({ budget, failFast, workflows: own }),
    nodes: [...nodes],
    output,
  };
  const inputSchema = input === undefined ? { type: 'object' } : input.schema.input;
  const { outputs, steps, workflows } = draft;
  const schemas = given !== undefined && input !== undefined && mustRun(given) ? { input, outputs } : { outputs };
  return { id, use: `workflow:${id}`, plan, inputSchema, schemas, steps, workflows, members };
}

/** The step that undoes a node, with its inputs. */
export const undoBy = <I>(step: WorkflowStep<I, unknown, boolean>, inputs: Inputs<I>): UndoStep => ({
  step,
  in: inputs,
});
