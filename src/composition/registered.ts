/** What is registered now: replaced as a whole when a workflow is added. */
import type { Config } from '../core/config.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { ValidPlan } from '../core/plan/plan.ts';
import type { Catalogue } from '../core/plan/validation.ts';

import { createCatalogue } from './catalogue.ts';
import { type CollectedParts, collectParts, escalatesWith, type HostedPlugin, hostedOf } from './plugin-host.ts';
import type { ValidatedPlans } from './validated-plans.ts';
import { stepPlugin, type WorkflowParts, type WorkflowSet, workflowSet } from './workflows.ts';

export interface Registered {
  parts(): CollectedParts;
  catalogue(): Catalogue;
  workflow(id: string): WorkflowParts | undefined;
  /** All of them, as they are now: the map does not change. */
  workflows(): ReadonlyMap<string, WorkflowParts>;
  /**
   * Undefined when nothing changes: it, or another build with the same plan and steps, is there already. Else a function that
   * takes it back, to be called in the same tick, so that another workflow may have its id. Throws invalid-config when a name is
   * taken by something else.
   */
  add(workflow: WorkflowParts): (() => void) | undefined;
  /** Reads the config again. */
  refresh(): void;
}

export function createRegistered(
  plugins: readonly HostedPlugin[],
  config: () => Config,
  gateway: Gateway,
  initial: readonly WorkflowParts[],
): Registered {
  const escalates = plugins.some(({ parts }) => escalatesWith(parts));
  if (config().escalate !== undefined && !escalates) {
    const message =
      'The config has "escalate", but no plugin acts on it: add escalation() of "polyphony/plugins/escalation/escalation" to the plugins, or remove the field.';
    throw new PolyphonyError('invalid-config', message);
  }
  const place = (set: WorkflowSet) => {
    const parts = collectParts([...plugins, ...stepPlugin(set.steps.values()).map(hostedOf)]);
    const [workflows, models] = [set.registered, gateway.models()];
    const catalogue = createCatalogue({ parts, workflows, config: config(), models, escalates });
    return { set, parts, catalogue };
  };
  let placed = place(workflowSet(initial));
  return {
    parts: () => placed.parts,
    catalogue: () => placed.catalogue,
    workflow: (id) => placed.set.registered.get(id),
    workflows: () => placed.set.registered,
    add(workflow) {
      const before = placed;
      const set = workflowSet([workflow], before.set);
      if (set === before.set) return undefined;
      placed = place(set);
      return () => {
        placed = before;
      };
    },
    refresh() {
      placed = place(placed.set);
    },
  };
}

/**
 * Registers a workflow that is run, and takes it back if it is refused.
 *
 * @throws invalid-plan, and invalid-config when another workflow has its id
 */
export function workflowPlan(
  registered: Pick<Registered, 'add'>,
  workflow: WorkflowParts,
  { refill, validWorkflow }: { readonly refill: () => void; readonly validWorkflow: ValidatedPlans },
): ValidPlan {
  const takeBack = registered.add(workflow);
  if (takeBack !== undefined) refill();
  try {
    return validWorkflow(workflow.plan);
  } catch (error) {
    if (takeBack !== undefined) {
      takeBack();
      refill();
    }
    throw error;
  }
}
