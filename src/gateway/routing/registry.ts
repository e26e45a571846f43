/** Every deployment that the providers offer, and the names by which a request may choose it. */

import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { MOST_ALIASES, meantBy, type Target } from '../../core/model/model.ts';
import type { ModelCard, Provider } from '../../core/model/provider.ts';
import { maskOf } from '../calls/requirements.ts';
import type { TokenCounter } from '../calls/size.ts';
import { CardColumns } from './figures/card-columns.ts';
import { type CardFigures, cardFigures } from './figures/card-figures.ts';
import { withModel } from './figures/model-overrides.ts';
import { withPrice } from './figures/price-overrides.ts';
import type { Statistics, TargetStatistics } from './statistics.ts';

/** One model at one provider in one region, with everything that routing needs. */
export interface Deployment {
  readonly target: Target;
  readonly card: ModelCard;
  readonly provider: Provider;
  /** The card's capabilities as bits. */
  readonly mask: number;
  readonly figures: CardFigures;
  /** The row of its card in the columns of the registry. */
  readonly row: number;
  /** Equal for those with equal terms: see `termsKey`. */
  readonly terms: number;
  readonly statistics: TargetStatistics;
  /** Counts as its provider does. @default none, and the count is an estimate */
  readonly counter?: TokenCounter | undefined;
}

export interface Registry {
  readonly deployments: readonly Deployment[];
  /** Some of them stand in for others: see `ModelCard.standIn`. */
  readonly hasStandIns: boolean;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly columns: CardColumns;
  /** The deployments of a name: an alias of the config, `provider/model`, a model's id or its card's alias. */
  named(name: string): readonly Deployment[];
  /** What an alias of the config stands for; any other name is itself. */
  meant(name: string): string;
  /** The deployment behind a target, whatever its credential. */
  find(target: Target): Deployment | undefined;
  /** So many models that no provider lists were named that the registry should be made anew, without them. */
  readonly isFull: boolean;
  /** Every name that `named` knows, for suggestions. */
  names(): readonly string[];
}

/** Callers name them. */
const MOST_UNLISTED = 1024;

export function createRegistry(
  providers: readonly Provider[],
  config: Config,
  statistics: Statistics,
  counterOf?: (provider: string, model: string) => TokenCounter | undefined,
): Registry {
  const byId = new Map<string, Provider>();
  const byName = new Map<string, Deployment[]>();
  const deployments: Deployment[] = [];
  /** A cache, because each call looks up the same few targets several times (see calls/target.ts). */
  const found = new WeakMap<Target, Deployment>();
  const add = (name: string, deployment: Deployment): void => {
    const known = byName.get(name);
    if (known === undefined) byName.set(name, [deployment]);
    else if (!known.includes(deployment)) known.push(deployment);
  };
  const columns = new CardColumns();
  const made = (provider: Provider, card: ModelCard): Deployment[] =>
    deploymentsOf(
      provider,
      withModel(provider.id, withPrice(provider, card, config.prices), config.models),
      statistics,
      columns,
      counterOf?.(provider.id, card.id),
    );
  const list = (provider: Provider, card: ModelCard): Deployment[] => {
    const listed = made(provider, card);
    for (const deployment of listed) {
      for (const name of [card.id, ...(card.aliases ?? [])]) {
        add(name, deployment);
        add(`${provider.id}/${name}`, deployment);
      }
    }
    return listed;
  };
  let unlistedCount = 0;
  const listUnlisted = (name: string, provider: Provider, card: ModelCard): Deployment[] => {
    unlistedCount += 1;
    const listed = made(provider, card);
    for (const deployment of listed) add(name, deployment);
    return listed;
  };
  for (const provider of providers) {
    refuseDuplicate(byId, provider);
    checkProvider(provider);
    byId.set(provider.id, provider);
    for (const card of provider.models) deployments.push(...list(provider, card));
  }
  // The unlisted ones of this registry, and of the one before.
  statistics.keepMost(deployments.length + 2 * MOST_UNLISTED);
  const meant = (name: string): string => resolveAlias(name, config.aliases);
  const named = (name: string): readonly Deployment[] => {
    const model = meant(name);
    return byName.get(model) ?? unlisted(model, byId, listUnlisted);
  };
  return {
    deployments,
    hasStandIns: deployments.some(({ card }) => card.standIn === true),
    providers: byId,
    columns,
    named,
    meant,
    find(target) {
      const before = found.get(target);
      if (before !== undefined) return before;
      const name = `${target.provider}/${target.model}`;
      const regions = byName.get(name) ?? unlisted(name, byId, listUnlisted);
      const deployment = regions.find(({ target: { region } }) => region === target.region) ?? regions[0];
      if (deployment !== undefined) found.set(target, deployment);
      return deployment;
    },
    get isFull() {
      return unlistedCount >= MOST_UNLISTED;
    },
    names: () => [...new Set([...Object.keys(config.aliases ?? {}), ...byName.keys()])],
  };
}

