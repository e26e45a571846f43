/** The models that can serve a node, by its own fields; the router chooses among them when the node runs. */

import { DATA_URL, kindOfFile } from '../../core/model/media-kind.ts';
import type { Capability, Operation, Sensitivity } from '../../core/model/model.ts';
import { meantBy, nearestTier, TIERS, type Tier } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { slipOf } from '../../language/suggest.ts';

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

/** All other steps that call a model, those of plugins included, use chat. */
export const operationOf = (use: string): Operation => OPERATIONS.get(use) ?? 'chat';

export const isTier = (name: string): name is Tier => (TIERS as readonly string[]).includes(name);

/**
 * Every model that a name means: `provider/model`, a model's id, one of its aliases, or an alias of the config. Also a
 * model that its provider serves without listing it, unless the name looks like a misspelt listed one.
 */
export function modelsNamed(name: string, catalogue: Catalogue): readonly CatalogueModel[] {
  const wanted = meantBy(name, catalogue.aliases) ?? name;
  return namesOf(catalogue).get(wanted) ?? unlistedNamed(wanted, catalogue);
}

const indexes = new WeakMap<Catalogue, ReadonlyMap<string, readonly CatalogueModel[]>>();

/** The models of each name, found once: a catalogue is replaced, never changed in place, and every node of a plan may name one. */
function namesOf(catalogue: Catalogue): ReadonlyMap<string, readonly CatalogueModel[]> {
  const before = indexes.get(catalogue);
  if (before !== undefined) return before;
  const named = new Map<string, CatalogueModel[]>();
  for (const model of catalogue.models) {
    const { provider, card } = model;
    for (const name of new Set([card.id, `${provider}/${card.id}`, ...(card.aliases ?? [])])) {
      const known = named.get(name);
      if (known === undefined) named.set(name, [model]);
      else known.push(model);
    }
  }
  indexes.set(catalogue, named);
  return named;
}

function unlistedNamed(name: string, catalogue: Catalogue): readonly CatalogueModel[] {
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1) return [];
  const provider = name.slice(0, slash);
  const card = catalogue.unlisted?.(provider, name.slice(slash + 1));
  return card === undefined || slipOf(name, modelNames(catalogue)) !== undefined ? [] : [{ provider, card }];
}

/** Every name that `model.id` may have. */
export const modelNames = (catalogue: Catalogue): string[] => [
  ...new Set([...Object.keys(catalogue.aliases), ...namesOf(catalogue).keys()]),
];

/** The requirements of a node's requests on a model, beyond what the gateway can adapt. */
export interface Demand {
  readonly operation: Operation;
  readonly tier: Tier | undefined;
  /** The tier may not give way to the nearest one. */
  readonly strict: boolean;
  readonly can: readonly Capability[];
  readonly privately: boolean;
  /** The node names its model: one that has ended is asked all the same, as the gateway does. */
  readonly isNamed: boolean;
}

const PRIVATE: ReadonlySet<Sensitivity> = new Set(['personal', 'regulated']);
const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);

/** @param toolsInPrompt the tools of the node need no model with tools of its own, unless the node asks for one */
export function demandOf(node: PlanNode, model = node.model, toolsInPrompt = false): Demand {
  const operation = operationOf(node.use);
  const can = [...(model?.can ?? [])];
  if (operation === 'chat' && node.use === 'llm') {
    const implied = impliedBy(node.in ?? {});
    can.push(...(toolsInPrompt ? implied.filter((capability) => capability !== 'tools') : implied));
  }
  if (operation === 'image' && isGiven(node.in?.image)) can.push('image-edit');
  const privately = node.sensitivity !== undefined && PRIVATE.has(node.sensitivity);
  const tier = model?.tier;
  return {
    operation,
    tier: tier !== undefined && isTier(tier) ? tier : undefined,
    strict: model?.strict === true,
    can,
    privately,
    isNamed: model?.id !== undefined,
  };
}

function impliedBy({
  images,
  files,
  audio,
  tools,
  agents,
  reasoning,
}: Readonly<Record<string, unknown>>): Capability[] {
  const can: Capability[] = [];
  if (isGiven(images)) can.push('image-in');
  can.push(...neededBy(files));
  if (isGiven(audio) && !can.includes('audio-in')) can.push('audio-in');
  if (isGiven(tools) || isGiven(agents)) can.push('tools');
  if (isGiven(reasoning) && reasoning !== 'none') can.push('reasoning');
  return can;
}

const NEEDED = { audio: 'audio-in', video: 'video-in', file: 'file-in' } as const satisfies Record<string, Capability>;

/** A file that stands in the plan may be sound or a film; what a reference leads to is known only when the node runs. */
function neededBy(files: unknown): readonly Capability[] {
  if (!isGiven(files)) return [];
  if (!Array.isArray(files)) return ['file-in'];
  return [...new Set(files.map((file) => NEEDED[kindOfFile(mediaTypeIn(file))]))];
}

