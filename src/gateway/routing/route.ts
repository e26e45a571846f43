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
 * R7. Plugins order the candidates that R1 leaves, and may drop some; R2, R3 and R5 hold after them too. Of chains, and of models that
 *     take the place of others, they may only drop some.
 * R8. A model that stands in for others is a candidate only where no other could serve the request, or by its name.
 * R9. An order that a layer gives with the call is kept as it is: no session and no plugin
 *     changes it, a plugin may only drop some, and no other target answers.
 * R10. A first choice that ends (`Arrangement.isEnding`) gives way to another one, unless the session is bound to it. Targets that
 *     are asked last keep their order behind all others. Neither changes an order that a layer gives.
 *     The model that takes the place of a first choice has no more against it than that one: R6, R10 to R13 and a strict tier.
 * R11. Targets of a provider from which traffic shifts come last. A session keeps its target, and explicit chains, orders and the
 *     requested tier hold.
 * R12. Targets that are too slow for the route of the call come after the others of its chain or tier, also for a session.
 * R13. Targets that do not claim the language of the text come last, where the request names none. Chains and pins hold.
 */

import { PolyphonyError } from '../../core/errors.ts';
import type { Rejection } from '../../core/gateway.ts';
import type { ModelRequest, Target, Tier } from '../../core/model/model.ts';
import { nearestUnprefixed } from '../../language/suggest.ts';
import { choiceOf } from '../calls/requirements.ts';
import { nameOf } from '../calls/target.ts';
import { unknownName } from '../calls/unknown-name.ts';
import { type Arrangement, type Asked, arranged, type Trial } from './arrangement/arrange.ts';
import { type Objectionable, objections } from './arrangement/objections.ts';
import { askedOf, failuresOf, Selection, satisfying } from './negotiate.ts';
import type { Negotiation } from './negotiation.ts';
import { isOfTier, isPreferred, mayStandBefore, ordered, preferredFirst, preferredOf } from './order.ts';
import { type Ranking, type RankResult, rank } from './rank.ts';
import type { Deployment, Registry } from './registry.ts';
import { bestFirst, type Scored, scoreAll } from './score.ts';
import { tierFor } from './tier.ts';
import { relaxedOf } from './tools/relaxed.ts';

export interface RouteOptions extends Negotiation, Objectionable {
  /** The target that served the session before. */
  readonly preferred?: Target | undefined;
  /** The only targets that may answer, in the order in which they are tried. */
  readonly order?: readonly Target[] | undefined;
  /** The plugins that order the candidates. */
  readonly ranking?: Ranking | undefined;
  /** What is known beyond the request. @default nothing */
  readonly arrangement?: Arrangement | undefined;
  readonly trial?: Trial | undefined;
  readonly asked?: Asked;
}

/** The most targets that one call tries. Without it, an outage of the caller's network would be tried at every model. */
const MAX_TARGETS = 8;
const MAX_LISTED = 40;

/** The deployments to try, in order, at most eight. @throws no-route with the failed requirements of each target */
export function routeOf(options: RouteOptions): readonly Deployment[] {
  const { route, task } = options.needs.choice;
  const free = route === undefined && task === undefined && options.order === undefined;
  const able = free ? ableOf(options) : [];
  // A single deployment needs no score.
  const [only] = able;
  const single = able.length === 1 && options.ranking === undefined ? only : undefined;
  if (single !== undefined && stays(single, options) && isOfTier(single, tierFor(able, options)))
    return [preferredOf(single, options)];
  const decision = decide(options, MAX_TARGETS, able);
  if (decision.scored.length === 0) throw noRoute(options, decision);
  return decision.scored.map(({ deployment }) => deployment);
}

/** In their order, so the next of the chain takes the place of one that is too slow, and no session brings it back. */
function slowLast(scored: readonly Scored[], { isSlow }: RouteOptions): readonly Scored[] {
  if (isSlow === undefined) return scored;
  const slow = new Set(scored.filter(({ deployment }) => isSlow(deployment.target)));
  return slow.size === 0 ? scored : [...scored.filter((one) => !slow.has(one)), ...slow];
}

const AS_ROUTED: Pick<RankResult, 'rankedBy' | 'droppedBy'> = { rankedBy: [], droppedBy: new Map() };