function refuseDuplicate(providers: ReadonlyMap<string, Provider>, { id }: Provider): void {
  if (!providers.has(id)) return;
  const message = `Two providers have the id "${id}", but ids must be unique: give one of them another id.`;
  throw new PolyphonyError('invalid-config', message);
}

/** One deployment per region of the provider that the card allows; one per model if the provider has no regions. */
function deploymentsOf(
  provider: Provider,
  card: ModelCard,
  statistics: Statistics,
  columns: CardColumns,
  counter: TokenCounter | undefined,
): Deployment[] {
  const regions = provider.regions?.filter((region) => card.regions?.includes(region) ?? true) ?? [];
  const targets: Target[] =
    regions.length === 0
      ? [{ provider: provider.id, model: card.id }]
      : regions.map((region) => ({ provider: provider.id, model: card.id, region }));
  const mask = maskOf(card.capabilities);
  const figures = cardFigures(provider.id, card);
  const known = { card, provider, mask, figures, row: columns.add(figures) };
  return targets.map((target) => {
    const terms = columns.termsOf(card, mask, target.region);
    return { target, ...known, terms, statistics: statistics.of(target), counter };
  });
}

function resolveAlias(name: string, aliases: Config['aliases'] = {}): string {
  const meant = meantBy(name, aliases);
  if (meant !== undefined) return meant;
  const message = `The alias "${name}" leads through more than ${MOST_ALIASES} aliases: point it at a model.`;
  throw new PolyphonyError('invalid-config', message);
}

/** A model that its provider does not list but accepts as `provider/model`; it is kept only under that name. */
function unlisted(
  name: string,
  providers: ReadonlyMap<string, Provider>,
  list: (name: string, provider: Provider, card: ModelCard) => Deployment[],
): readonly Deployment[] {
  const slash = name.indexOf('/');
  const provider = providers.get(name.slice(0, Math.max(0, slash)));
  const card = provider?.unlisted?.(name.slice(slash + 1));
  return provider === undefined || card === undefined ? [] : list(name, provider, card);
}

// ---------------------------------------------------------------------------------------------------- what is refused

// Programs that no compiler has checked bring what would wait for ever or pay money back.

/** @throws invalid-config, which names the field and the rule */
function checkProvider({ id, models, concurrency }: Provider): void {
  if (!Array.isArray(models)) throw refusal(id, 'models', models, 'a list of model cards');
  // Without a slot every call would wait for ever; NaN is no number of slots either.
  if (concurrency !== undefined && !(concurrency >= 1)) throw refusal(id, 'concurrency', concurrency, '1 or more');
  for (const card of models) checkPrice(id, card);
}

function checkPrice(provider: string, { id, price }: ModelCard): void {
  for (const [kind, rate] of Object.entries(price ?? {})) {
    if (typeof rate !== 'number' || rate >= 0) continue;
    throw refusal(provider, `price.${kind} of the model "${id}"`, rate, '0 or more, in US dollars');
  }
}

const refusal = (provider: string, field: string, value: unknown, rule: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `The provider "${provider}" has ${String(value)} as ${field}: give ${rule}.`);
