/** What is registered now: replaced as a whole when a workflow is added. */
import type { Config } from '../core/config.ts';
import { errorRecord, PolyphonyError } from '../core/errors.ts';
import { canonicalJson } from '../core/json/canonical-json.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { PromptBook } from '../core/plan/prompts.ts';
import type { Catalogue } from '../core/plan/validation.ts';
import type { Logger } from '../core/plugin.ts';
import type { GatewayHandle } from '../gateway/gateway-handle.ts';
import type { WorkflowSchemas } from '../kit/json/own/own-schema.ts';
import { digestOf } from '../kit/json/own/plan-digest.ts';
import { createCatalogue } from './catalogue.ts';
import {
  type CollectedParts,
  collectParts,
  escalatesWith,
  type HostedPlugin,
  hostedOf,
} from './plugins/plugin-host.ts';
import type { ValidatedPlans } from './validated-plans.ts';
import { stepPlugin, type WorkflowParts, type WorkflowSet, workflowOfPlan, workflowSet } from './workflows.ts';

/** What is known of workflows and their schemas. */
export type Known = Pick<Registered, 'workflow' | 'schemasOf' | 'schemasNamed'>;

export interface Registered {
  parts(): CollectedParts;
  catalogue(): Catalogue;
  workflow(id: string): WorkflowParts | undefined;
  /** The same questions, answered as of now, whatever is registered later. */
  asOfNow(): Known;
  /** The schemas of its own that a plan has: those of the workflow that it is, or of one that another plan holds. */
  schemasOf(plan: Plan): WorkflowSchemas | undefined;
  /** The same by the id of the workflow, or by the digest of a plan without one. */
  schemasNamed(name: string): WorkflowSchemas | undefined;
  /**
   * Undefined when nothing changes: it, or another build with the same plan and steps, is there already. Else a function that
   * takes it back, to be called in the same tick, so that another workflow may have its id. Throws invalid-config when a name is
   * taken by something else.
   */
  add(workflow: WorkflowParts): (() => void) | undefined;
  /** Reads the config again. Throws invalid-config when a rule for escalation names a model that it no longer has. */
  refresh(): void;
}

export function createRegistered(
  plugins: readonly HostedPlugin[],
  config: () => Config,
  gateway: Pick<GatewayHandle, 'models' | 'checkRule' | 'tokenRatios' | 'tokenCounter'>,
  initial: readonly WorkflowParts[],
  prompts: () => PromptBook | undefined = () => undefined,
): Registered {
  const escalates = plugins.some(({ parts }) => escalatesWith(parts));
  if (config().escalate !== undefined && !escalates) {
    const message =
      'The config has "escalate", but no plugin acts on it: add escalation() of "polyphony/plugins/escalation/escalation" to the plugins, or remove the field.';
    throw new PolyphonyError('invalid-config', message);
  }
  checkRules(plugins, config(), gateway);
  const place = (set: WorkflowSet) => {
    const parts = collectParts([...plugins, ...stepPlugin(set.steps.values()).map(hostedOf)]);
    const [workflows, models] = [set.registered, gateway.models()];
    const catalogue = createCatalogue({
      ...{ parts, workflows, config: config(), models, escalates, prompts: prompts() },
      ...{ tokenRatios: gateway.tokenRatios, tokenCounter: gateway.tokenCounter() },
    });
    return { set, parts, catalogue };
  };
  const brought = plugins.flatMap(({ name, parts }) =>
    (parts.workflows ?? []).map((plan) => workflowOfPlan(plan, `The plugin "${name}"`)),
  );
  let placed = place(workflowSet([...brought, ...initial]));
  return {
    parts: () => placed.parts,
    catalogue: () => placed.catalogue,
    workflow: (id) => knownIn(placed.set).workflow(id),
    schemasOf: (plan) => knownIn(placed.set).schemasOf(plan),
    schemasNamed: (name) => knownIn(placed.set).schemasNamed(name),
    asOfNow: () => knownIn(placed.set),
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
      checkRules(plugins, config(), gateway);
      placed = place(placed.set);
    },
  };
}

/** The rules that no request carries: the config's, and those of plugins. */
function checkRules(
  plugins: readonly HostedPlugin[],
  { escalate }: Config,
  gateway: Pick<GatewayHandle, 'checkRule'>,
): void {
  if (escalate !== undefined) gateway.checkRule(escalate, 'The config cannot be used:');
  for (const { name, parts } of plugins) {
    if (parts.escalate !== undefined) gateway.checkRule(parts.escalate, `The plugin "${name}" cannot be used:`);
  }
}

const texts = new WeakMap<Plan, string>();

/** Its JSON, written once: a plan that runs does not change. */
function textOf(plan: Plan): string {
  const known = texts.get(plan) ?? canonicalJson(plan);
  texts.set(plan, known);
  return known;
}

const knownIn = ({ registered, schemas }: WorkflowSet): Known => ({
  workflow: (id) => registered.get(id),
  schemasNamed(name) {
    if (!name.startsWith('#')) return registered.get(name)?.schemas;
    for (const [text, own] of schemas) if (digestOf(text) === name) return own;
    return undefined;
  },
  schemasOf(plan) {
    if (plan.id !== undefined) return registered.get(plan.id)?.schemas;
    return schemas.size === 0 ? undefined : schemas.get(textOf(plan));
  },
});

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

/**
 * A plugin has another list of tools: the catalogue and the runs that begin afterwards use it. A list that cannot be registered is
 * logged, and the one before stays.
 */
export async function followTools(
  registered: Pick<Registered, 'refresh'>,
  begun: () => Promise<{ refill(): void }> | undefined,
  logger: Logger,
): Promise<void> {
  try {
    registered.refresh();
    (await begun())?.refill();
  } catch (error) {
    logger.warn({ error: errorRecord(error) }, 'the tools of a plugin changed, but cannot be registered');
  }
}
