/**
 * Anthropic over the Messages API. Key: ANTHROPIC_API_KEY, read at each request; ANTHROPIC_BASE_URL, where set, is its base
 * URL (without `/v1`, as in the vendor's own clients).
 */
import {
  apiKeysOf,
  cardsOf,
  definePlugin,
  httpProvider,
  type Provider,
  type Target,
  type VendorOptions,
} from 'polyphony/kit';
import { MODELS } from './anthropic/cards.ts';
import { CHAT, undescribed } from './anthropic/facts.ts';
import { authorisation, messagesWire } from './anthropic/wire.ts';

export interface AnthropicOptions extends VendorOptions {
  /** URL up to and including the version. @default 'https://api.anthropic.com/v1' */
  readonly baseURL?: string | ((target: Target) => string);
}

/** @throws invalid-config when an option is malformed */
export function anthropic(options: AnthropicOptions = {}): Provider {
  const { id = 'anthropic', baseURL = addressOf, models = MODELS, apiKey, apiKeys, ...rest } = options;
  return httpProvider({
    ...rest,
    id,
    wire: messagesWire,
    baseURL,
    models: cardsOf(models, CHAT, undescribed),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'ANTHROPIC_API_KEY'),
    missingKey: 'set ANTHROPIC_API_KEY, or pass apiKey.',
    probe: (context) => ({ url: `${context.baseURL}/models?limit=1`, headers: authorisation(context.apiKey) }),
  });
}

const addressOf = (): string =>
  `${(process.env.ANTHROPIC_BASE_URL || 'https://api.anthropic.com').replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`;

export default definePlugin({ name: 'anthropic', providers: [anthropic()] });
