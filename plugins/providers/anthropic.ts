/**
 * Anthropic over the Messages wire. Key: ANTHROPIC_API_KEY, read at each request; ANTHROPIC_BASE_URL, where set, says
 * where it belongs (without `/v1`, as the vendor's own clients have it).
 */
import { definePlugin, type Provider, type RateLimit, type Target } from 'polyphony';
import { apiKeysOf, httpProvider, type ModelCardFields, modelCard } from 'polyphony/kit';
import { MODELS } from './anthropic/cards.ts';
import { CHAT, undescribed } from './anthropic/facts.ts';
import { authorisation, messagesWire } from './anthropic/wire.ts';

export interface AnthropicOptions {
  /** The first half of `provider/model`. @default 'anthropic' */
  readonly id?: string;
  readonly apiKey?: string;
  /** Several keys to rotate over. */
  readonly apiKeys?: readonly string[];
  /** Up to and including the version. @default 'https://api.anthropic.com/v1' */
  readonly baseURL?: string | ((target: Target) => string);
  /** Instead of the models that are known; an id alone makes a card without a price. */
  readonly models?: readonly (string | ModelCardFields)[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at once. @default 64 */
  readonly concurrency?: number;
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
}

/** @throws invalid-config when an option is malformed */
export function anthropic(options: AnthropicOptions = {}): Provider {
  const { id = 'anthropic', baseURL = addressOf, models = MODELS, apiKey, apiKeys, ...rest } = options;
  return httpProvider({
    ...rest,
    id,
    wire: messagesWire,
    baseURL,
    models: models.map((model) => (typeof model === 'string' ? undescribed(model) : modelCard({ ...CHAT, ...model }))),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'ANTHROPIC_API_KEY'),
    missingKey: 'set ANTHROPIC_API_KEY, or pass apiKey.',
    probe: (context) => ({ url: `${context.baseURL}/models?limit=1`, headers: authorisation(context.apiKey) }),
  });
}

const addressOf = (): string =>
  `${(process.env.ANTHROPIC_BASE_URL || 'https://api.anthropic.com').replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`;

export default definePlugin({ name: 'anthropic', providers: [anthropic()] });
