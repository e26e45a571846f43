/** A complete provider on the chat-completions wire from its address, the name of its key and its quirks. */

import { defined } from '../../../core/defined.ts';
import type { Target } from '../../../core/model/model.ts';
import type { BilledSearches, ModelCard, Provider, WireFormat } from '../../../core/model/provider.ts';
import { apiKeysOf } from '../../http/api-keys.ts';
import { httpProvider } from '../../http/http-provider.ts';
import type { VendorOptions } from '../../http/vendor-options.ts';
import { type ModelCardFields, modelCard } from '../../models/model-card.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { authorisation, chatCompletionsWire } from './wire.ts';

export interface ChatCompletionsProviderOptions extends VendorOptions {
  /** `[a-z][a-z0-9-]*`: the first half of `provider/model`. */
  readonly id: string;
  /** Up to and including the version: `https://host/v1`. */
  readonly baseURL: string | ((target: Target) => string);
  /** The environment variable that is read for each request if no key is given. A provider that names one needs a key. */
  readonly keyVariable?: string;
  /** @default true when `keyVariable` is set */
  readonly requiresKey?: boolean;
  /** An id makes a card with the usual capabilities and no price. @default none */
  readonly models?: readonly (string | ModelCardFields)[];
  /** Accepts models that are not listed. @default true */
  readonly unlisted?: boolean | ((id: string) => ModelCard);
  readonly quirks?: ChatCompletionsQuirks;
  /** Another wire for some operations, around this one. @default this one */
  readonly wire?: (chatCompletions: WireFormat) => WireFormat;
  /** There is a list of models at `/models`, which is used as the probe. @default true */
  readonly listsModels?: boolean;
  /** See `HttpProviderOptions`. @default true */
  readonly listedPrices?: boolean;
  readonly regions?: readonly string[];
  /** See `Provider`. @default none are known of */
  readonly searches?: BilledSearches;
}

/** Options of a vendor's provider. */
export type ChatCompletionsVendorOptions = Partial<
  Omit<ChatCompletionsProviderOptions, 'id' | 'quirks' | 'keyVariable' | 'requiresKey' | 'wire' | 'listsModels'>
>;

/** A model without a card may be asked for any operation; its answer shows whether it can. */
const UNDESCRIBED = { operations: ['chat', 'embed', 'image', 'moderate'] } as const;

/** @throws invalid-config when the id is invalid */
export function chatCompletionsProvider(options: ChatCompletionsProviderOptions): Provider {
  const {
    id,
    keyVariable,
    quirks = {},
    unlisted = true,
    models = [],
    headers,
    concurrency,
    regions,
    onRateLimits,
    embeddingBatch,
  } = options;
  const remedy = `set ${keyVariable ?? 'its environment variable'}, or pass apiKey.`;
  const needsKey = options.requiresKey ?? keyVariable !== undefined;
  const own = chatCompletionsWire(quirks);
  return httpProvider({
    id,
    wire: options.wire === undefined ? own : options.wire(own),
    baseURL: options.baseURL,
    models: models.map((model) => modelCard(typeof model === 'string' ? { id: model } : model)),
    apiKeys: apiKeysOf(options, ...(keyVariable === undefined ? [] : [keyVariable])),
    ...(needsKey ? { missingKey: remedy } : {}),
    ...(unlisted === false ? {} : { unlisted: typeof unlisted === 'function' ? unlisted : undescribed }),
    ...defined({
      headers,
      concurrency,
      regions,
      onRateLimits,
      embeddingBatch,
      listedPrices: options.listedPrices,
      searches: options.searches,
    }),
    ...(options.listsModels === false
      ? {}
      : { probe: ({ baseURL, apiKey }) => ({ url: `${baseURL}/models`, headers: authorisation(quirks, apiKey) }) }),
  });
}

const undescribed = (id: string): ModelCard => modelCard({ id, ...UNDESCRIBED });
