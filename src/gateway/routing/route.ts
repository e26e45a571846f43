/**
 * The routing decision: pure and synchronous, separate from execution.
 *
 * R1. A target that fails a requirement or a limit is never a candidate, whatever its score, session or chain.
 * R2. An explicit chain keeps its order. Otherwise the best score comes first.
 * R3. A tier applies to the first choice only; the fallbacks may have another tier. If no registered model of the tier can
 *     do what the request needs, the nearest tier takes its place, unless the request is strict.
 * R4. Fallbacks are ordered by distance in quality: the same model elsewhere, the same tier, then the next tier (upwards
 *     before downwards), each by nearest quality first. A premium model never falls back to a fast one before a balanced one.
 * R5. A session's target comes first if it is a first choice. Otherwise it is never brought back.
 * R6. Under a limit on latency, targets whose latency nobody knows come after those that are known to keep it.
 * R7. Plugins order the candidates that R1 leaves, and may drop some; R2, R3 and R5 hold after them too.
 * R8. A model that stands in for others is a candidate only where no other could serve the request, or by its name.
 * R9. An order that a layer gives with the call is kept as it is: no session and no plugin
 *     changes it, a plugin may only drop some, and no other target answers.
 * R10. Targets of a provider from which traffic shifts come last. A session keeps its target, and explicit chains, orders and the
 *     requested tier hold.
 */

import { PolyphonyError } from '../../core/errors.ts';
import type { Rejection } from '../../core/gateway.ts';
import { type ModelRequest, type Target, type Tier, tierStep } from '../../core/model/model.ts';
import { nearest, nearestUnprefixed } from '../../language/suggest.ts';
import { nameOf, withCredential } from '../calls/target.ts';
import { askedOf, expectedLatency, failures, type Negotiation, satisfies } from './negotiate.ts';
import { type Ranking, type RankResult, rank } from './rank.ts';
import type { Deployment, Registry } from './registry.ts';
import { choiceOf } from './requirements.ts';
import { bestFirst, bestOf, type Scored, scoreAll } from './score.ts';
import { tierFor } from './tier.ts';

export interface RouteOptions extends Negotiation {
  readonly registry: Registry;
  /** The target that served the session before. */
  readonly preferred?: Target | undefined;
  /** The only targets that may answer, in the order in which they are tried. */
  readonly order?: readonly Target[] | undefined;
  /** Providers whose targets come after all others where one of those can be the first choice. @default none */
  readonly shifted?: ReadonlySet<string> | undefined;
  /** The plugins that order the candidates. */
  readonly ranking?: Ranking | undefined;
}

/** The most targets that one call tries. Without it, an outage of the caller's network would be tried at every model. */
const MAX_TARGETS = 8;
const MAX_LISTED = 40;

/** The deployments to try, in order, at most eight. @throws no-route with the failed requirements of each target */
export function routeOf(options: RouteOptions): readonly Deployment[] {
  const free = options.needs.choice.route === undefined && options.order === undefined;
  const able = free ? ableOf(options) : [];
  // A single deployment needs no score.
  const [only] = able;
  const single = able.length === 1 && options.ranking === undefined ? only : undefined;
  if (single !== undefined && isOfTier(single, tierFor(able, options))) return [preferredOf(single, options)];
  const decision = decide(options, MAX_TARGETS, able);
  if (decision.scored.length === 0) throw noRoute(options, decision);
  return decision.scored.map(({ deployment }) => deployment);
}

const AS_ROUTED: Pick<RankResult, 'rankedBy' | 'droppedBy'> = { rankedBy: [], droppedBy: new Map() };

