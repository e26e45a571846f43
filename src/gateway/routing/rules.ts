/** The rules by which a deployment satisfies a request or does not, each with the sentence that says why not. */
import type { Config } from '../../core/config.ts';
import type { ModelRequest, Requirements, Target } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { formatUsd, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { isApart } from '../../kit/models/strengths.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { expectedCostIn, expectedInput, outputCeiling, pricesFor } from './estimate.ts';
import { exclusion } from './exclude.ts';
import type { PriceColumns } from './figures/card-columns.ts';
import { mainLanguage } from './figures/card-figures.ts';
import { accuracyOf, type Field, fieldsOf, qualityOf, unknownField } from './figures/posterior.ts';
import type { Deployment, Registry } from './registry.ts';
import { capabilitiesOf, maskOf, type Needs } from './requirements.ts';
import type { Relaxed } from './tools/relaxed.ts';
import { unsupportedTools } from './tools/tool-support.ts';

export interface Negotiation {
  readonly request: ModelRequest;
  /** The result of `needsOf` for the request. */
  readonly needs: Needs;
  readonly registry: Registry;
  readonly config: Config;
  readonly nowMs: number;
  /** What the usual price of a target is multiplied by, as long as a commitment covers it. @default 1 */
  readonly committed?: ((target: Target) => number) | undefined;
  /** Targets that the call must not use. */
  readonly exclude?: readonly Target[] | undefined;
  /** What a target may lack, because the request is adapted to it. @default nothing */
  readonly relaxed?: Relaxed | undefined;
}

const NO_FIELDS: readonly string[] = [];

/** What rules compare deployments with: found once for all of them, and only where a rule needs it. */
export class Measures {
  /** What rules have found of the deployment that they looked at last; each is valid where the request has its limit. */
  quality = Number.NaN;
  /** Nano-dollars; NaN if the price is unknown. */
  nanoUsd = Number.NaN;
  /** undefined while nobody knows. */
  p95Ms: number | undefined = undefined;
  readonly #question: Negotiation;
  #languages: readonly string[] | undefined;
  #apart: readonly string[] | undefined;
  #fields: readonly Field[] | undefined;
  #prices: PriceColumns | undefined;
  #mostNanoUsd: NanoUsd | undefined;

  constructor(question: Negotiation) {
    this.#question = question;
  }

  /** @throws invalid-request for a limit that is no amount */
  get mostNanoUsd(): NanoUsd {
    this.#mostNanoUsd ??= usdToNano(this.#question.request.limits?.usd ?? 0);
    return this.#mostNanoUsd;
  }

  /** NaN if the price is unknown. */
  costOf(deployment: Deployment): number {
    this.#prices ??= pricesFor(this.#question.registry.columns, this.#question);
    this.nanoUsd = expectedCostIn(this.#prices, this.#question, deployment);
    return this.nanoUsd;
  }

  /** The main parts of the tags that the request requires. */
  get languages(): readonly string[] {
    this.#languages ??= (this.#question.request.requires?.languages ?? []).map(mainLanguage);
    return this.#languages;
  }

  unknownField(deployment: Deployment): string | undefined {
    this.#apart ??= (this.#question.needs.choice.strengths ?? NO_FIELDS).filter(isApart);
    return this.#apart.length === 0 ? undefined : unknownField(deployment, this.#apart, this.#question.nowMs);
  }

  qualityOf(deployment: Deployment): number {
    const { registry, needs, nowMs } = this.#question;
    this.#fields ??= fieldsOf(registry.columns, needs.choice.strengths);
    this.quality = qualityOf(deployment, this.#fields, nowMs);
    return this.quality;
  }

  latencyOf(deployment: Deployment): number | undefined {
    this.p95Ms = expectedLatency(deployment, this.#question.nowMs);
    return this.p95Ms;
  }
}

/** What a request may ask of a deployment. */
export interface Rule {
  /** False where the request asks for nothing of the kind: no deployment is then checked. @default true */
  readonly applies?: (question: Negotiation) => boolean;
  readonly fails: (deployment: Deployment, question: Negotiation, measures: Measures) => boolean;
  /** What a deployment fails, as a predicate with its values, such as `is retired`. */
  readonly says: (deployment: Deployment, question: Negotiation, measures: Measures) => string;
}

const excluded: Rule = {
  applies: ({ exclude }) => exclude !== undefined,
  fails: ({ target, provider }, { exclude }) => exclusion(exclude, target, provider) !== undefined,
  says: ({ target, provider }, { exclude }) => exclusion(exclude, target, provider) ?? '',
};

const operation: Rule = {
  fails: ({ card }, { request }) => !card.operations.includes(request.operation),
  says: ({ card }, { request }) =>
    `does not support "${request.operation}" (it supports ${card.operations.join(', ')})`,
};

const capabilities: Rule = {
  fails: ({ mask }, question) => missingFrom(mask, question) !== 0,
  says: ({ mask }, question) => `lacks ${capabilitiesOf(missingFrom(mask, question)).join(', ')}`,
};

const TOOLS = maskOf(['tools', 'tool-choice', 'parallel-tools']);

function missingFrom(mask: number, { needs, relaxed }: Negotiation): number {
  const missing = needs.mask & ~mask;
  if (missing === 0 || relaxed?.tools !== true) return missing;
  // A caller who names tools among the capabilities wants a model that has them.
  return missing & (~TOOLS | maskOf(needs.choice.can ?? []));
}

const toolSchemas: Rule = {
  applies: ({ request }) => request.operation === 'chat' && request.tools !== undefined,
  fails: ({ card: { toolSupport } }, { request }) =>
    toolSupport?.otherwise === 'refuse' &&
    request.operation === 'chat' &&
    unsupportedTools(request, toolSupport).length > 0,
  says: ({ card: { toolSupport = {} } }, { request }) =>
    (request.operation === 'chat' ? unsupportedTools(request, toolSupport)[0] : undefined) ?? '',
};

const dedication: Rule = {
  fails: ({ card: { dedicatedTo } }, { needs }) =>
    dedicatedTo !== undefined && (needs.mask & maskOf([dedicatedTo])) === 0,
  says: ({ card }) => `is made for ${card.dedicatedTo} only`,
};

/** Whoever names a model may know better than its card, and its provider says for nothing whether it is there: see `endedWarning`. */
const lifecycle: Rule = {
  applies: ({ needs }) => needs.choice.id === undefined,
  fails: hasEnded,
  says: ({ card }) => endOf(card),
};

const outputLength: Rule = {
  fails: ({ card }, { request }) => !(answerOf(request) <= card.maxOutputTokens),
  says: ({ card }, { request }) =>
    `answers with at most ${card.maxOutputTokens} tokens, but the request asks for ${answerOf(request)}`,
};

const contextWindow: Rule = {
  fails(deployment, question) {
    const { card } = deployment;
    const { request, needs, relaxed } = question;
    if (requiredWindow(request) > card.contextTokens) return true;
    if (relaxed?.window === true) return false;
    // The bound by bytes costs nothing, the estimate reads the whole prompt.
    if (needs.size.upperTokens + answerOf(request) <= card.contextTokens) return false;
    return !(neededWindow(deployment, question) <= card.contextTokens);
  },
  says(deployment, question) {
    const { card } = deployment;
    const required = requiredWindow(question.request);
    const why =
      required > card.contextTokens ? `requires ${required}` : `needs about ${neededWindow(deployment, question)}`;
    return `has a context window of ${card.contextTokens} tokens, but the request ${why}`;
  },
};

const retention: Rule = {
  applies: ({ request }) => request.requires?.retention === 'none',
  fails: ({ card }) => card.retention !== 'none',
  says: ({ card }) => `keeps data (retention "${card.retention}"), but the request requires retention "none"`,
};

/**
 * Regulated data goes only to targets that keep nothing. Personal data may also go to a target that keeps it in a region
 * named by the caller. Neither may go to a target with unknown retention.
 */
const sensitivity: Rule = {
  applies: ({ request }) => request.sensitivity === 'personal' || request.sensitivity === 'regulated',
  fails({ card, target }, { request: { sensitivity: level, requires } }) {
    if (card.retention === 'none') return false;
    const isNamed = requires?.regions !== undefined && !runsElsewhere(card, target.region, requires);
    return !(level === 'personal' && card.retention === 'provider' && isNamed);
  },
  says: ({ card }, { request }) =>
    `keeps data (retention "${card.retention}"), which is not allowed for ${request.sensitivity} data`,
};

const regions: Rule = {
  applies: ({ request }) => request.requires?.regions !== undefined,
  fails: ({ card, target }, { request: { requires = {} } }) => runsElsewhere(card, target.region, requires),
  says: ({ card, target }, { request }) =>
    `runs in ${regionsOf(card, target.region).join(', ') || 'an unknown region'}, but the request requires ${request.requires?.regions?.join(' or ')}`,
};

const languages: Rule = {
  applies: ({ request }) => request.requires?.languages !== undefined,
  fails: ({ figures: { languages: spoken } }, _question, measures) =>
    spoken !== undefined && lacksOne(spoken, measures.languages),
  says({ figures: { languages: spoken = [] } }, { request }) {
    const missing = request.requires?.languages?.filter((tag) => !spoken.includes(mainLanguage(tag)));
    return `does not claim support for ${missing?.join(', ')}`;
  },
};

const quality: Rule = {
  applies: ({ request }) => request.limits?.quality !== undefined,
  fails(deployment, { request: { limits } }, measures) {
    if (measures.unknownField(deployment) !== undefined) return true;
    return !(measures.qualityOf(deployment) >= (limits?.quality ?? 0));
  },
  says(deployment, { request }, measures) {
    const least = request.limits?.quality;
    const unknown = measures.unknownField(deployment);
    if (unknown !== undefined)
      return `has an unknown ${unknown}, but the request asks for a quality of at least ${least}`;
    const reached = measures.qualityOf(deployment).toFixed(2);
    return `has quality ${reached}, but the request asks for at least ${least}`;
  },
};

/** What the scores of a target must count for together, each half after a day, so that their mean says something. */
const LEAST_SCORES = 10;

const accuracy: Rule = {
  applies: ({ request }) => request.limits?.accuracy !== undefined,
  fails(deployment, { request: { limits }, needs, nowMs }) {
    const { mean, scores } = accuracyOf(deployment, needs.choice.strengths, nowMs);
    return scores < LEAST_SCORES || !(mean >= (limits?.accuracy ?? 0));
  },
  says(deployment, { request, needs, nowMs }) {
    const least = request.limits?.accuracy;
    const { mean, scores } = accuracyOf(deployment, needs.choice.strengths, nowMs);
    if (scores < LEAST_SCORES)
      return `has an unknown accuracy (${Math.floor(scores)} of the ${LEAST_SCORES} that its scores must count for), but the request asks for at least ${least}`;
    return `has an accuracy of ${mean.toFixed(3)} by its scores, but the request asks for at least ${least}`;
  },
};

const latency: Rule = {
  applies: ({ request }) => request.limits?.p95Ms !== undefined,
  fails(deployment, { request: { limits } }, measures) {
    const expected = measures.latencyOf(deployment);
    return expected === undefined ? limits?.unknownLatency === 'refuse' : !(expected <= (limits?.p95Ms ?? 0));
  },
  says(deployment, { request, nowMs }) {
    const most = request.limits?.p95Ms;
    const expected = expectedLatency(deployment, nowMs);
    if (expected === undefined)
      return `has an unknown latency, but the request allows at most ${most} ms and refuses unknown ones (limits.unknownLatency)`;
    return `has a 95th percentile latency of ${Math.round(expected)} ms, but the request allows at most ${most} ms`;
  },
};

const cost: Rule = {
  applies: ({ request }) => request.limits?.usd !== undefined,
  fails(deployment, { config }, measures) {
    const expected = measures.costOf(deployment);
    if (Number.isNaN(expected)) return config.allowUnpriced !== true;
    return !(expected <= measures.mostNanoUsd);
  },
  says(deployment, { request }, measures) {
    const expected = measures.costOf(deployment);
    if (!Number.isNaN(expected)) return tooExpensive(expected, request, deployment.card);
    return `has no known price, but the request may cost at most $${request.limits?.usd} (allowUnpriced accepts it)`;
  },
};

/** The cheapest rules come first, because the first that fails decides. */
export const RULES: readonly Rule[] = [
  excluded,
  operation,
  capabilities,
  dedication,
  lifecycle,
  toolSchemas,
  outputLength,
  contextWindow,
  retention,
  sensitivity,
  regions,
  languages,
  quality,
  accuracy,
  latency,
  cost,
];

/** Of the rules that hold for every request: true where a deployment certainly fails none of them. Most candidates are decided by it. */
export function isPlainlyAble({ card, figures, mask }: Deployment, { request, needs, nowMs }: Negotiation): boolean {
  const answer = answerOf(request);
  return (
    card.operations.includes(request.operation) &&
    (needs.mask & ~mask) === 0 &&
    card.dedicatedTo === undefined &&
    figures.endsAt > nowMs &&
    answer <= card.maxOutputTokens &&
    requiredWindow(request) <= card.contextTokens &&
    needs.size.upperTokens + answer <= card.contextTokens
  );
}

/** The rules that it decides. */
export const PLAIN: ReadonlySet<Rule> = new Set([
  ...[operation, capabilities, dedication, lifecycle, outputLength, contextWindow],
]);

/** What a model can do at all, whatever this request allows. */
export const ABILITIES: readonly Rule[] = [operation, capabilities, dedication, lifecycle];

// ---------------------------------------------------------------------------------------------------- what rules compare

export function hasEnded({ figures }: Deployment, { nowMs }: Negotiation): boolean {
  return figures.endsAt <= nowMs;
}

export const endOf = ({ lifecycle }: ModelCard): string =>
  lifecycle?.stage === 'retired' ? 'is retired' : `was retired on ${lifecycle?.endsOn}`;

const answerOf = (request: ModelRequest): number => (request.operation === 'chat' ? (request.maxOutputTokens ?? 0) : 0);

const requiredWindow = (request: ModelRequest): number => request.requires?.contextTokens ?? 0;

/** What was learned of the model counts once it has learned something; it knows no single text. */
function neededWindow(deployment: Deployment, { request, needs: { size }, nowMs }: Negotiation): number {
  if (size.longest !== undefined) return estimateTokens(size.longest) + answerOf(request);
  const isLearned = deployment.statistics.tokenRatio.of(nowMs) !== 1;
  return (isLearned ? expectedInput(size, deployment, nowMs) : size.exactTokens()) + answerOf(request);
}

/** A deployment without a region of its own may run in any region of its card, so all of them must be allowed. */
function runsElsewhere(card: ModelCard, region: string | undefined, { regions: allowed }: Requirements): boolean {
  if (allowed === undefined || allowed.length === 0) return false;
  const where = regionsOf(card, region);
  return where.length === 0 || lacksOne(allowed, where);
}

/** A loop, because routing asks it of each candidate. */
function lacksOne(given: readonly string[], wanted: readonly string[]): boolean {
  for (const one of wanted) if (!given.includes(one)) return true;
  return false;
}

const regionsOf = (card: ModelCard, region: string | undefined): readonly string[] =>
  region === undefined ? (card.regions ?? []) : [region];

/** The 95th percentile in milliseconds, as observed or as the card states it; undefined while nobody knows. */
export function expectedLatency(
  { card, statistics }: Pick<Deployment, 'card' | 'statistics'>,
  nowMs: number,
): number | undefined {
  return (statistics.isObserved ? statistics.total.quantile(0.95, nowMs) : undefined) ?? card.expectedMs;
}

function tooExpensive(expected: NanoUsd, request: ModelRequest, card: ModelCard): string {
  const length = outputCeiling(request, card);
  const limit = formatUsd(usdToNano(request.limits?.usd ?? 0));
  return `costs about ${formatUsd(expected)} (answer of at most ${length} tokens), but the request allows at most ${limit}`;
}
