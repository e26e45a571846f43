/** What a user may set of the provider of any vendor over HTTP; a vendor adds what is its own. */
import type { Target } from '../../core/model/model.ts';
import type { ModelCard, RateLimit } from '../../core/model/provider.ts';
import { type ModelCardFields, modelCard } from '../models/model-card.ts';

export interface VendorOptions {
  /** The first half of `provider/model`. @default the vendor's name */
  readonly id?: string;
  /** @default what the environment names */
  readonly apiKey?: string;
  /** Several keys to rotate over. */
  readonly apiKeys?: readonly string[];
  /** @default the vendor's address */
  readonly baseURL?: string | ((target: Target) => string);
  /** Instead of the models that are known; an id alone makes a card without a price. */
  readonly models?: readonly (string | ModelCardFields)[];
  /** Sent with every request, over those of the wire. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at once. @default 64 */
  readonly concurrency?: number;
  /** Called after every answer that states limits, good or bad; what it throws is ignored. The gateway hears of limits without it. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
}

/** Whole cards: `shared` is what the vendor's models have in common, `undescribed` a card of an id alone. */
export const cardsOf = (
  models: readonly (string | ModelCardFields)[],
  shared: Partial<ModelCardFields>,
  undescribed: (id: string) => ModelCard,
): readonly ModelCard[] =>
  models.map((model) => (typeof model === 'string' ? undescribed(model) : modelCard({ ...shared, ...model })));
