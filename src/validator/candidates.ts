/** Which models a node could go to by what it says itself; the router chooses among them when the node runs. */
import type { Capability, Operation, Sensitivity } from '../core/model.ts';
import { TIERS, type Tier } from '../core/model.ts';
import type { PlanNode } from '../core/plan.ts';
import type { ModelCard } from '../core/provider.ts';
import type { Catalogue } from '../core/validation.ts';

export interface CatalogueModel {
  readonly provider: string;
  readonly card: ModelCard;
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['image', 'image'],
  ['embed', 'embed'],
  ['moderate', 'moderate'],
  ['rerank', 'rerank'],
]);

/** Steps that ask a model in words, plugins' included, chat. */
export const operationOf = (use: string): Operation => OPERATIONS.get(use) ?? 'chat';

export const isTier = (name: string): name is Tier => (TIERS as readonly string[]).includes(name);

/** Follows aliases of the config, a few steps at most. */
function aliased(name: string, catalogue: Catalogue): string {
  let current = name;
  for (let step = 0; step < 5 && Object.hasOwn(catalogue.aliases, current); step += 1) {
    current = catalogue.aliases[current] ?? current;
  }
  return current;
}

/** Every model that a name means: `provider/model`, a model's id, one of its aliases, an alias of the config. */
export function modelsNamed(name: string, catalogue: Catalogue): CatalogueModel[] {
  const wanted = aliased(name, catalogue);
  return catalogue.models.filter(
    ({ provider, card }) =>
      card.id === wanted || `${provider}/${card.id}` === wanted || (card.aliases ?? []).includes(wanted),
  );
}

/** Every name that `model.id` may have. */
export function modelNames(catalogue: Catalogue): string[] {
  const names = catalogue.models.flatMap(({ provider, card }) => [
    card.id,
    `${provider}/${card.id}`,
    ...(card.aliases ?? []),
  ]);
  return [...new Set([...Object.keys(catalogue.aliases), ...names])];
}

/** What a node's requests need of a model, beyond what the gateway can adapt. */
export interface Demand {
  readonly operation: Operation;
  readonly tier: Tier | undefined;
  readonly can: readonly Capability[];
  readonly privately: boolean;
}

const PRIVATE: ReadonlySet<Sensitivity> = new Set(['personal', 'regulated']);
const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

export function demandOf(node: PlanNode): Demand {
  const operation = operationOf(node.use);
  const can = [...(node.model?.can ?? [])];
  if (operation === 'chat' && node.use === 'llm') can.push(...impliedBy(node.in ?? {}));
  if (operation === 'image' && isGiven(node.in?.image)) can.push('image-edit');
  const privately = node.sensitivity !== undefined && PRIVATE.has(node.sensitivity);
  return { operation, tier: node.model?.tier, can, privately };
}

function impliedBy({ images, files, tools, reasoning }: Readonly<Record<string, unknown>>): Capability[] {
  const can: Capability[] = [];
  if (isGiven(images)) can.push('image-in');
  if (isGiven(files)) can.push('file-in');
  if (isGiven(tools)) can.push('tools');
  if (isGiven(reasoning) && reasoning !== 'none') can.push('reasoning');
  return can;
}

/** What a model lacks for the demand, in words; empty when it will do. Privacy is told apart by the caller. */
export function lacks({ card }: CatalogueModel, { operation, tier, can }: Demand): string[] {
  const missing: string[] = [];
  if (!card.operations.includes(operation)) missing.push(`does no ${operation}`);
  if (tier !== undefined && card.tier !== tier) missing.push(`is ${card.tier}, not ${tier}`);
  const unable = can.filter((capability) => !card.capabilities.includes(capability));
  if (unable.length > 0) missing.push(`lacks ${unable.join(', ')}`);
  if (card.lifecycle?.stage === 'retired') missing.push('is retired');
  return missing;
}

export const keepsNothing = ({ card }: CatalogueModel): boolean => card.retention === 'none';

/** The models that a node may go to; asked for once a demand. */
export type Candidates = (node: PlanNode) => readonly CatalogueModel[];

export function createCandidates(catalogue: Catalogue): Candidates {
  const known = new Map<string, readonly CatalogueModel[]>();
  return function candidates(node) {
    const demand = demandOf(node);
    const key = `${demand.operation} ${demand.tier} ${demand.can.join()} ${demand.privately} ${node.model?.id}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const named = node.model?.id === undefined ? catalogue.models : modelsNamed(node.model.id, catalogue);
    const able = named.filter(
      (model) => lacks(model, demand).length === 0 && (!demand.privately || keepsNothing(model)),
    );
    known.set(key, able);
    return able;
  };
}
