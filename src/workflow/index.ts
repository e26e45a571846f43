/** The public exports of the typed builder. */

export type { Infer, InferInput, JsonOf, SchemaLike } from '../core/model/schema-like.ts';
export type { WorkflowBuilder } from './builder-types.ts';
export { isWorkflow, type Workflow } from './built.ts';
export { and, type Condition, eq, gt, gte, hasItems, isPresent, isTrue, lt, lte, ne, not, or } from './condition.ts';
export { compute } from './expression.ts';
export { coalesce, previous, type Ref, startedAt, type Template, t, type Value } from './reference.ts';
export {
  defineStep,
  embed,
  human,
  image,
  llm,
  moderate,
  plan,
  rerank,
  tool,
  value,
  type WorkflowStep,
  wait,
} from './step.ts';
export { undoBy, workflow } from './workflow.ts';
