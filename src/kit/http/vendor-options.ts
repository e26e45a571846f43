/** Options of any vendor's provider over HTTP; a vendor adds its own. */
import type { Target } from '../../core/model/model.ts';
import type { EmbeddingBatch, ModelCard, RateLimit } from '../../core/model/provider.ts';
import type { Secret } from '../../system/secret.ts';
import { type ModelCardFields, modelCard } from '../models/model-card.ts';

export interface VendorOptions {
  /** The first half of `provider/model`. @default the vendor's name */
  readonly id?: string;
  /** The key, `env:NAME`, `file:PATH`, or a function that is called for each request. @default the key in the environment */
  readonly apiKey?: Secret;
  /** Several keys that the gateway rotates over. @default apiKey */
  readonly apiKeys?: readonly Secret[];
  /** Without a user or a password: give those as a header. @default the vendor's address */
  readonly baseURL?: string | ((target: Target) => string);
  /** Replaces the known models; an id makes a card without a price. @default the known models */
  readonly models?: readonly (string | ModelCardFields)[];
  /** Sent with every request; they replace headers of the wire. Names in any case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at the same time. @default 64 */
  readonly concurrency?: number;
  /** What one request for embeddings may hold: more is sent in several, and `embeddingBatch` of a card counts more. @default the vendor's limit */
  readonly embeddingBatch?: EmbeddingBatch | ((card: ModelCard) => EmbeddingBatch | undefined);
  /** Called after every answer or refusal that states limits; its errors are ignored. The gateway gets limits without it. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => unknown;
}

/** Complete cards: `shared` has the common fields of the vendor's models, `undescribed` makes a card from an id. */
export const cardsOf = (
  models: readonly (string | ModelCardFields)[],
  shared: Partial<ModelCardFields>,
  undescribed: (id: string) => ModelCard,
): readonly ModelCard[] =>
  models.map((model) => (typeof model === 'string' ? undescribed(model) : modelCard({ ...shared, ...model })));