/** The candidates in the order in which they are tried; may be empty. @throws plugin-failed if a plugin's rank is invalid */
export function decide(options: RouteOptions, most = Number.POSITIVE_INFINITY, able = ableOf(options)): RankResult {
  const { needs, ranking } = options;
  const { route } = needs.choice;
  if (options.order !== undefined) return ordered(options.order, options, most);
  if (route !== undefined) {
    return { scored: preferredFirst(chain(route, options), options).slice(0, most), ...AS_ROUTED };
  }
  if (ranking === undefined) return { scored: order(options, most, able), ...AS_ROUTED };
  const ranked = rank(order(options, Number.POSITIVE_INFINITY, able), ranking);
  return { ...ranked, scored: firstChoiceFirst(ranked.scored, tierFor(able, options), options).slice(0, most) };
}

/** The session's target stays first, else the first of the requested tier, however plugins ordered the others. */
function firstChoiceFirst(scored: readonly Scored[], tier: Tier | undefined, options: RouteOptions): readonly Scored[] {
  const choices = scored.filter(({ deployment }) => isOfTier(deployment, tier));
  const first = choices.find(({ deployment }) => isPreferred(deployment, options)) ?? choices[0];
  if (first === undefined) return [];
  return first === scored[0] ? scored : [first, ...scored.filter((one) => one !== first)];
}

function order(options: RouteOptions, most: number, able: readonly Deployment[]): readonly Scored[] {
  const { shifted } = options;
  if (shifted === undefined) return orderOf(options, most, able);
  const leaves = (one: Deployment): boolean => shifted.has(one.target.provider) && !isPreferred(one, options);
  const stays = able.filter((one) => !leaves(one));
  const tier = tierFor(able, options);
  if (stays.length === able.length || !stays.some((one) => isOfTier(one, tier))) return orderOf(options, most, able);
  return [...orderOf(options, most, stays), ...bestFirst(scoreAll(able.filter(leaves), options))].slice(0, most);
}

function orderOf(options: RouteOptions, most: number, able: readonly Deployment[]): readonly Scored[] {
  const scored = scoreAll(able, options);
  const tier = tierFor(able, options);
  const first = scored.filter(({ deployment }) => isOfTier(deployment, tier));
  const bound = first.find(({ deployment }) => isPreferred(deployment, options));
  const { request, nowMs } = options;
  const bounded = request.limits?.p95Ms !== undefined;
  const isUnknown = ({ deployment }: Scored): boolean => expectedLatency(deployment, nowMs) === undefined;
  const known = bounded ? first.filter((one) => !isUnknown(one)) : first;
  const best = bound ?? bestOf(known.length > 0 ? known : first);
  if (best === undefined) return [];
  const served: Scored = bound === undefined ? best : { ...best, deployment: preferredOf(best.deployment, options) };
  if (!bounded) return [served, ...fallbacks(best, scored, most - 1)];
  const others = fallbacks(best, scored, scored.length);
  return [served, ...others.filter((one) => !isUnknown(one)), ...others.filter(isUnknown)].slice(0, most);
}

/** The deployments that the request names, or all, reduced to those that satisfy the request. */
function ableOf(options: RouteOptions): readonly Deployment[] {
  return askedOf(options).filter((deployment) => satisfies(deployment, options));
}

const isOfTier = ({ card }: Deployment, tier: Tier | undefined): boolean => tier === undefined || card.tier === tier;

/** The chain of a route in the config; the deployments of each name are ordered by score. */
function chain(name: string, options: RouteOptions): readonly Scored[] {
  const routes = options.config.routes ?? {};
  const names = Object.hasOwn(routes, name) ? routes[name]?.chain : undefined;
  if (names === undefined) throw unknownRoute(name, Object.keys(routes));
  return namedTargets(names, options);
}

/** The targets of the names, in the order of the names, without those that fail a requirement. */
export function namedTargets(names: readonly string[], options: RouteOptions): readonly Scored[] {
  const all = names.flatMap((name) => {
    const able = options.registry.named(name).filter((deployment) => satisfies(deployment, options));
    return bestFirst(scoreAll(able, options));
  });
  return all.filter((one, index) => all.findIndex((other) => other.deployment === one.deployment) === index);
}

