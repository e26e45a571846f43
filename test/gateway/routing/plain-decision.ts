/**
 * The router in its plain form: every candidate is an object, everything is computed again for each decision, and all are
 * sorted. What the gateway decides must be the same to the last digit.
 */
import type { Rejection } from '../../../src/core/gateway.ts';
import { nearestTier, type Tier, tierStep } from '../../../src/core/model/model.ts';
import { formatUsd, usdToNano } from '../../../src/core/money/money.ts';
import { costOf } from '../../../src/core/money/price.ts';
import { capabilitiesOf, maskOf } from '../../../src/gateway/calls/requirements.ts';
import { withCredential } from '../../../src/gateway/calls/target.ts';
import { exclusion } from '../../../src/gateway/routing/arrangement/exclude.ts';
import { askedTier, expectedOutput, outputCeiling } from '../../../src/gateway/routing/estimate.ts';
import type { Deployment } from '../../../src/gateway/routing/registry.ts';
import type { RouteOptions } from '../../../src/gateway/routing/route.ts';
import type { Scored } from '../../../src/gateway/routing/score.ts';
import { speedOf } from '../../../src/kit/models/speed.ts';
import { isApart, onCardScale, strengthFigure, unknownStrength } from '../../../src/kit/models/strengths.ts';
import { estimateTokens } from '../../../src/kit/models/tokens.ts';

export function plainDecision(question: RouteOptions): readonly Scored[] {
  const { needs, config, registry, order } = question;
  const { route } = needs.choice;
  if (order !== undefined) {
    const asked = order.flatMap(({ provider, model, region }) =>
      registry.deployments.filter(
        ({ target }) =>
          target.provider === provider && target.model === model && (region === undefined || target.region === region),
      ),
    );
    return scored([...new Set(asked)], question).map((one) => withSession(one, question));
  }
  if (route !== undefined) {
    const all = (config.routes?.[route]?.chain ?? []).flatMap((name) =>
      scored(registry.named(name), question).sort((a, b) => b.score - a.score),
    );
    const each = all.filter((one, index) => all.findIndex(({ deployment }) => deployment === one.deployment) === index);
    return sessionFirst(each, question);
  }
  return byNearness(scored(asked(question), question), question);
}

function byNearness(all: readonly Scored[], question: RouteOptions): readonly Scored[] {
  const isBounded = question.request.limits?.p95Ms !== undefined;
  const rank = ({ deployment }: Scored) => (isBounded && p95(deployment, question) === undefined ? 1 : 0);
  const tier = tierOf(question);
  const choices = all.filter(({ deployment: { card } }) => tier === undefined || card.tier === tier);
  const [best] = [...choices].sort((a, b) => rank(a) - rank(b) || b.score - a.score);
  const first = choices.find((one) => isBound(one, question)) ?? best;
  if (first === undefined) return [];
  const { card } = first.deployment;
  const step = ({ deployment: { card: other } }: Scored) =>
    other.id === card.id ? -1 : tierStep(card.tier, other.tier);
  const distance = ({ parts }: Scored) => Math.abs(parts.quality - first.parts.quality);
  const others = all
    .filter((one) => one !== first)
    .sort((a, b) => rank(a) - rank(b) || step(a) - step(b) || distance(a) - distance(b) || b.score - a.score);
  return [withSession(first, question), ...others];
}

const isBound = ({ deployment: { target } }: Scored, { preferred }: RouteOptions): boolean =>
  preferred?.provider === target.provider && preferred.model === target.model && preferred.region === target.region;

function withSession(one: Scored, question: RouteOptions): Scored {
  const credential = isBound(one, question) ? question.preferred?.credential : undefined;
  if (credential === undefined) return one;
  const { deployment } = one;
  return { ...one, deployment: { ...deployment, target: withCredential(deployment.target, credential) } };
}

function sessionFirst(all: readonly Scored[], question: RouteOptions): readonly Scored[] {
  const bound = all.find((one) => isBound(one, question));
  return bound === undefined ? all : [withSession(bound, question), ...all.filter((one) => one !== bound)];
}

// ---------------------------------------------------------------------------------------------------- rejections

