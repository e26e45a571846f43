/**
 * polyphony: the public surface. Everything else has a subpath: polyphony/kit for authors of plugins,
 * polyphony/plugins/*, polyphony/workflows/*.
 */

export type { PruneReport, PruneRequest, PruneTimes } from './composition/retention/prune.ts';
export type * from './core/clock.ts';
export type { ConfigInput as Config } from './core/config/config-input.ts';
export type { ErrorCode, ErrorRecord, PolyphonyErrorOptions } from './core/errors.ts';
export { PolyphonyError } from './core/errors.ts';
export type * from './core/gateway.ts';
export type * from './core/model/batch.ts';
export type * from './core/model/model.ts';
export type * from './core/model/provider.ts';
export { textOf } from './core/model/response.ts';
export type { NanoUsd } from './core/money/money.ts';
export { formatUsd, nanoToUsd, usdToNano } from './core/money/money.ts';
export type * from './core/money/token-price.ts';
export type { EffectCosts, EffectPlace, Effects, PlanEffects } from './core/plan/effects.ts';
export type { NodeEstimate, Plan, PlanBounds, PlanNode, ValidNode, ValidPlan } from './core/plan/plan.ts';
export type * from './core/plan/planner.ts';
export type * from './core/plan/validation.ts';
export type * from './core/plugin.ts';
export { definePlugin } from './core/plugin.ts';
export type * from './core/run/engine.ts';
export { fullEvents } from './core/run/full-events.ts';
export type * from './core/run/runs.ts';
export type {
  SimulatedNode,
  SimulateOptions,
  Simulation,
  Spread,
} from './core/run/simulation.ts';
export type { ValueBounds } from './core/run/value-bounds.ts';
export type * from './core/stores/passages.ts';
export type * from './core/stores/threads.ts';
export type * from './core/stores.ts';
export { defineTool, type ToolDefinitionOptions } from './kit/define-tool.ts';
export type {
  DoneRun,
  EngineParts,
  PlanOptions,
  Polyphony,
  PolyphonyEngine,
  PolyphonyOptions,
  RecoverOptions,
  Runnable,
  RunOutcome,
  StartOptions,
  SuspendedRun,
} from './polyphony.ts';
export { createPolyphony, defaultPlugins } from './polyphony.ts';
export type {
  Condition,
  Infer,
  InferInput,
  JsonOf,
  Ref,
  SchemaLike,
  Template,
  Value,
  Workflow,
  WorkflowBuilder,
  WorkflowStep,
} from './workflow/index.ts';
export {
  and,
  coalesce,
  compute,
  defineStep,
  embed,
  eq,
  gt,
  gte,
  hasItems,
  human,
  image,
  isPresent,
  isTrue,
  llm,
  lt,
  lte,
  moderate,
  ne,
  not,
  or,
  plan,
  previous,
  rerank,
  startedAt,
  t,
  tool,
  undoBy,
  value,
  wait,
  workflow,
} from './workflow/index.ts';
