/** What is registered now: replaced as a whole when a workflow is added. */
import type { Config } from '../core/config.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Gateway } from '../core/gateway.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import { createCatalogue } from './catalogue.ts';
import { type CollectedParts, collectParts, escalatesWith, type HostedPlugin, hostedOf } from './plugin-host.ts';
import { stepPlugin, type WorkflowParts, type WorkflowSet, workflowSet } from './workflows.ts';

export interface Registered {
  parts(): CollectedParts;
  catalogue(): Catalogue;
  /** Returns false when nothing changes: it, or another build with the same plan and steps, is there already. Throws invalid-config when a name is taken by something else. */
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
    add(workflow) {
      const set = workflowSet([workflow], placed.set);
      if (set === placed.set) return false;
      placed = place(set);
      return true;
    },
    refresh() {
      placed = place(placed.set);
    },
  };
}
