/** What is registered now: replaced as a whole when a workflow is added. */
import type { Config } from '../core/config.ts';
import type { Gateway } from '../core/gateway.ts';
import type { ValidPlan } from '../core/plan/plan.ts';
import type { Catalogue } from '../core/plan/validation.ts';

import { createCatalogue } from './catalogue.ts';
import { type CollectedParts, collectParts, type HostedPlugin, hostedOf } from './plugin-host.ts';
import type { ValidatedPlans } from './validated-plans.ts';
import { stepPlugin, type WorkflowParts, workflowSet } from './workflows.ts';

export interface Registered {
  parts(): CollectedParts;
  catalogue(): Catalogue;
  /** Returns false when the workflow was already registered. Throws invalid-config when a name is taken by something else. */
  add(workflow: WorkflowParts): boolean;
  /** Takes back a workflow that cannot run, so that another one may have its id. */
  remove(workflow: WorkflowParts): void;
  /** Reads the config again. */
  refresh(): void;
}

export function createRegistered(
  plugins: readonly HostedPlugin[],
  config: () => Config,
  gateway: Gateway,
  initial: readonly WorkflowParts[],
): Registered {
  const place = (workflows: readonly WorkflowParts[]) => {
    const set = workflowSet(workflows);
    const parts = collectParts([...plugins, ...stepPlugin(set.steps).map(hostedOf)]);
    const catalogue = createCatalogue({ parts, workflows: set.registered, config: config(), models: gateway.models() });
    return { workflows, parts, catalogue };
  };
  let placed = place(initial);
  return {
    parts: () => placed.parts,
    catalogue: () => placed.catalogue,
    add(workflow) {
      if (placed.workflows.includes(workflow)) return false;
      placed = place([...placed.workflows, workflow]);
      return true;
    },
    remove(workflow) {
      placed = place(placed.workflows.filter((other) => other !== workflow));
    },
    refresh() {
      placed = place(placed.workflows);
    },
  };
}

/**
 * Registers a workflow that is run, and takes it back if it is refused.
 *
 * @throws invalid-plan, and invalid-config when another workflow has its id
 */
export function workflowPlan(
  registered: Pick<Registered, 'add' | 'remove'>,
  workflow: WorkflowParts,
  { refill, validWorkflow }: { readonly refill: () => void; readonly validWorkflow: ValidatedPlans },
): ValidPlan {
  const isNew = registered.add(workflow);
  if (isNew) refill();
  try {
    return validWorkflow(workflow.plan);
  } catch (error) {
    if (isNew) {
      registered.remove(workflow);
      refill();
    }
    throw error;
  }
}