export function plainRejections(question: RouteOptions, decided: readonly Scored[]): readonly Rejection[] {
  const { registry, needs, config } = question;
  const { id, route, tier: wanted } = needs.choice;
  const names = route === undefined ? (id === undefined ? undefined : [id]) : config.routes?.[route]?.chain;
  const all = names?.flatMap((name) => registry.named(name)) ?? registry.deployments;
  const tier = tierOf(question) === wanted ? wanted : undefined;
  const why = (deployment: Deployment): readonly string[] => {
    const { card } = deployment;
    const failed = failures(deployment, question);
    if (failed.length === 0 && decided.some((one) => one.deployment.card === card)) return [];
    const leftOut = card.standIn === true && route === undefined && !asked(question).includes(deployment);
    if (failed.length === 0 && leftOut)
      return ['stands in for other models, one of which can serve this, so it answers only by its name'];
    if (tier === undefined || card.tier === tier) return failed;
    return [`has tier "${card.tier}", but the request asks for tier "${tier}"`, ...failed];
  };
  return all
    .map((deployment) => ({ target: deployment.target, failed: why(deployment) }))
    .filter(({ failed }) => failed.length > 0);
}

// ---------------------------------------------------------------------------------------------------- who can serve

function asked(question: RouteOptions): readonly Deployment[] {
  const { registry, needs } = question;
  const { id } = needs.choice;
  const named = id === undefined ? registry.deployments : registry.named(id);
  const alive = named.filter((deployment) => end(deployment, question) === undefined);
  const all = id === undefined || named.length < 2 || alive.length === 0 ? named : alive;
  const isServed = all.some((one) => one.card.standIn !== true && abilities(one, question).length === 0);
  return isServed ? all.filter(({ card }) => card.standIn !== true) : all;
}

export function tierOf(question: RouteOptions): Tier | undefined {
  const { tier, strict } = question.needs.choice;
  if (tier === undefined || strict === true) return tier;
  const able = asked(question).filter((deployment) => failures(deployment, question).length === 0);
  if (able.some(({ card }) => card.tier === tier)) return tier;
  const isThere = asked(question).some((one) => one.card.tier === tier && abilities(one, question).length === 0);
  return isThere ? tier : nearestTier(tier, able);
}

function end({ card: { lifecycle } }: Deployment, { nowMs }: RouteOptions): string | undefined {
  if (lifecycle?.stage === 'retired') return 'is retired';
  const { endsOn } = lifecycle ?? {};
  return endsOn !== undefined && Date.parse(endsOn) <= nowMs ? `was retired on ${endsOn}` : undefined;
}

type Failed = readonly (string | false | undefined)[];
const said = (failed: Failed): readonly string[] => failed.filter((one) => typeof one === 'string');

function abilities(deployment: Deployment, question: RouteOptions): readonly string[] {
  const { card, mask } = deployment;
  const { request, needs } = question;
  const missing = needs.mask & ~mask;
  const { dedicatedTo } = card;
  return said([
    !card.operations.includes(request.operation) &&
      `does not support "${request.operation}" (it supports ${card.operations.join(', ')})`,
    missing !== 0 && `lacks ${capabilitiesOf(missing).join(', ')}`,
    dedicatedTo !== undefined && (needs.mask & maskOf([dedicatedTo])) === 0 && `is made for ${dedicatedTo} only`,
    needs.choice.id === undefined && end(deployment, question),
  ]);
}

function failures(deployment: Deployment, question: RouteOptions): readonly string[] {
  const { card, target, provider } = deployment;
  const { request, exclude } = question;
  const answer = request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0;
  const outside = elsewhere(deployment, request.requires?.regions);
  return said([
    exclusion(exclude, target, provider),
    ...abilities(deployment, question),
    answer > card.maxOutputTokens &&
      `answers with at most ${card.maxOutputTokens} tokens, but the request asks for ${answer}`,
    window(deployment, question, answer),
    request.requires?.retention === 'none' &&
      card.retention !== 'none' &&
      `keeps data (retention "${card.retention}"), but the request requires retention "none"`,
    sensitivity(deployment, question, outside),
    outside,
    languages(deployment, question),
    quality(deployment, question),
    latency(deployment, question),
    cost(deployment, question),
  ]);
}

