/** A workflow that is built: its plan, and what it brings with it. */
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import type { JsonOf } from '../core/model/schema-like.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Step as StepPlugin } from '../core/plugin.ts';
import type { WorkflowSchemas } from '../kit/json/own/own-schema.ts';
import type { WorkflowStep } from './step.ts';

/**
 * `Input` is what a caller gives, `InPlans` what a node gives that uses it. `MaySuspend` false: no node waits for an answer
 * from outside, so a successful run is `done` and has its output.
 */
export interface Workflow<Input, Output, MaySuspend extends boolean = boolean, InPlans = JsonOf<Input>>
  extends WorkflowStep<InPlans, Output, MaySuspend> {
  readonly __given?: Input;
  readonly id: string;
  /** The plan as JSON. */
  readonly plan: Plan;
  /** Of the input as a plan gives it to `workflow:<id>`. */
  readonly inputSchema: JsonSchema;
  /** The schemas of its own that are run and not only checked: they stay in the process, and the plan says what JSON can say. */
  readonly schemas: WorkflowSchemas;
  /** Implementations of steps that the workflow brings with it. */
  readonly steps: readonly StepPlugin[];
  /** Workflows that it uses as steps. */
  readonly workflows: readonly Workflow<unknown, unknown>[];
  /** Those of them, and of their own, that its plan holds, by their names there. @default none */
  readonly members?: ReadonlyMap<string, Workflow<unknown, unknown>>;
}

/** True for a workflow, false for a request, a plan or a step. */
export function isWorkflow(candidate: unknown): candidate is Workflow<unknown, unknown> {
  return typeof candidate === 'object' && candidate !== null && 'plan' in candidate && 'inputSchema' in candidate;
}

/** A workflow of which `output` was not called yet. */
export const isUnfinished = (candidate: object): boolean =>
  !('plan' in candidate) &&
  ['node', 'map', 'output'].every(
    (name) => typeof (candidate as Readonly<Record<string, unknown>>)[name] === 'function',
  );

/** The error where somebody uses it. */
export const unfinished = (what: string, code: 'invalid-plan' | 'invalid-config'): PolyphonyError =>
  new PolyphonyError(
    code,
    `${what} has no output yet: end it with .output((c) => ({ … })), and use what that returns.`,
  );
