/** A complete provider on the chat-completions wire from its address, the name of its key and its quirks. */

import { defined } from '../../../core/defined.ts';
import type { Target } from '../../../core/model/model.ts';
import type { BilledSearches, ModelCard, Provider, WireFormat } from '../../../core/model/provider.ts';
import { apiKeysOf } from '../../http/api-keys.ts';
import { type HttpProviderOptions, httpProvider } from '../../http/http-provider.ts';
import type { VendorOptions } from '../../http/vendor-options.ts';
import { type ModelCardFields, modelCard } from '../../models/model-card.ts';
import { listedModels } from './listed-models.ts';
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
  /** See `HttpProviderOptions`. @default it cannot */
  readonly batch?: HttpProviderOptions['batch'];
  /** See `HttpProviderOptions`. @default true */
  readonly listedPrices?: boolean;
  readonly regions?: readonly string[];
  /** See `Provider`. @default none are known of */
  readonly searches?: BilledSearches;
  /**
   * A server of your own on one machine: few requests at the same time, and it is asked for its models and their windows. A
   * function if it depends on the environment. The address alone decides nothing. @default false
   */
  readonly local?: boolean | (() => boolean);
  /** Its models cost nothing, unless their cards say otherwise. A function if it depends on the environment. @default false */
  readonly free?: boolean | (() => boolean);
}

/** Requests at the same time to a server on one machine: more of them wait in the server, until they time out. */
const LOCAL_CONCURRENCY = 4;
const DEFAULT_CONCURRENCY = 64;
const FREE = { input: 0, output: 0, source: 'a server of your own' } as const;

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
    regions,
    onRateLimits,
    embeddingBatch,
  } = options;
  const isLocal = asked(options.local);
  const isFree = asked(options.free);
  const shared = (): Partial<ModelCardFields> => (isFree() ? { price: FREE } : {});
  const cardOf = (model: string | ModelCardFields): ModelCard =>
    modelCard({ ...shared(), ...(typeof model === 'string' ? { id: model } : model) });
  const concurrency = options.concurrency ?? (() => (isLocal() ? LOCAL_CONCURRENCY : DEFAULT_CONCURRENCY));
  const remedy = `set ${keyVariable ?? 'its environment variable'}, or pass apiKey.`;
  const needsKey = options.requiresKey ?? keyVariable !== undefined;
  const own = chatCompletionsWire(quirks);
  return httpProvider({
    id,
    wire: options.wire === undefined ? own : options.wire(own),
    baseURL: options.baseURL,
    models: models.map(cardOf),
    apiKeys: apiKeysOf(options, ...(keyVariable === undefined ? [] : [keyVariable])),
    ...(needsKey ? { missingKey: remedy } : {}),
    ...(unlisted === false
      ? {}
      : { unlisted: typeof unlisted === 'function' ? unlisted : (name) => cardOf({ id: name, ...UNDESCRIBED }) }),
    ...defined({
      headers,
      concurrency,
      regions,
      onRateLimits,
      embeddingBatch,
      batch: options.batch,
      listedPrices: options.listedPrices,
      searches: options.searches,
    }),
    ...(options.local === undefined || options.local === false
      ? {}
      : {
          listing: async (context) => {
            if (!isLocal()) return undefined;
            const given = (apiKey: string | undefined) => authorisation(quirks, apiKey);
            return listedModels(context, { named: models, shared: shared(), headers: given });
          },
        }),
    ...(options.listsModels === false
      ? {}
      : { probe: ({ baseURL, apiKey }) => ({ url: `${baseURL}/models`, headers: authorisation(quirks, apiKey) }) }),
  });
}

const asked = (option: boolean | (() => boolean) | undefined): (() => boolean) =>
  typeof option === 'function' ? option : () => option === true;
