/** The given workflows, with all that they use: inner workflows and steps of their own. */
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Plugin, Step } from '../core/plugin.ts';
import type { WorkflowSchemas } from '../kit/json/own/own-schema.ts';

/** The parts of a built workflow that are registered. */
export interface WorkflowParts {
  readonly id: string;
  readonly plan: Plan;
  readonly inputSchema: JsonSchema;
  readonly schemas: WorkflowSchemas;
  readonly steps: readonly Step[];
  readonly workflows: readonly WorkflowParts[];
}

export interface WorkflowSet {
  readonly registered: ReadonlyMap<string, WorkflowParts>;
  readonly steps: readonly Step[];
}

/** @throws invalid-config when two different workflows or steps have the same name */
export function workflowSet(workflows: readonly WorkflowParts[]): WorkflowSet {
  const registered = new Map<string, WorkflowParts>();
  const steps = new Map<string, Step>();
  const queue = [...workflows];
  for (let workflow = queue.shift(); workflow !== undefined; workflow = queue.shift()) {
    const known = registered.get(workflow.id);
    if (known === workflow) continue;
    if (known !== undefined) throw taken('workflow', workflow.id);
    registered.set(workflow.id, workflow);
    queue.push(...workflow.workflows);
    for (const step of workflow.steps) {
      const other = steps.get(step.type.use);
      if (other !== undefined && other !== step) throw taken('step', step.type.use);
      steps.set(step.type.use, step);
    }
  }
  return { registered, steps: [...steps.values()] };
}

const taken = (kind: string, name: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `Two different ${kind}s are named "${name}": rename one.`);

/** The steps as a plugin, so that they are registered, checked and run like those of any plugin. */
export function stepPlugin(steps: readonly Step[]): readonly Plugin[] {
  return steps.length === 0 ? [] : [{ name: 'workflow-steps', steps }];
}
