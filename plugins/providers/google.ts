/** Google's Gemini API. Key: GEMINI_API_KEY or GOOGLE_API_KEY, read at each request. */
import {
  apiKeysOf,
  cardsOf,
  definePlugin,
  httpProvider,
  type Provider,
  type Target,
  type VendorOptions,
} from 'polyphony/kit';
import { googleBatches } from './google/batch.ts';
import { CHAT_MODELS, EMBEDDING_MODELS } from './google/cards.ts';
import { CHAT, undescribed } from './google/facts.ts';
import { googleSearches } from './google/grounding.ts';
import { assertAddresses } from './google/media.ts';
import { geminiWire } from './google/wire.ts';

export interface GoogleOptions extends VendorOptions {
  /** URL up to and including the version. @default 'https://generativelanguage.googleapis.com/v1beta' */
  readonly baseURL?: string | ((target: Target) => string);
}

const BASE_URL = 'https://generativelanguage.googleapis.com/v1beta';
const MODELS = [...CHAT_MODELS, ...EMBEDDING_MODELS];

const authorisation = (apiKey: string | undefined): Record<string, string> =>
  apiKey === undefined ? {} : { 'x-goog-api-key': apiKey };

const wire = geminiWire({
  headers: ({ apiKey }) => authorisation(apiKey),
  counted: (model, body) => ({ generateContentRequest: { model, ...body } }),
  check: assertAddresses,
});

/** @throws invalid-config when an option is malformed */
export function google(options: GoogleOptions = {}): Provider {
  const {
    id = 'google',
    baseURL = BASE_URL,
    models = MODELS,
    apiKey,
    apiKeys,
    embeddingBatch = { texts: 100 },
    ...rest
  } = options;
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: cardsOf(models, CHAT, undescribed),
    unlisted: undescribed,
    // What batchEmbedContents takes.
    embeddingBatch,
    searches: googleSearches(id),
    batch: googleBatches,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'GEMINI_API_KEY', 'GOOGLE_API_KEY'),
    missingKey: 'set GEMINI_API_KEY, or pass apiKey.',
    probe: (context) => ({ url: `${context.baseURL}/models?pageSize=1`, headers: authorisation(context.apiKey) }),
  });
}

export default definePlugin({ name: 'google', providers: [google()] });
