/** Searches with Google, which are billed beside the tokens. */
import { asList, asRecord, type BilledSearches, type JsonRecord, ownTools } from 'polyphony/kit';

/** Until Gemini 2.5 a prompt that searched is billed once; after it, every search is (ai.google.dev, pricing). */
export const isBilledByPrompt = (id: string): boolean => /gemini-[12]\b/.test(id);

/** Searches with Google that requests ask for under the provider's id. */
export const googleSearches = (provider: string): BilledSearches => ({
  fee: (model) => (isBilledByPrompt(model) ? 0.035 : 0.014),
  most(request, model) {
    const tools = ownTools(request, provider, (tool) => SEARCHES.some((name) => tool[name] !== undefined));
    if (tools.length === 0) return 0;
    return isBilledByPrompt(model) ? 1 : Number.POSITIVE_INFINITY;
  },
});

const SEARCHES = ['googleSearch', 'google_search', 'googleSearchRetrieval', 'google_search_retrieval'];

/** The searches that a candidate says were made and that are billed. */
export function searchesOf(candidate: JsonRecord, model: string): number {
  const queries = asList(asRecord(candidate.groundingMetadata)?.webSearchQueries) ?? [];
  const made = queries.filter((query) => typeof query === 'string' && query !== '').length;
  return isBilledByPrompt(model) ? Math.min(1, made) : made;
}
