/** Metadata of an answer: its sources, its searches with Google, which are billed beside the tokens, and log probabilities. */
import {
  asList,
  asNumber,
  asRecord,
  asText,
  type BilledSearches,
  type Citation,
  defined,
  type JsonRecord,
  ownTools,
  type SearchReport,
  type TokenLogprob,
} from 'polyphony/kit';

/** Sources that a search found, one per passage that they support, and passages quoted at length. */
export function citationsOf(candidate: JsonRecord): readonly Citation[] {
  const grounding = asRecord(candidate.groundingMetadata);
  const quoted =
    asList(asRecord(candidate.citationMetadata)?.citations) ??
    asList(asRecord(candidate.citationMetadata)?.citationSources);
  return [...(grounding === undefined ? [] : groundings(grounding)), ...(quoted ?? []).flatMap(quotation)];
}

function groundings(metadata: JsonRecord): readonly Citation[] {
  const sources = (asList(metadata.groundingChunks) ?? []).map(sourceOf);
  const supports = (asList(metadata.groundingSupports) ?? []).map((item) => asRecord(item) ?? {});
  if (supports.length === 0) return sources.filter((source) => Object.keys(source).length > 0);
  return supports.flatMap((support) => {
    // The provider's offsets count bytes, canonical ones do not, so only the text is kept.
    const text = asText(asRecord(support.segment)?.text);
    return (asList(support.groundingChunkIndices) ?? []).flatMap((index) => {
      const source = sources[asNumber(index) ?? -1];
      return source === undefined ? [] : [defined({ ...source, text: text ?? source.text })];
    });
  });
}

function sourceOf(item: unknown): Citation {
  const chunk = asRecord(item) ?? {};
  const source = asRecord(chunk.web) ?? asRecord(chunk.retrievedContext) ?? asRecord(chunk.maps) ?? {};
  const pages = asRecord(asRecord(source.ragChunk)?.pageSpan);
  return defined({
    url: asText(source.uri),
    title: asText(source.title),
    text: asText(source.text),
    fileId: asText(source.documentName) ?? asText(source.fileSearchStore),
    startPage: asNumber(pages?.firstPage),
    endPage: asNumber(pages?.lastPage),
  });
}

function quotation(item: unknown): Citation[] {
  const record = asRecord(item) ?? {};
  const { startIndex, endIndex } = record;
  const citation = defined({
    url: asText(record.uri),
    title: asText(record.title),
    start: asNumber(startIndex),
    end: asNumber(endIndex),
  });
  return Object.keys(citation).length === 0 ? [] : [citation];
}

/** Queries and suggestions of a search, and pages that were read; undefined where there was none. */
export function searchOf(candidate: JsonRecord): SearchReport | undefined {
  const grounding = asRecord(candidate.groundingMetadata);
  const listed = asList(grounding?.webSearchQueries) ?? asList(grounding?.retrievalQueries) ?? [];
  const queries = listed.filter((query) => typeof query === 'string');
  const suggestions = asText(asRecord(grounding?.searchEntryPoint)?.renderedContent) || undefined;
  const read = asList(asRecord(candidate.urlContextMetadata)?.urlMetadata) ?? [];
  const pages = read.flatMap((item) => {
    const url = asText(asRecord(item)?.retrievedUrl);
    return url === undefined ? [] : [defined({ url, status: asText(asRecord(item)?.urlRetrievalStatus) })];
  });
  const report = defined({
    queries: queries.length === 0 ? undefined : queries,
    suggestions,
    pages: pages.length === 0 ? undefined : pages,
  });
  return Object.keys(report).length === 0 ? undefined : report;
}

export function logprobsOf(candidate: JsonRecord): readonly TokenLogprob[] {
  const result = asRecord(candidate.logprobsResult);
  const tops = asList(result?.topCandidates) ?? [];
  return (asList(result?.chosenCandidates) ?? []).flatMap((item, index) => {
    const chosen = tokenOf(item);
    const top = (asList(asRecord(tops[index])?.candidates) ?? []).flatMap(tokenOf);
    return chosen.map((token) => (top.length === 0 ? token : { ...token, top }));
  });
}

function tokenOf(value: unknown): { token: string; logprob: number }[] {
  const record = asRecord(value);
  const token = asText(record?.token);
  const logprob = asNumber(record?.logProbability);
  return token === undefined || logprob === undefined ? [] : [{ token, logprob }];
}

// ---------------------------------------------------------------------------------------------------- searches

/** Until Gemini 2.5 a prompt that searched is billed once; after it, every search is (ai.google.dev, pricing). */
const isBilledByPrompt = (id: string): boolean => /gemini-[12]\b/.test(id);

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