/** A plugin may still drop some of them. */
function ordered(order: readonly Target[], options: RouteOptions, most: number): RankResult {
  const scored = inOrder(order, options);
  if (options.ranking === undefined) return { scored: scored.slice(0, most), ...AS_ROUTED };
  const { scored: left, droppedBy } = rank(scored, options.ranking);
  const kept = new Set(left.map(({ deployment }) => deployment.target));
  return {
    scored: scored.filter(({ deployment }) => kept.has(deployment.target)).slice(0, most),
    rankedBy: [],
    droppedBy,
  };
}

/** As a layer ordered them; a session keeps its credential. */
function inOrder(order: readonly Target[], options: RouteOptions): readonly Scored[] {
  const { registry } = options;
  const asked = order.flatMap((target) => registry.deployments.filter((one) => isMeant(target, one.target)));
  const able = [...new Set(asked)].filter((deployment) => satisfies(deployment, options));
  return scoreAll(able, options).map((one) => ({ ...one, deployment: preferredOf(one.deployment, options) }));
}

/** Without a region, a target means its model in every region. */
const isMeant = (named: Target, { provider, model, region }: Target): boolean =>
  named.provider === provider && named.model === model && (named.region === undefined || named.region === region);

function preferredFirst(scored: readonly Scored[], options: RouteOptions): readonly Scored[] {
  const bound = scored.find(({ deployment }) => isPreferred(deployment, options));
  if (bound === undefined) return scored;
  const served: Scored = { ...bound, deployment: preferredOf(bound.deployment, options) };
  return [served, ...scored.filter((one) => one !== bound)];
}

const isPreferred = ({ target }: Deployment, { preferred }: RouteOptions): boolean =>
  preferred !== undefined && sameDeployment(target, preferred);

/** The deployment, with the session's credential if the session is bound to it. */
function preferredOf(deployment: Deployment, options: RouteOptions): Deployment {
  const credential = isPreferred(deployment, options) ? options.preferred?.credential : undefined;
  return credential === undefined
    ? deployment
    : { ...deployment, target: withCredential(deployment.target, credential) };
}

const sameDeployment = (a: Target, b: Target): boolean =>
  a.provider === b.provider && a.model === b.model && a.region === b.region;

interface Near {
  readonly one: Scored;
  readonly step: number;
  readonly distance: number;
}

const nearer = (a: Near, b: Near): number => a.step - b.step || a.distance - b.distance || b.one.score - a.one.score;

/** The `most` nearest in quality, kept sorted while they are found, because catalogues are long and chains are short. */
function fallbacks(best: Scored, scored: readonly Scored[], most: number): readonly Scored[] {
  const { card } = best.deployment;
  const { quality } = best.parts;
  const near: Near[] = [];
  for (const one of scored) {
    if (one === best) continue;
    const other = one.deployment.card;
    const step = other.id === card.id ? -1 : tierStep(card.tier, other.tier);
    const next: Near = { one, step, distance: Math.abs(one.parts.quality - quality) };
    let at = near.length;
    for (let before = near[at - 1]; before !== undefined && nearer(next, before) < 0; before = near[at - 1]) at -= 1;
    if (at >= most) continue;
    near.splice(at, 0, next);
    if (near.length > most) near.pop();
  }
  return near.map(({ one }) => one);
}

/** What each target that is not a candidate fails: a requirement, a limit, or the requested tier. */
export function rejections(options: RouteOptions, decision: RankResult): readonly Rejection[] {
  const { registry } = options;
  const { choice } = options.needs;
  const names =
    choice.route === undefined
      ? choice.id === undefined
        ? undefined
        : [choice.id]
      : options.config.routes?.[choice.route]?.chain;
  const asked = names?.flatMap((name) => registry.named(name));
  const { scored, droppedBy } = decision;
  // Where the tier gives way, nothing is refused for it.
  const tier = choice.tier && (tierFor(ableOf(options), options) === choice.tier ? choice.tier : undefined);
  const candidates = new Set(scored.map(({ deployment }) => deployment.card));
  return (asked ?? registry.deployments)
    .filter(
      (deployment) =>
        !candidates.has(deployment.card) || droppedBy.has(nameOf(deployment.target)) || !satisfies(deployment, options),
    )
    .map((deployment) => ({ target: deployment.target, failed: whyNot(deployment, options, tier, droppedBy) }))
    .filter(({ failed }) => failed.length > 0);
}