function mediaTypeIn(file: unknown): string | undefined {
  if (typeof file === 'string') return DATA_URL.exec(file.slice(0, 200))?.[1];
  const { mediaType } = (typeof file === 'object' && file !== null ? file : {}) as { readonly mediaType?: unknown };
  return typeof mediaType === 'string' ? mediaType : undefined;
}

/** Reasons why a model cannot meet the demand; empty when it can. The caller checks privacy and a tier that may give way. */
export function lacks({ card }: CatalogueModel, { operation, tier, strict, can, isNamed }: Demand): string[] {
  const missing: string[] = [];
  if (!card.operations.includes(operation)) missing.push(`does not support ${operation}`);
  if (strict && tier !== undefined && card.tier !== tier) missing.push(`has tier ${card.tier}, not ${tier}`);
  const unable = can.filter((capability) => !card.capabilities.includes(capability));
  if (unable.length > 0) missing.push(`lacks ${unable.join(', ')}`);
  if (card.dedicatedTo !== undefined && !can.includes(card.dedicatedTo))
    missing.push(`is made only for ${card.dedicatedTo}`);
  if (card.lifecycle?.stage === 'retired' && !isNamed) missing.push('is retired');
  return missing;
}

/** As the router does: a model that stands in is left out where another one could serve the demand, of whatever tier. */
export function withoutStandIns(models: readonly CatalogueModel[], demand: Demand): readonly CatalogueModel[] {
  const ofAnyTier = { ...demand, strict: false };
  const isServed = models.some((model) => model.card.standIn !== true && lacks(model, ofAnyTier).length === 0);
  return isServed ? models.filter(({ card }) => card.standIn !== true) : models;
}

export const keepsNothing = ({ card }: CatalogueModel): boolean => card.retention === 'none';

/** The models that a node may go to; with `model`, as if it asked for that one. */
export type Candidates = (node: PlanNode, model?: PlanNode['model']) => readonly CatalogueModel[];

const MOST_KEPT = 500;
const known = new WeakMap<Catalogue, Candidates>();

/** The candidates of a catalogue, computed once per demand: a catalogue is replaced, never changed in place. */
export function candidatesOf(catalogue: Catalogue): Candidates {
  const before = known.get(catalogue);
  if (before !== undefined) return before;
  const found = createCandidates(catalogue);
  known.set(catalogue, found);
  return found;
}

function createCandidates(catalogue: Catalogue): Candidates {
  const lists = new Map<string, readonly CatalogueModel[]>();
  return function candidates(node, model = node.model) {
    const key = keyOf(node, model);
    const found = lists.get(key);
    if (found !== undefined) return found;
    const named = model?.id === undefined ? catalogue.models : modelsNamed(model.id, catalogue);
    const ableTo = (demand: Demand): readonly CatalogueModel[] =>
      ofTier(
        withoutStandIns(named, demand).filter((one) => lacks(one, demand).length === 0),
        demand,
      );
    const native = ableTo(demandOf(node, model));
    const able = native.length > 0 || catalogue.toolsInPrompt !== true ? native : ableTo(demandOf(node, model, true));
    if (lists.size >= MOST_KEPT) lists.clear();
    lists.set(key, able);
    return able;
  };
}

/** Capable models of the tier that the router would choose: the asked one, or the nearest where no capable model has it. */
export function ofTier(capable: readonly CatalogueModel[], { tier, privately }: Demand): readonly CatalogueModel[] {
  const allowed = privately ? capable.filter(keepsNothing) : capable;
  if (tier === undefined) return allowed;
  const chosen = capable.some(({ card }) => card.tier === tier) ? tier : nearestTier(tier, allowed);
  return allowed.filter(({ card }) => card.tier === chosen);
}

/** The models that a rung of the node's ladder may go to; `target` is a tier or a model. */
export function rungCandidates(node: PlanNode, target: string, catalogue: Catalogue): readonly CatalogueModel[] {
  const { tier: _, id: __, ...model } = node.model ?? NO_MODEL;
  return candidatesOf(catalogue)(node, isTier(target) ? { ...model, tier: target } : { ...model, id: target });
}

const NO_MODEL: NonNullable<PlanNode['model']> = {};

/** Contains every field of the node that its demand depends on. */
function keyOf({ use, sensitivity, in: inputs }: PlanNode, model: PlanNode['model']): string {
  let key = use;
  if (model !== undefined) key += ` ${model.id} ${model.tier} ${model.strict} ${model.can?.join()}`;
  if (sensitivity !== undefined) key += ` ${sensitivity}`;
  for (const field of ASKING) if (inputs?.[field] !== undefined) key += ` ${field}:${askedFor(inputs[field])}`;
  if (inputs?.files !== undefined) key += ` ${neededBy(inputs.files).join()}`;
  return key;
}

const ASKING = ['images', 'audio', 'tools', 'agents', 'reasoning', 'image'] as const;

const askedFor = (value: unknown): string =>
  typeof value === 'string' && value === 'none' ? value : String(isGiven(value));