/** Nothing can take the place of the only target. */
const stays = ({ card }: Deployment, { arrangement, trial }: RouteOptions): boolean =>
  trial === undefined && (arrangement === undefined || card.lifecycle?.replacedBy === undefined);

/** The candidates in the order in which they are tried; may be empty. @throws plugin-failed if a plugin's rank is invalid */
export function decide(options: RouteOptions, most = Number.POSITIVE_INFINITY, able = ableOf(options)): RankResult {
  if (options.order !== undefined) return asOrdered(options.order, options, most);
  const result = chosen(options, most, able);
  if (options.arrangement === undefined && options.trial === undefined) return result;
  const isBound = ({ deployment }: Scored): boolean => isPreferred(deployment, options);
  return arranged(result, options, isBound, (name, before) =>
    namedTargets([name], options).find((one) => mayStandBefore(one.deployment, before.deployment, options)),
  );
}

function chosen(options: RouteOptions, most: number, able: readonly Deployment[]): RankResult {
  const { needs, ranking } = options;
  const { route, task } = needs.choice;
  // The layer that knows the tasks of the config puts their route in the place of their name.
  if (task !== undefined) throw unknownName('task', task, Object.keys(options.config.tasks ?? {}));
  if (route !== undefined) {
    const kept = withoutDropped(chain(route, options), options);
    return { ...kept, scored: slowLast(preferredFirst(kept.scored, options), options).slice(0, most) };
  }
  const tier = tierFor(able, options);
  if (ranking === undefined) return { scored: orderedOf(able, tier, options, most), ...AS_ROUTED };
  const ranked = rank(orderedOf(able, tier, options, able.length), ranking);
  return { ...ranked, scored: firstChoiceFirst(ranked.scored, tier, options).slice(0, most) };
}

/** Targets with something against them come last, where another one can be the first choice. */
function orderedOf(
  able: readonly Deployment[],
  tier: Tier | undefined,
  options: RouteOptions,
  most: number,
): readonly Scored[] {
  const against = objections(able, options, (one) => isPreferred(one, options));
  if (against === undefined) return ordered(able, tier, options, most);
  const least = Math.min(...able.map((one, index) => (isOfTier(one, tier) ? (against[index] ?? 0) : Infinity)));
  const staying = able.filter((_, index) => (against[index] ?? 0) <= least);
  if (staying.length === able.length) return ordered(able, tier, options, most);
  const left = able.filter((_, index) => (against[index] ?? 0) > least);
  const rank = new Map(able.map((one, index) => [one, against[index] ?? 0]));
  const last = [...bestFirst(scoreAll(left, options))].sort(
    (a, b) => (rank.get(a.deployment) ?? 0) - (rank.get(b.deployment) ?? 0),
  );
  return [...ordered(staying, tier, options, most), ...last].slice(0, most);
}

/** The session's target stays first, else the first of the requested tier, however plugins ordered the others. */
function firstChoiceFirst(scored: readonly Scored[], tier: Tier | undefined, options: RouteOptions): readonly Scored[] {
  const choices = scored.filter(({ deployment }) => isOfTier(deployment, tier));
  const isKept = ({ deployment }: Scored): boolean =>
    isPreferred(deployment, options) && options.isSlow?.(deployment.target) !== true;
  const first = choices.find(isKept) ?? choices[0];
  if (first === undefined) return [];
  return first === scored[0] ? scored : [first, ...scored.filter((one) => one !== first)];
}

/** The deployments that the request names, or all, reduced to those that satisfy the request. */
function ableOf(options: RouteOptions): readonly Deployment[] {
  const asked = askedOf(options);
  const able = satisfying(asked, options);
  if (able.length > 0) return able;
  const allowed = allowing(options);
  return allowed === options ? able : satisfying(asked, allowed);
}

/** A model that is named or listed may be one to which the request is adapted. */
function allowing(options: RouteOptions): RouteOptions {
  const relaxed = relaxedOf(options.request, options.config);
  return relaxed === undefined ? options : { ...options, relaxed };
}

/** The chain of a route in the config; the deployments of each name are ordered by score. */
function chain(name: string, options: RouteOptions): readonly Scored[] {
  const routes = options.config.routes ?? {};
  const names = Object.hasOwn(routes, name) ? routes[name]?.chain : undefined;
  if (names === undefined) throw unknownName('route', name, Object.keys(routes));
  return satisfyingNamed(names, options);
}

