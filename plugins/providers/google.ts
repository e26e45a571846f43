/** Google's Gemini API. Key: GEMINI_API_KEY or GOOGLE_API_KEY, read at each request. */
import { definePlugin, type Provider, type RateLimit, type Target } from 'polyphony';
import { apiKeysOf, httpProvider, type ModelCardFields, modelCard } from 'polyphony/kit';
import { CHAT_MODELS, EMBEDDING_MODELS } from './google/cards.ts';
import { CHAT, undescribed } from './google/facts.ts';
import { geminiWire } from './google/wire.ts';

export interface GoogleOptions {
  /** The first half of `provider/model`. @default 'google' */
  readonly id?: string;
  readonly apiKey?: string;
  /** Several keys to rotate over. */
  readonly apiKeys?: readonly string[];
  /** Up to and including the version. @default 'https://generativelanguage.googleapis.com/v1beta' */
  readonly baseURL?: string | ((target: Target) => string);
  /** Instead of the models that are known; an id alone makes a card without a price. */
  readonly models?: readonly (string | ModelCardFields)[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at once. @default 64 */
  readonly concurrency?: number;
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
}

const BASE_URL = 'https://generativelanguage.googleapis.com/v1beta';
const MODELS = [...CHAT_MODELS, ...EMBEDDING_MODELS];

const authorisation = (apiKey: string | undefined): Record<string, string> =>
  apiKey === undefined ? {} : { 'x-goog-api-key': apiKey };

const wire = geminiWire({
  headers: ({ apiKey }) => authorisation(apiKey),
  counted: (model, body) => ({ generateContentRequest: { model, ...body } }),
});

/** @throws invalid-config when an option is malformed */
export function google(options: GoogleOptions = {}): Provider {
  const { id = 'google', baseURL = BASE_URL, models = MODELS, apiKey, apiKeys, ...rest } = options;
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: models.map((model) => (typeof model === 'string' ? undescribed(model) : modelCard({ ...CHAT, ...model }))),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'GEMINI_API_KEY', 'GOOGLE_API_KEY'),
    missingKey: 'set GEMINI_API_KEY, or pass apiKey.',
    probe: (context) => ({ url: `${context.baseURL}/models?pageSize=1`, headers: authorisation(context.apiKey) }),
  });
}

export default definePlugin({ name: 'google', providers: [google()] });