function whyNot(
  deployment: Deployment,
  options: RouteOptions,
  tier: Tier | undefined,
  droppedBy: RankResult['droppedBy'],
): readonly string[] {
  const plugin = droppedBy.get(nameOf(deployment.target));
  if (plugin !== undefined) return [`was dropped by the plugin "${plugin}"`];
  const failed = failures(deployment, options);
  if (failed.length === 0 && isLeftOut(deployment, options)) return [STANDS_IN];
  if (tier === undefined || deployment.card.tier === tier) return failed;
  return [`has tier "${deployment.card.tier}", but the request asks for tier "${tier}"`, ...failed];
}

const STANDS_IN = 'stands in for other models, one of which can serve this, so it answers only by its name';

const isLeftOut = (deployment: Deployment, options: RouteOptions): boolean =>
  deployment.card.standIn === true &&
  options.needs.choice.route === undefined &&
  !askedOf(options).includes(deployment);

function noRoute(options: RouteOptions, decision: RankResult): PolyphonyError {
  const { request, registry } = options;
  const { choice } = options.needs;
  if (choice.id !== undefined && registry.named(choice.id).length === 0) return unknownModel(choice.id, registry);
  const rejected = rejections(options, decision);
  if (registry.deployments.length === 0) return noModels(registry);
  const lines = rejected
    .slice(0, MAX_LISTED)
    .map(({ target, failed }) => `${nameOf(target)} ${failed.join(', and it ')}`);
  const more = rejected.length > MAX_LISTED ? `; and ${rejected.length - MAX_LISTED} more, see details` : '';
  return new PolyphonyError(
    'no-route',
    `No model satisfies ${describe(request)}: ${lines.join('; ')}${more}. Relax a requirement, or register a model that meets it.`,
    { details: { rejected } },
  );
}

function noModels({ providers }: Registry): PolyphonyError {
  const [first] = providers.keys();
  const message =
    first === undefined
      ? 'There is no model to send the request to: register a provider.'
      : `The providers ${[...providers.keys()].join(', ')} list no models to choose from: name a model in the request, such as "${first}/model", or list the provider's models.`;
  return new PolyphonyError('no-route', message, { details: { rejected: [] } });
}

function describe(request: ModelRequest): string {
  const { id, tier, route: name } = choiceOf(request);
  const asked = [id && `model "${id}"`, tier && `tier "${tier}"`, name && `route "${name}"`].filter(Boolean);
  return asked.length === 0 ? `the "${request.operation}" request` : `the request for ${asked.join(' and ')}`;
}

function unknownModel(id: string, registry: Registry): PolyphonyError {
  const suggestions = nearestUnprefixed(id, registry.names());
  const hint =
    suggestions.length > 0 ? `Did you mean ${suggestions.map((name) => `"${name}"`).join(' or ')}?` : remedy(registry);
  return new PolyphonyError('no-route', `No provider offers a model called "${id}". ${hint}`, {
    details: { unknown: id, suggestions, rejected: [] },
  });
}

const remedy = ({ providers }: Registry): string =>
  `Ask for one as "provider/model"; the providers are ${[...providers.keys()].join(', ')}.`;

function unknownRoute(name: string, known: readonly string[]): PolyphonyError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The routes are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('no-route', `The config has no route called "${name}". ${hint}`, {
    details: { unknown: name, suggestions: near, rejected: [] },
  });
}
