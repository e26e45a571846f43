/** Which deployments satisfy every requirement and limit of a request, and what the others fail. */
import type { Config } from '../../core/config.ts';
import type { ModelRequest, RequestLimits, Requirements, Target, Warning } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { formatUsd, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { nameOf } from '../calls/target.ts';
import { expectedCost, outputCeiling, termsOf } from './estimate.ts';
import { exclusion } from './exclude.ts';
import { qualityOf, unknownField } from './figures/posterior.ts';
import type { Deployment, Registry } from './registry.ts';
import { capabilitiesOf, maskOf, type Needs } from './requirements.ts';

export interface Negotiation {
  readonly request: ModelRequest;
  /** The result of `needsOf` for the request. */
  readonly needs: Needs;
  readonly config: Config;
  readonly nowMs: number;
  /** Targets that the call must not use. */
  readonly exclude?: readonly Target[] | undefined;
}

/** A rule: returns a predicate that says what fails, such as `is retired`, or undefined. */
type Rule = (deployment: Deployment, negotiation: Negotiation) => string | undefined;

/** The cheapest rules come first, because `satisfies` stops at the first that fails. */
const RULES: readonly Rule[] = [
  excluded,
  operation,
  capabilities,
  dedication,
  lifecycle,
  outputLength,
  contextWindow,
  retention,
  sensitivity,
  regions,
  languages,
  quality,
  latency,
  cost,
];

/** What a model can do at all, whatever this request allows. */
const ABILITIES: readonly Rule[] = [operation, capabilities, dedication, lifecycle];

/** True when the model could serve such a request; limits, sensitivity and exclusions are not considered. */
export function isCapable(deployment: Deployment, negotiation: Negotiation): boolean {
  for (const rule of ABILITIES) if (rule(deployment, negotiation) !== undefined) return false;
  return true;
}

/**
 * The deployments that the request names, or all. Those that stand in are left out where another one of them could serve such a
 * request, even if not within its limits: the caller is then told what it fails, and no stand-in answers in its place.
 */
export function askedOf(question: Negotiation & { readonly registry: Registry }): readonly Deployment[] {
  const { registry, needs } = question;
  const { id } = needs.choice;
  const asked = id === undefined ? registry.deployments : living(registry.named(id), question);
  return registry.hasStandIns && isServed(asked, question) ? asked.filter(({ card }) => card.standIn !== true) : asked;
}

/** The deployments that have not ended; all where every one of them has. */
function living(named: readonly Deployment[], { nowMs }: Negotiation): readonly Deployment[] {
  if (named.length < 2 || !named.some(({ card }) => endOf(card, nowMs) !== undefined)) return named;
  const alive = named.filter(({ card }) => endOf(card, nowMs) === undefined);
  return alive.length > 0 ? alive : named;
}

/** Whether one that does not stand in could serve the request. */
function isServed(asked: readonly Deployment[], question: Negotiation): boolean {
  return asked.some((deployment) => deployment.card.standIn !== true && isCapable(deployment, question));
}

/** True when no rule fails. Stops at the first failure, because nobody reads the messages. */
export function satisfies(deployment: Deployment, negotiation: Negotiation): boolean {
  for (const rule of RULES) if (rule(deployment, negotiation) !== undefined) return false;
  return true;
}

/** Every requirement and limit that the deployment fails, as predicates with their values. */
export function failures(deployment: Deployment, negotiation: Negotiation): readonly string[] {
  return RULES.map((rule) => rule(deployment, negotiation)).filter((failed) => failed !== undefined);
}

function excluded({ target, provider }: Deployment, { exclude }: Negotiation): string | undefined {
  return exclusion(exclude, target, provider);
}

function operation({ card }: Deployment, { request }: Negotiation): string | undefined {
  if (card.operations.includes(request.operation)) return undefined;
  return `does not support "${request.operation}" (it supports ${card.operations.join(', ')})`;
}

function capabilities({ mask }: Deployment, { needs }: Negotiation): string | undefined {
  const missing = needs.mask & ~mask;
  return missing === 0 ? undefined : `lacks ${capabilitiesOf(missing).join(', ')}`;
}

function dedication({ card: { dedicatedTo } }: Deployment, { needs }: Negotiation): string | undefined {
  if (dedicatedTo === undefined || (needs.mask & maskOf([dedicatedTo])) !== 0) return undefined;
  return `is made for ${dedicatedTo} only`;
}

/** Whoever names a model may know better than its card, and its provider says for nothing whether it is there: see `endedWarning`. */
function lifecycle({ card }: Deployment, { nowMs, needs }: Negotiation): string | undefined {
  if (card.lifecycle === undefined || needs.choice.id !== undefined) return undefined;
  return endOf(card, nowMs);
}

function endOf({ lifecycle }: ModelCard, nowMs: number): string | undefined {
  if (lifecycle === undefined) return undefined;
  const { stage, endsOn } = lifecycle;
  if (stage === 'retired') return 'is retired';
  return endsOn !== undefined && Date.parse(endsOn) <= nowMs ? `was retired on ${endsOn}` : undefined;
}

/** What the response says where the request names a model that has ended by what is known of it. */
export function endedWarning({ needs, nowMs }: Negotiation, first: Deployment | undefined): Warning | undefined {
  if (needs.choice.id === undefined || first?.card.lifecycle === undefined) return undefined;
  const end = endOf(first.card, nowMs);
  if (end === undefined) return undefined;
  const message = `${nameOf(first.target)} ${end} by what is known of it, and was asked because the request names it: choose another model, or correct its lifecycle in the config (models).`;
  return { code: 'model-retired', message };
}

function outputLength({ card }: Deployment, { request }: Negotiation): string | undefined {
  const asked = request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0;
  if (asked <= card.maxOutputTokens) return undefined;
  return `answers with at most ${card.maxOutputTokens} tokens, but the request asks for ${asked}`;
}

function contextWindow(
  { card, statistics }: Deployment,
  { request, needs: { size }, nowMs }: Negotiation,
): string | undefined {
  const asked = request.requires?.contextTokens ?? 0;
  if (asked > card.contextTokens)
    return `has a context window of ${card.contextTokens} tokens, but the request requires ${asked}`;
  const answer = request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0;
  if (size.upperTokens + answer <= card.contextTokens) return undefined;
  const learned = statistics.tokenRatio.of(nowMs);
  // What was learned of the model counts once it has learned something; it knows no single text.
  const whole = learned === 1 ? size.exactTokens() : Math.ceil(size.roughTokens * learned);
  const needed = (size.longest === undefined ? whole : estimateTokens(size.longest)) + answer;
  return needed <= card.contextTokens
    ? undefined
    : `has a context window of ${card.contextTokens} tokens, but the request needs about ${needed}`;
}

function retention({ card }: Deployment, { request }: Negotiation): string | undefined {
  if (request.requires?.retention !== 'none' || card.retention === 'none') return undefined;
  return `keeps data (retention "${card.retention}"), but the request requires retention "none"`;
}

/**
 * Regulated data goes only to targets that keep nothing. Personal data may also go to a target that keeps it in a region
 * named by the caller. Neither may go to a target with unknown retention.
 */
function sensitivity({ card, target }: Deployment, { request }: Negotiation): string | undefined {
  const level = request.sensitivity;
  if ((level !== 'personal' && level !== 'regulated') || card.retention === 'none') return undefined;
  const named =
    request.requires?.regions !== undefined && regionFailure(card, target.region, request.requires) === undefined;
  if (level === 'personal' && card.retention === 'provider' && named) return undefined;
  return `keeps data (retention "${card.retention}"), which is not allowed for ${level} data`;
}

function regions({ card, target }: Deployment, { request }: Negotiation): string | undefined {
  return request.requires === undefined ? undefined : regionFailure(card, target.region, request.requires);
}

/** A deployment without a region of its own may run in any region of its card, so all of them must be allowed. */
function regionFailure(card: ModelCard, region: string | undefined, requires: Requirements): string | undefined {
  const allowed = requires.regions;
  if (allowed === undefined || allowed.length === 0) return undefined;
  const where = region === undefined ? (card.regions ?? []) : [region];
  if (where.length > 0 && where.every((name) => allowed.includes(name))) return undefined;
  return `runs in ${where.join(', ') || 'an unknown region'}, but the request requires ${allowed.join(' or ')}`;
}

const primary = (tag: string): string => (tag.split('-')[0] ?? tag).toLowerCase();

function languages({ card }: Deployment, { request }: Negotiation): string | undefined {
  const asked = request.requires?.languages;
  if (asked === undefined || card.languages === undefined) return undefined;
  const spoken = card.languages.map(primary);
  const missing = asked.filter((tag) => !spoken.includes(primary(tag)));
  return missing.length === 0 ? undefined : `does not claim support for ${missing.join(', ')}`;
}

function quality(deployment: Deployment, { request, needs: { choice }, nowMs }: Negotiation): string | undefined {
  const least = request.limits?.quality;
  if (least === undefined) return undefined;
  const unknown = unknownField(deployment, choice.strengths, nowMs);
  if (unknown !== undefined)
    return `has an unknown ${unknown}, but the request asks for a quality of at least ${least}`;
  const reached = qualityOf(deployment, choice.strengths, nowMs);
  return reached >= least ? undefined : `has quality ${reached.toFixed(2)}, but the request asks for at least ${least}`;
}

/** The 95th percentile in milliseconds, as observed or as the card states it; undefined while nobody knows. */
export function expectedLatency(
  { card, statistics }: Pick<Deployment, 'card' | 'statistics'>,
  nowMs: number,
): number | undefined {
  return statistics.total.quantile(0.95, nowMs) ?? card.expectedMs;
}

const unknownLatency = (most: number): string =>
  `has an unknown latency, but the request allows at most ${most} ms and refuses unknown ones (limits.unknownLatency)`;

function latency({ card, statistics }: Deployment, { request, nowMs }: Negotiation): string | undefined {
  const most = request.limits?.p95Ms;
  if (most === undefined) return undefined;
  const observed = expectedLatency({ card, statistics }, nowMs);
  if (observed === undefined) return request.limits?.unknownLatency === 'refuse' ? unknownLatency(most) : undefined;
  if (observed <= most) return undefined;
  return `has a 95th percentile latency of ${Math.round(observed)} ms, but the request allows at most ${most} ms`;
}

function cost(deployment: Deployment, { request, needs, config, nowMs }: Negotiation): string | undefined {
  const limit = request.limits?.usd;
  if (limit === undefined) return undefined;
  const expected = expectedCost(request, needs.size, deployment, termsOf(request, nowMs));
  if (expected === null) return config.allowUnpriced ? undefined : unpriced(request.limits);
  return expected <= usdToNano(limit) ? undefined : tooExpensive(expected, request, deployment.card);
}

const unpriced = (limits: RequestLimits | undefined): string =>
  `has no known price, but the request may cost at most $${limits?.usd} (allowUnpriced accepts it)`;

function tooExpensive(expected: NanoUsd, request: ModelRequest, card: ModelCard): string {
  const length = outputCeiling(request, card);
  const limit = formatUsd(usdToNano(request.limits?.usd ?? 0));
  return `costs about ${formatUsd(expected)} (answer of at most ${length} tokens), but the request allows at most ${limit}`;
}