function window({ card }: Deployment, { request, needs: { size } }: RouteOptions, answer: number): string | undefined {
  const required = request.requires?.contextTokens ?? 0;
  const has = `has a context window of ${card.contextTokens} tokens, but the request`;
  if (required > card.contextTokens) return `${has} requires ${required}`;
  const needed = (size.longest === undefined ? size.exactTokens() : estimateTokens(size.longest)) + answer;
  if (size.upperTokens + answer <= card.contextTokens || needed <= card.contextTokens) return undefined;
  return `${has} needs about ${needed}`;
}

function elsewhere({ card, target }: Deployment, allowed: readonly string[] = []): string | undefined {
  const where = target.region === undefined ? (card.regions ?? []) : [target.region];
  if (allowed.length === 0 || (where.length > 0 && where.every((name) => allowed.includes(name)))) return undefined;
  return `runs in ${where.join(', ') || 'an unknown region'}, but the request requires ${allowed.join(' or ')}`;
}

function sensitivity({ card }: Deployment, { request }: RouteOptions, outside: string | undefined): string | undefined {
  const level = request.sensitivity;
  if ((level !== 'personal' && level !== 'regulated') || card.retention === 'none') return undefined;
  const isNamed = request.requires?.regions !== undefined && outside === undefined;
  if (level === 'personal' && card.retention === 'provider' && isNamed) return undefined;
  return `keeps data (retention "${card.retention}"), which is not allowed for ${level} data`;
}

function languages({ card }: Deployment, { request }: RouteOptions): string | undefined {
  const primary = (tag: string) => (tag.split('-')[0] ?? tag).toLowerCase();
  const spoken = card.languages?.map(primary);
  const missing = spoken && request.requires?.languages?.filter((tag) => !spoken.includes(primary(tag)));
  return missing === undefined || missing.length === 0 ? undefined : `does not claim support for ${missing.join(', ')}`;
}

function quality(deployment: Deployment, question: RouteOptions): string | undefined {
  const least = question.request.limits?.quality;
  if (least === undefined) return undefined;
  const { card, target, statistics } = deployment;
  const unknown = question.needs.choice.strengths?.find(
    (field) =>
      isApart(field) &&
      strengthFigure({ provider: target.provider, card }, field) === undefined &&
      statistics.rating(field, question.nowMs) === undefined,
  );
  if (unknown !== undefined)
    return `has an unknown ${unknown}, but the request asks for a quality of at least ${least}`;
  const reached = plainQuality(deployment, question);
  return reached >= least ? undefined : `has quality ${reached.toFixed(2)}, but the request asks for at least ${least}`;
}

const p95 = ({ card, statistics }: Deployment, { nowMs }: RouteOptions): number | undefined =>
  statistics.total.quantile(0.95, nowMs) ?? card.expectedMs;

function latency(deployment: Deployment, question: RouteOptions): string | undefined {
  const { p95Ms: most, unknownLatency } = question.request.limits ?? {};
  if (most === undefined) return undefined;
  const known = p95(deployment, question);
  if (known === undefined) {
    if (unknownLatency !== 'refuse') return undefined;
    return `has an unknown latency, but the request allows at most ${most} ms and refuses unknown ones (limits.unknownLatency)`;
  }
  if (known <= most) return undefined;
  return `has a 95th percentile latency of ${Math.round(known)} ms, but the request allows at most ${most} ms`;
}

function cost(deployment: Deployment, question: RouteOptions): string | undefined {
  const { request, config } = question;
  const usd = request.limits?.usd;
  if (usd === undefined) return undefined;
  const expected = plainCost(deployment, question);
  if (expected === null) {
    if (config.allowUnpriced === true) return undefined;
    return `has no known price, but the request may cost at most $${usd} (allowUnpriced accepts it)`;
  }
  if (expected <= usdToNano(usd)) return undefined;
  return `costs about ${formatUsd(expected)} (answer of at most ${outputCeiling(request, deployment.card)} tokens), but the request allows at most ${formatUsd(usdToNano(usd))}`;
}

// ---------------------------------------------------------------------------------------------------- scores

const WEIGHTS = {
  cost: { cost: 0.7, latency: 0.05, quality: 0.1, reliability: 0.1, fit: 0.05 },
  latency: { cost: 0.05, latency: 0.7, quality: 0.1, reliability: 0.1, fit: 0.05 },
  quality: { cost: 0.05, latency: 0.05, quality: 0.75, reliability: 0.1, fit: 0.05 },
  balanced: { cost: 0.3, latency: 0.15, quality: 0.35, reliability: 0.15, fit: 0.05 },
} as const;
const LATENCY_WEIGHTS = { measured: 4, card: 2, 'rate-measured': 2, 'mean-call': 1 } as const;