/** The targets of the names, in the order of the names, without those that fail a requirement or that a plugin drops. */
export const namedTargets = (names: readonly string[], options: RouteOptions): readonly Scored[] =>
  withoutDropped(satisfyingNamed(names, options), options).scored;

function satisfyingNamed(names: readonly string[], options: RouteOptions): readonly Scored[] {
  const allowed = allowing(options);
  const selection = new Selection(allowed);
  const found = new Map<Deployment, Scored>();
  for (const name of names) {
    const able = satisfying(options.registry.named(name), allowed, selection);
    for (const one of bestFirst(scoreAll(able, options)))
      if (!found.has(one.deployment)) found.set(one.deployment, one);
  }
  return [...found.values()];
}

/** A plugin may still drop some of them. */
function asOrdered(order: readonly Target[], options: RouteOptions, most: number): RankResult {
  const kept = withoutDropped(inOrder(order, options), options);
  return { ...kept, scored: kept.scored.slice(0, most) };
}

/** In their order, which no plugin changes, without those that a plugin leaves out. */
function withoutDropped(scored: readonly Scored[], { ranking }: RouteOptions): RankResult {
  if (ranking === undefined || scored.length === 0) return { scored, ...AS_ROUTED };
  const { scored: left, droppedBy } = rank(scored, ranking);
  if (droppedBy.size === 0) return { scored, ...AS_ROUTED };
  const kept = new Set(left.map(({ deployment }) => deployment.target));
  return { scored: scored.filter(({ deployment }) => kept.has(deployment.target)), rankedBy: [], droppedBy };
}

/** As a layer ordered them; a session keeps its credential. */
function inOrder(order: readonly Target[], options: RouteOptions): readonly Scored[] {
  const { registry } = options;
  const asked = order.flatMap((target) => registry.deployments.filter((one) => isMeant(target, one.target)));
  const able = satisfying([...new Set(asked)], allowing(options));
  return scoreAll(able, options).map((one) => ({ ...one, deployment: preferredOf(one.deployment, options) }));
}

/** Without a region, a target means its model in every region. */
const isMeant = (named: Target, { provider, model, region }: Target): boolean =>
  named.provider === provider && named.model === model && (named.region === undefined || named.region === region);

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
  const asked = names?.flatMap((name) => registry.named(name)) ?? registry.deployments;
  const why = whyNot(options, decision);
  const rejected: Rejection[] = [];
  for (const deployment of asked) {
    const failed = why(deployment);
    if (failed.length > 0) rejected.push({ target: deployment.target, failed });
  }
  return rejected;
}

/** What a deployment fails; nothing for a candidate. */
function whyNot(
  options: RouteOptions,
  { scored, droppedBy }: RankResult,
): (deployment: Deployment) => readonly string[] {
  const { choice } = options.needs;
  // Where the tier gives way, nothing is refused for it.
  const tier = choice.tier && (tierFor(ableOf(options), options) === choice.tier ? choice.tier : undefined);
  const candidates = new Set(scored.map(({ deployment }) => deployment.card));
  const failures = failuresOf(options);
  const allowed = allowing(options);
  const lacks = allowed === options ? failures : failuresOf(allowed);
  const isLeftOut = leftOut(options);
  return (deployment) => {
    const { card, target } = deployment;
    const plugin = droppedBy.size === 0 ? undefined : droppedBy.get(nameOf(target));
    if (plugin !== undefined) return [`was dropped by the plugin "${plugin}"`];
    if (candidates.has(card) && lacks(deployment).length === 0) return [];
    const failed = failures(deployment);
    if (failed.length === 0 && isLeftOut(deployment)) return [STANDS_IN];
    if (tier === undefined || card.tier === tier) return failed;
    return [`has tier "${card.tier}", but the request asks for tier "${tier}"`, ...failed];
  };
}

const STANDS_IN = 'stands in for other models, one of which can serve this, so it answers only by its name';

/** Whether a deployment stands in for others that can serve the request. */
function leftOut(options: RouteOptions): (deployment: Deployment) => boolean {
  if (!options.registry.hasStandIns || options.needs.choice.route !== undefined) return () => false;
  const asked = new Set(askedOf(options));
  return (deployment) => deployment.card.standIn === true && !asked.has(deployment);
}

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
    `No model satisfies ${describe(request)}: ${lines.join('; ') || 'none that the call names (order) is registered'}${more}. Relax a requirement, or register a model that meets it.`,
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
