/** `model: "fast"` for `{ "tier": "fast" }`, and the fields of a model that stand elsewhere or have other names. */
import { TIERS } from '../../core/model/model.ts';
import { isRecord } from '../document/document.ts';
import { drop, type Fields, isBlank, type Mending, move, rename, rewrite } from './mending.ts';

const TIER_NAMES: ReadonlySet<unknown> = new Set(TIERS);
/** What leaves the choice to the router. */
const ANY: ReadonlySet<string> = new Set(['auto', 'any', 'default']);
const LISTS = ['can', 'strengths'] as const;
const MODEL_FIELDS: ReadonlySet<string> = new Set(['tier', 'strengths', 'can', 'route']);

export function placeModel(node: Fields, key: string, path: string, mending: Mending): boolean {
  return MODEL_FIELDS.has(key) && typeof node.model !== 'string' && move(node, key, 'model', key, path, mending);
}

export function mendModel(node: Fields, path: string, mending: Mending): void {
  const { model } = node;
  if (typeof model === 'string') chooseModel(node, model.trim(), path, mending);
  if (!isRecord(model)) return;
  const at = `${path}/model`;
  if (model.id === undefined) {
    const names = ['name', 'model'].filter((name) => typeof model[name] === 'string');
    const [name, another] = names;
    if (name !== undefined && another === undefined) rename(model, name, 'id', at, mending);
  }
  if (typeof model.provider === 'string' && typeof model.id === 'string') {
    const { provider, id } = model;
    if (!id.startsWith(`${provider}/`)) rewrite(model, 'id', `${provider}/${id}`, at, mending);
    drop(model, 'provider', at, 'it stands in the id', mending);
  }
  if (typeof model.tier === 'string' && TIER_NAMES.has(model.tier.trim().toLowerCase()) && !TIER_NAMES.has(model.tier))
    rewrite(model, 'tier', model.tier.trim().toLowerCase(), at, mending);
  for (const key of LISTS) {
    const value = model[key];
    if (typeof value === 'string' && !isBlank(value)) {
      const list = value.split(',').map((part) => part.trim());
      rewrite(
        model,
        key,
        list.filter((part) => part !== ''),
        at,
        mending,
      );
    }
  }
}

function chooseModel(node: Fields, name: string, path: string, mending: Mending): void {
  const tier = name.toLowerCase();
  if (ANY.has(tier) && !isKnown(name, mending)) drop(node, 'model', path, 'any model will do', mending);
  else rewrite(node, 'model', TIER_NAMES.has(tier) ? { tier } : { id: name }, path, mending);
}

const isKnown = (name: string, { catalogue }: Mending): boolean =>
  Object.hasOwn(catalogue.aliases, name) || catalogue.models.some(({ card }) => card.id === name);
