/**
 * Anthropic over the Messages API. Key: ANTHROPIC_API_KEY, read at each request; ANTHROPIC_BASE_URL, where set, is its base
 * URL (without `/v1`, as in the vendor's own clients).
 */
import {
  apiKeysOf,
  type BilledSearches,
  boundOf,
  cardsOf,
  definePlugin,
  httpProvider,
  ownTools,
  type Provider,
  type Target,
  type VendorOptions,
} from 'polyphony/kit';
import { anthropicBatches } from './anthropic/batch.ts';
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
    searches: webSearches(id),
    batch: anthropicBatches,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'ANTHROPIC_API_KEY'),
    missingKey: 'set ANTHROPIC_API_KEY, or pass apiKey.',
    probe: (context) => ({ url: `${context.baseURL}/models?limit=1`, headers: authorisation(context.apiKey) }),
  });
}

/** Ten dollars for a thousand searches (platform.claude.com/docs, pricing); pages that are only fetched cost their tokens. */
const webSearches = (id: string): BilledSearches => ({
  fee: () => 0.01,
  most: (request) =>
    ownTools(request, id, ({ type }) => typeof type === 'string' && type.startsWith('web_search'))
      .map((tool) => boundOf(tool.max_uses))
      .reduce((sum, uses) => sum + uses, 0),
});

const addressOf = (): string =>
  `${(process.env.ANTHROPIC_BASE_URL || 'https://api.anthropic.com').replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`;

export default definePlugin({ name: 'anthropic', providers: [anthropic()] });
