/**
 * The models that a server of one's own lists at `/models`. Servers state the window that a model was started with under
 * different names; what they state of a model that was named without more completes its card.
 */
import type { ModelCard } from '../../../core/model/provider.ts';
import type { ListingContext } from '../../http/http-request.ts';
import { asCount, asList, asRecord, asText, type JsonRecord } from '../../json/json-shape.ts';
import { type ModelCardFields, modelCard } from '../../models/model-card.ts';

/** The window in tokens, by the names that servers use, beside the id or in `meta`. */
const WINDOWS = ['n_ctx', 'max_model_len', 'context_length', 'loaded_context_length', 'context_window'] as const;
const LARGEST_WINDOW = 100_000_000;
const LONGEST_ID = 200;

export interface ListedModelsOptions {
  /** The models that were named; the others of the server are not registered. None were named: all are. */
  readonly named: readonly (string | ModelCardFields)[];
  /** The fields that all cards share. */
  readonly shared: Partial<ModelCardFields>;
  readonly headers: (apiKey: string | undefined) => Readonly<Record<string, string>>;
}

/** @throws what the server answers instead of a list */
export async function listedModels(
  { baseURL, apiKey, ask }: ListingContext,
  { named, shared, headers }: ListedModelsOptions,
): Promise<readonly ModelCard[] | undefined> {
  const body = await ask({ url: `${baseURL}/models`, headers: headers(apiKey) });
  const found = new Map<string, Partial<ModelCardFields>>();
  for (const item of asList(asRecord(body)?.data) ?? asList(body) ?? []) {
    const entry = asRecord(item) ?? {};
    const id = asText(entry.id) ?? '';
    if (id !== '' && id.length <= LONGEST_ID && !found.has(id)) found.set(id, factsOf(id, entry));
  }
  if (named.length === 0) {
    return found.size === 0 ? undefined : [...found].map(([id, facts]) => modelCard({ ...shared, ...facts, id }));
  }
  return named.map((model) => {
    const fields = typeof model === 'string' ? { id: model } : model;
    const contextTokens = found.get(fields.id)?.contextTokens;
    return modelCard({ ...shared, ...(contextTokens === undefined ? {} : { contextTokens }), ...fields });
  });
}

function factsOf(id: string, entry: JsonRecord): Partial<ModelCardFields> {
  const contextTokens = windowOf(entry);
  return {
    ...(contextTokens === undefined ? {} : { contextTokens }),
    // A server states no operations, but the names of such models say what they are.
    ...(/embed/i.test(id) ? ({ operations: ['embed'], capabilities: ['embeddings'] } as const) : {}),
    ...(/rerank/i.test(id) ? ({ operations: ['rerank'], capabilities: ['rerank'] } as const) : {}),
  };
}

function windowOf(entry: JsonRecord): number | undefined {
  for (const place of [entry, asRecord(entry.meta) ?? {}]) {
    for (const name of WINDOWS) {
      const tokens = asCount(place[name]);
      if (tokens !== undefined && Number.isInteger(tokens) && tokens > 0 && tokens <= LARGEST_WINDOW) return tokens;
    }
  }
  return undefined;
}
