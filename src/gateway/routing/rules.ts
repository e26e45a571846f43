/** The rules by which a deployment satisfies a request or does not, each with the sentence that says why not. */
import type { ModelRequest, Requirements, Target } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { formatUsd, type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { estimateTokens } from '../../kit/models/tokens.ts';
import { capabilitiesOf, maskOf } from '../calls/requirements.ts';
import { exclusion } from './arrangement/exclude.ts';
import { likelyInput, outputCeiling } from './estimate.ts';
import type { FactColumns } from './figures/card-columns.ts';
import { type CardFigures, type CardTerms, mainLanguage } from './figures/card-figures.ts';
import { accuracyOf } from './figures/posterior.ts';
import { expectedLatency, LEAST_SCORES, type Measures, type Negotiation } from './negotiation.ts';
import type { Deployment } from './registry.ts';
import { unsupportedTools } from './tools/tool-support.ts';

/** What a request may ask of a deployment. */
export interface Rule {
  /** False where the request asks for nothing of the kind: no deployment is then checked. @default true */
  readonly applies?: (question: Negotiation) => boolean;
  /** It reads nothing of a deployment but its terms, so what it finds holds for all that have the same. @default false */
  readonly byTerms?: true;
  /** It is a limit: see `Measures.isWithin`. @default false */
  readonly isLimit?: true;
  readonly fails: (deployment: Deployment, question: Negotiation, measures: Measures) => boolean;
  /** What a deployment fails, as a predicate with its values, such as `is retired`. */
  readonly says: (deployment: Deployment, question: Negotiation, measures: Measures) => string;
}

/** What rules by terms may read: all of it is in `Deployment.terms`. */
interface OnTerms {
  readonly target: Pick<Target, 'region'>;
  readonly card: CardTerms;
  readonly mask: number;
  readonly figures: Pick<CardFigures, 'languages'>;
}
interface TermRule extends Pick<Rule, 'applies' | 'says'> {
  readonly fails: (deployment: OnTerms, question: Negotiation, measures: Measures) => boolean;
}
const onTerms = (rule: TermRule): Rule => ({ ...rule, byTerms: true });

const excluded: Rule = {
  applies: ({ exclude }) => exclude !== undefined,
  fails: ({ target, provider }, { exclude }) => exclusion(exclude, target, provider) !== undefined,
  says: ({ target, provider }, { exclude }) => exclusion(exclude, target, provider) ?? '',
};

const operation = onTerms({
  fails: ({ card }, { request }) => !card.operations.includes(request.operation),
  says: ({ card }, { request }) =>
    `does not support "${request.operation}" (it supports ${card.operations.join(', ')})`,
});

const capabilities = onTerms({
  fails: ({ mask }, question) => missingFrom(mask, question) !== 0,
  says: ({ mask }, question) => `lacks ${capabilitiesOf(missingFrom(mask, question)).join(', ')}`,
});

const TOOLS = maskOf(['tools', 'tool-choice', 'parallel-tools']);

function missingFrom(mask: number, { needs, relaxed }: Negotiation): number {
  const missing = needs.mask & ~mask;
  if (missing === 0 || relaxed?.tools !== true) return missing;
  // A caller who names tools among the capabilities wants a model that has them.
  return missing & (~TOOLS | maskOf(needs.choice.can ?? []));
}

const toolSchemas = onTerms({
  applies: ({ request }) => request.operation === 'chat' && request.tools !== undefined,
  fails: ({ card: { toolSupport } }, { request }) =>
    toolSupport?.otherwise === 'refuse' &&
    request.operation === 'chat' &&
    unsupportedTools(request, toolSupport).length > 0,
  says: ({ card: { toolSupport = {} } }, { request }) =>
    (request.operation === 'chat' ? unsupportedTools(request, toolSupport)[0] : undefined) ?? '',
});

const dedication = onTerms({
  fails: ({ card: { dedicatedTo } }, { needs }) =>
    dedicatedTo !== undefined && (needs.mask & maskOf([dedicatedTo])) === 0,
  says: ({ card }) => `is made for ${card.dedicatedTo} only`,
});

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

const retention = onTerms({
  applies: ({ request }) => request.requires?.retention === 'none',
  fails: ({ card }) => card.retention !== 'none',
  says: ({ card }) => `keeps data (retention "${card.retention}"), but the request requires retention "none"`,
});

/**
 * Regulated data goes only to targets that keep nothing. Personal data may also go to a target that keeps it in a region
 * named by the caller. Neither may go to a target with unknown retention.
 */
const sensitivity = onTerms({
  applies: ({ request }) => request.sensitivity === 'personal' || request.sensitivity === 'regulated',
  fails({ card, target }, { request: { sensitivity: level, requires } }) {
    if (card.retention === 'none') return false;
    const isNamed = requires?.regions !== undefined && !runsElsewhere(card, target.region, requires);
    return !(level === 'personal' && card.retention === 'provider' && isNamed);
  },
  says: ({ card }, { request }) =>
    `keeps data (retention "${card.retention}"), which is not allowed for ${request.sensitivity} data`,
});

const regions = onTerms({
  applies: ({ request }) => request.requires?.regions !== undefined,
  fails: ({ card, target }, { request: { requires = {} } }) => runsElsewhere(card, target.region, requires),
  says: ({ card, target }, { request }) =>
    `runs in ${regionsOf(card, target.region).join(', ') || 'an unknown region'}, but the request requires ${request.requires?.regions?.join(' or ')}`,
});

const languages = onTerms({
  applies: ({ request }) => request.requires?.languages !== undefined,
  fails: ({ figures: { languages: spoken } }, _question, measures) =>
    spoken !== undefined && lacksOne(spoken, measures.languages),
  says({ figures: { languages: spoken = [] } }, { request }) {
    const missing = request.requires?.languages?.filter((tag) => !spoken.includes(mainLanguage(tag)));
    return `does not claim support for ${missing?.join(', ')}`;
  },
});

const quality: Rule = {
  isLimit: true,
  applies: ({ request }) => request.limits?.quality !== undefined,
  fails: (deployment, _question, measures) => measures.isTooPoor(deployment),
  says(deployment, { request }, measures) {
    const least = request.limits?.quality;
    const unknown = measures.unknownField(deployment);
    if (unknown !== undefined)
      return `has an unknown ${unknown}, but the request asks for a quality of at least ${least}`;
    const reached = measures.qualityOf(deployment).toFixed(2);
    return `has quality ${reached}, but the request asks for at least ${least}`;
  },
};

const accuracy: Rule = {
  isLimit: true,
  applies: ({ request }) => request.limits?.accuracy !== undefined,
  fails: (deployment, _question, measures) => measures.isTooWrong(deployment),
  says(deployment, { request, needs, nowMs }) {
    const least = request.limits?.accuracy;
    const { mean, scores } = accuracyOf(deployment, needs.choice.strengths, nowMs);
    if (scores < LEAST_SCORES)
      return `has an unknown accuracy (${Math.floor(scores)} of the ${LEAST_SCORES} that its scores must count for), but the request asks for at least ${least}`;
    return `has an accuracy of ${mean.toFixed(3)} by its scores, but the request asks for at least ${least}`;
  },
};

const latency: Rule = {
  isLimit: true,
  applies: ({ request }) => request.limits?.p95Ms !== undefined,
  fails: (deployment, _question, measures) => measures.isTooSlow(deployment),
  says(deployment, { request, nowMs }) {
    const most = request.limits?.p95Ms;
    const expected = expectedLatency(deployment, nowMs);
    if (expected === undefined)
      return `has an unknown latency, but the request allows at most ${most} ms and refuses unknown ones (limits.unknownLatency)`;
    return `has a 95th percentile latency of ${Math.round(expected)} ms, but the request allows at most ${most} ms`;
  },
};

const cost: Rule = {
  isLimit: true,
  applies: ({ request }) => request.limits?.usd !== undefined,
  fails: (deployment, _question, measures) => measures.isTooDear(deployment),
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

/**
 * Of the rules that compare one number of a card: true where a deployment certainly fails none of them. Nearly all candidates are
 * decided by it.
 */
export class PlainNumbers {
  readonly #facts: FactColumns;
  readonly #nowMs: number;
  readonly #answer: number;
  readonly #window: number;

  constructor({ registry, request, needs, nowMs }: Negotiation) {
    this.#facts = registry.columns.facts();
    this.#nowMs = nowMs;
    this.#answer = answerOf(request);
    this.#window = Math.max(requiredWindow(request), needs.size.upperTokens + this.#answer);
  }

  fit(row: number): boolean {
    const { endsAt, maxOutputTokens, contextTokens } = this.#facts;
    return (
      (endsAt[row] as number) > this.#nowMs &&
      this.#answer <= (maxOutputTokens[row] as number) &&
      this.#window <= (contextTokens[row] as number)
    );
  }
}

/** The rules that it decides. */
export const PLAIN: ReadonlySet<Rule> = new Set([lifecycle, outputLength, contextWindow]);

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

/** What was learned of the model knows no single text. */
function neededWindow(deployment: Deployment, { request, needs: { size }, nowMs }: Negotiation): number {
  if (size.longest !== undefined) return estimateTokens(size.longest) + answerOf(request);
  return likelyInput(size, deployment, nowMs) + answerOf(request);
}

/** A deployment without a region of its own may run in any region of its card, so all of them must be allowed. */
function runsElsewhere(card: CardTerms, region: string | undefined, { regions: allowed }: Requirements): boolean {
  if (allowed === undefined || allowed.length === 0) return false;
  const where = regionsOf(card, region);
  return where.length === 0 || lacksOne(allowed, where);
}

function lacksOne(given: readonly string[], wanted: readonly string[]): boolean {
  for (const one of wanted) if (!given.includes(one)) return true;
  return false;
}

const regionsOf = (card: CardTerms, region: string | undefined): readonly string[] =>
  region === undefined ? (card.regions ?? []) : [region];

function tooExpensive(expected: NanoUsd, request: ModelRequest, card: ModelCard): string {
  const length = outputCeiling(request, card);
  const limit = formatUsd(usdToNano(request.limits?.usd ?? 0));
  return `costs about ${formatUsd(expected)} (answer of at most ${length} tokens), but the request allows at most ${limit}`;
}
