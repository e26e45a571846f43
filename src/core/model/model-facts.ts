/**
 * What was measured of models, as the catalogue and a file of the user state it. Every figure names its sources; a field
 * that is absent is unknown, never good. docs/reference/models.md explains the figures.
 */

export { STRENGTH_FIELDS } from './request.ts';

/** One strength, 0 to 1 on the measured scale: 0.40 is a good small model of 2024, 0.85 the best of early 2026. */
export interface MeasuredStrength {
  readonly value: number;
  /** Measurements that it rests on. */
  readonly observations: number;
  /** Names in `ModelCatalogue.sources`. */
  readonly sources: readonly string[];
}

/** What is known of a model wherever it is hosted. */
export interface ModelFacts {
  readonly strengths: Readonly<Record<string, MeasuredStrength>>;
  /** BCP 47 tags of the languages in which it was measured; says nothing about others. @default none */
  readonly measuredLanguages?: readonly string[];
}

/** How fast a host answers. Means, not percentiles. */
export interface SpeedFacts {
  /** Milliseconds until the first token. @default unknown */
  readonly firstTokenMs?: number;
  /** Tokens a second after it. @default unknown */
  readonly tokensPerSecond?: number;
  /** Milliseconds of an answer of 60 tokens. */
  readonly expectedMs: number;
  /** `measured`: both parts; `rate-measured`: the first token is assumed; `mean-call`: the mean of tool calls. */
  readonly basis: 'measured' | 'rate-measured' | 'mean-call';
  readonly sources: readonly string[];
}

/** Dates as YYYY-MM-DD, or YYYY-MM where the day is not known. */
export interface LifecycleFacts {
  readonly stage: 'preview' | 'stable' | 'deprecated' | 'retired';
  readonly released?: string;
  /** The date up to which it has learned. */
  readonly knowledge?: string;
  readonly endsOn?: string;
  /** It does not end before this date. */
  readonly notBefore?: string;
  /** The model that the vendor names instead. */
  readonly replacement?: string;
  readonly sources: readonly string[];
}

/** A statement of a vendor's page, with the day or month of the page. */
interface Stated {
  /** The address of the page. */
  readonly source: string;
  /** YYYY-MM-DD, or YYYY-MM where the day is not known. */
  readonly date: string;
}

/** Whether the text of requests and answers is kept, unless the vendor agreed to something else. */
export interface RetentionFacts extends Stated {
  readonly keeps: 'none' | 'provider';
  /** For at most so many days, what law or abuse makes it keep longer aside. @default the page names no number */
  readonly days?: number;
}

export interface RegionFacts extends Stated {
  /** Where requests are answered, as the vendor names it; `global`: anywhere. @default unknown */
  readonly runs?: readonly string[];
  /** Where what is kept lies. @default unknown */
  readonly keptIn?: readonly string[];
}

/** What a vendor's pages say of its service. */
export interface HostFacts {
  /** @default unknown */
  readonly retention?: RetentionFacts;
  /** @default unknown */
  readonly regions?: RegionFacts;
}

/** What is known of a model at one provider. */
export interface CardFacts {
  /** Its name in `ModelCatalogue.models`, which may lack it. */
  readonly model: string;
  readonly speed?: SpeedFacts;
  readonly lifecycle?: LifecycleFacts;
  /** Where it differs from that of its host; `unknown`: what the host's page says was not said of this model. @default that of its host */
  readonly retention?: RetentionFacts | 'unknown';
}

export interface SourceTerms {
  readonly from: string;
  readonly date: string;
  readonly licence: string;
}

export interface ModelCatalogue {
  /** The date of the facts, YYYY-MM-DD. */
  readonly version: string;
  readonly sources: Readonly<Record<string, SourceTerms>>;
  /** By the model's own name. */
  readonly models: Readonly<Record<string, ModelFacts>>;
  /** By `provider/model`. */
  readonly cards: Readonly<Record<string, CardFacts>>;
  /** By provider. */
  readonly hosts: Readonly<Record<string, HostFacts>>;
}
