/** What a request asks of deployments, and what they are compared with. */
import type { Config } from '../../core/config.ts';
import type { ModelRequest, Target } from '../../core/model/model.ts';
import { type NanoUsd, usdToNano } from '../../core/money/money.ts';
import { isApart } from '../../kit/models/strengths.ts';
import type { Needs } from '../calls/requirements.ts';
import { ExpectedCosts } from './estimate.ts';
import { mainLanguage } from './figures/card-figures.ts';
import { accuracyOf, type Fields, fieldsOf, qualityOf, unknownField } from './figures/posterior.ts';
import type { Deployment, Registry } from './registry.ts';
import type { Relaxed } from './tools/relaxed.ts';

export interface Negotiation {
  readonly request: ModelRequest;
  /** The result of `needsOf` for the request. */
  readonly needs: Needs;
  readonly registry: Registry;
  readonly config: Config;
  readonly nowMs: number;
  /** What the usual price of a target is multiplied by, as long as a commitment covers it. @default 1 */
  readonly committed?: ((target: Target) => number) | undefined;
  /** What the request would wait for. @default nothing, anywhere */
  readonly waits?: Waits | undefined;
  /** Targets that the call must not use. */
  readonly exclude?: readonly Target[] | undefined;
  /** What a target may lack, because the request is adapted to it. @default nothing */
  readonly relaxed?: Relaxed | undefined;
}

/** What a request would wait for at a deployment before it is sent. Asked only for those that are compared. */
export interface Waits {
  /** Milliseconds until the announced limits have room, or the endpoint need not be left alone any more; 0: now. */
  limitsMs(deployment: Deployment): number;
  /** As many answers of usual length end before the request gets a slot, where all are taken: a fraction mostly. 0: one is free. */
  answersBefore(deployment: Deployment): number;
}

/** Milliseconds for both. `usualMs`: what an answer usually takes; NaN: nobody knows, and nothing is assumed for slots. */
export function waitAt(waits: Waits, deployment: Deployment, usualMs: number): number {
  const limitsMs = waits.limitsMs(deployment);
  const slotMs = waits.answersBefore(deployment) * usualMs;
  return slotMs > limitsMs ? slotMs : limitsMs;
}

const NO_FIELDS: readonly string[] = [];
/** What the scores of a target must count for together, each half after a day, so that their mean says something. */
export const LEAST_SCORES = 10;

/** What deployments are compared with: found once for all of them, and only where a rule needs it. */
export class Measures {
  /** What was found of the deployment that was looked at last; each is valid where the request has its limit. */
  quality = Number.NaN;
  /** Nano-dollars; NaN if the price is unknown. */
  nanoUsd = Number.NaN;
  /** NaN while nobody knows. */
  p95Ms = Number.NaN;
  readonly #question: Negotiation;
  readonly #limits: NonNullable<ModelRequest['limits']>;
  readonly #expectedMs: Float64Array;
  #languages: readonly string[] | undefined;
  #apart: readonly string[] | undefined;
  #fields: Fields | undefined;
  #costs: ExpectedCosts | undefined;
  #mostNanoUsd: NanoUsd | undefined;

  constructor(question: Negotiation) {
    this.#question = question;
    this.#limits = question.request.limits ?? NO_LIMITS;
    this.#expectedMs = question.registry.columns.facts().expectedMs;
  }

  /** The main parts of the tags that the request requires. */
  get languages(): readonly string[] {
    this.#languages ??= (this.#question.request.requires?.languages ?? []).map(mainLanguage);
    return this.#languages;
  }

  /** Whether it keeps every limit of the request. @throws invalid-request for a limit that is no amount */
  isWithin(deployment: Deployment): boolean {
    const { quality, accuracy, p95Ms, usd } = this.#limits;
    if (quality !== undefined && this.isTooPoor(deployment)) return false;
    if (accuracy !== undefined && this.isTooWrong(deployment)) return false;
    if (p95Ms !== undefined && this.isTooSlow(deployment)) return false;
    return usd === undefined || !this.isTooDear(deployment);
  }

