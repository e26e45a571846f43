/** What is registered now: replaced as a whole when a workflow is added. */
import type { Config } from '../core/config.ts';
import type { Gateway } from '../core/gateway.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { createCatalogue } from './catalogue.ts';
import { type CollectedParts, collectParts, type HostedPlugin, hostedOf } from './plugin-host.ts';
import { stepPlugin, type WorkflowParts, workflowSet } from './workflows.ts';

export interface Registered {
  parts(): CollectedParts;
  catalogue(): Catalogue;
  workflow(id: string): WorkflowParts | undefined;
  /** Returns false when the workflow was already registered. Throws invalid-config when a name is taken by something else. */
  add(workflow: WorkflowParts): boolean;
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
    return { workflows, known: set.registered, parts, catalogue };
  };
  let placed = place(initial);
  return {
    parts: () => placed.parts,
    catalogue: () => placed.catalogue,
    workflow: (id) => placed.known.get(id),
    add(workflow) {
      if (placed.workflows.includes(workflow)) return false;
      placed = place([...placed.workflows, workflow]);
      return true;
    },
    refresh() {
      placed = place(placed.workflows);
    },
  };
}