function scored(asked: readonly Deployment[], question: RouteOptions): Scored[] {
  const able = asked.filter((deployment) => failures(deployment, question).length === 0);
  const { request, config, nowMs } = question;
  const weights = WEIGHTS[request.optimise ?? config.optimise ?? 'balanced'];
  const all = able.map((deployment) => ({
    deployment,
    nano: plainCost(deployment, question),
    ms: plainLatency(deployment, question),
  }));
  const known = all.flatMap(({ ms }) => (ms === undefined ? [] : [ms]));
  const mean = known.reduce((sum, ms) => sum + ms, 0) / known.length;
  const waits = ({ deployment, ms = 0 }: (typeof all)[number]) => {
    const { waits: asked } = question;
    return asked === undefined ? 0 : Math.max(asked.limitsMs(deployment), ms * asked.answersBefore(deployment));
  };
  const mayWait = all.some((one) => waits(one) > 0);
  const unknownMs = known.length === 0 ? 1500 : mayWait ? mean : Math.max(1500, mean);
  const expectedMs = (one: (typeof all)[number]) => (one.ms ?? unknownMs) + waits(one);
  const fastest = mayWait ? Math.min(...all.map(expectedMs)) : Math.min(...known, unknownMs);
  const cheapest = Math.min(...all.flatMap(({ nano }) => (nano === null ? [] : [nano])));
  return all.map((one) => {
    const { deployment, nano } = one;
    const parts = {
      cost: nano === null ? 0 : (cheapest + 100_000) / (nano + 100_000),
      latency: (fastest + 1) / (expectedMs(one) + 1),
      quality: plainQuality(deployment, question),
      reliability: 1 - deployment.statistics.errorRate(nowMs),
      fit: fitOf(deployment, question),
    };
    const score =
      weights.cost * parts.cost +
      weights.latency * parts.latency +
      weights.quality * parts.quality +
      weights.reliability * parts.reliability +
      weights.fit * parts.fit;
    return { deployment, score, parts, estimatedNanoUsd: nano };
  });
}

function fitOf({ card }: Deployment, { request }: RouteOptions): number {
  const form = request.operation === 'chat' ? request.output : undefined;
  const native = form?.schema === undefined ? 'json-mode' : 'json-schema';
  const isAdapted = form !== undefined && !card.capabilities.includes(native);
  return 1 - (card.lifecycle?.stage === 'deprecated' ? 0.5 : 0) - (isAdapted ? 0.5 : 0);
}

function plainCost(deployment: Deployment, { request, needs: { size }, nowMs }: RouteOptions): number | null {
  const usage = { input: size.roughTokens, output: expectedOutput(request, deployment), images: size.images };
  return costOf(deployment.card, usage, { at: nowMs, serviceTier: askedTier(request) });
}

const corrected = (prior: number, weight: number, mean: number, observations: number): number =>
  (weight * prior + observations * mean) / (weight + observations);

function plainQuality({ card, target, statistics }: Deployment, { needs, nowMs }: RouteOptions): number {
  const { strengths = [] } = needs.choice;
  const fields = strengths.length === 0 ? ['general'] : strengths;
  const model = { provider: target.provider, card };
  const values = fields.map((field) => {
    const figure = strengthFigure(model, field);
    const prior = figure?.value ?? unknownStrength(model, field);
    const rating = statistics.rating(field, nowMs);
    if (rating === undefined) return prior;
    const mean = field === 'structured' ? onCardScale(rating.mean) : rating.mean;
    return corrected(prior, figure?.weight ?? 2, mean, rating.weight);
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function plainLatency(
  { card, target, statistics: { total } }: Deployment,
  { nowMs }: RouteOptions,
): number | undefined {
  const speed = speedOf({ provider: target.provider, card });
  const observed = total.quantile(0.5, nowMs);
  if (observed === undefined || speed?.expectedMs === undefined) return observed ?? speed?.expectedMs;
  return corrected(speed.expectedMs, LATENCY_WEIGHTS[speed.basis], observed, total.weight(nowMs));
}