  isTooPoor(deployment: Deployment): boolean {
    if (this.unknownField(deployment) !== undefined) return true;
    return !(this.qualityOf(deployment) >= (this.#limits.quality ?? 0));
  }

  isTooWrong(deployment: Deployment): boolean {
    const { needs, nowMs } = this.#question;
    const { mean, scores } = accuracyOf(deployment, needs.choice.strengths, nowMs);
    return scores < LEAST_SCORES || !(mean >= (this.#limits.accuracy ?? 0));
  }

  isTooSlow(deployment: Deployment): boolean {
    this.p95Ms = this.#latencyOf(deployment);
    if (Number.isNaN(this.p95Ms)) return this.#limits.unknownLatency === 'refuse';
    return !(this.p95Ms <= (this.#limits.p95Ms ?? 0));
  }

  isTooDear(deployment: Deployment): boolean {
    const expected = this.costOf(deployment);
    if (Number.isNaN(expected)) return this.#question.config.allowUnpriced !== true;
    this.#mostNanoUsd ??= usdToNano(this.#limits.usd ?? 0);
    return !(expected <= this.#mostNanoUsd);
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

  /** NaN if the price is unknown. */
  costOf(deployment: Deployment): number {
    this.#costs ??= new ExpectedCosts(this.#question.registry.columns, this.#question);
    this.nanoUsd = this.#costs.of(deployment);
    return this.nanoUsd;
  }

  /** `expectedLatency`, NaN while nobody knows. */
  #latencyOf({ row, statistics }: Deployment): number {
    const observed = statistics.isObserved ? statistics.total.quantile(0.95, this.#question.nowMs) : undefined;
    return observed ?? this.#expectedMs[row] ?? Number.NaN;
  }
}

const NO_LIMITS = {};

/** The 95th percentile in milliseconds, as observed or as the card states it; undefined while nobody knows. */
export function expectedLatency(
  { card, statistics }: Pick<Deployment, 'card' | 'statistics'>,
  nowMs: number,
): number | undefined {
  return (statistics.isObserved ? statistics.total.quantile(0.95, nowMs) : undefined) ?? card.expectedMs;
}

// ---------------------------------------------------------------------------------------------------- what was found

/**
 * What the limits of a decision have found of its candidates, so that their scores need not find it again. A decision is synchronous, so
 * the columns of the last one are enough. Whoever scores other candidates finds nothing here, nor does a decision within which another one
 * was made.
 */
export interface FoundFigures {
  /** Valid where the request limits the quality, as the others where it limits theirs. */
  readonly quality: Float64Array;
  /** NaN where the price is unknown. */
  readonly nanoUsd: Float64Array;
  /** 1 where nobody knows the latency. */
  readonly isUnknown: Uint8Array;
}

/** Fewer candidates are not worth it. */
const FEWEST = 8;

const FIRST_SIZE = 64;

/** Undefined while a decision uses them. One that begins within it, because a tokenizer asks the gateway, has columns of its own. */
let figures: FoundFigures | undefined;
/** Whose they are. No candidate is kept alive for it. */
let latest: WeakRef<readonly object[]> | undefined;

function columnsOf(size: number): FoundFigures {
  return { quality: new Float64Array(size), nanoUsd: new Float64Array(size), isUnknown: new Uint8Array(size) };
}

function held(): FoundFigures | undefined {
  const found = figures;
  figures = undefined;
  latest = undefined;
  return found;
}

/** Columns to be filled, for up to so many candidates. */
export function figuresFor(count: number): FoundFigures {
  const before = held();
  return before !== undefined && count <= before.quality.length ? before : columnsOf(Math.max(FIRST_SIZE, 2 * count));
}

/** They are those of these candidates, or of nobody. */
export function keepFigures(found: FoundFigures, able: readonly object[] = NOBODY): void {
  figures = found;
  latest = able.length >= FEWEST ? new WeakRef(able) : undefined;
}

const NOBODY: readonly object[] = [];

/** Undefined where nothing was found of them. Whoever has read them gives them back with `keepFigures`. */
export const takeFigures = (able: readonly object[]): FoundFigures | undefined =>
  latest !== undefined && latest.deref() === able ? held() : undefined;
