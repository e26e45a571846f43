/**
 * Normalised usage: this wire format excludes cache reads and writes from the input, canonical usage includes them. Counts
 * arrive twice, at the beginning and cumulatively at the end; `laterCounts` of the kit says which of them count.
 */
import { asCount, asRecord, defined, firstCount, type JsonRecord, type Usage } from 'polyphony/kit';

/** Undefined where no count was reported. */
export function usageOf(counts: JsonRecord): Usage | undefined {
  const fresh = asCount(counts.input_tokens);
  const output = asCount(counts.output_tokens);
  if (fresh === undefined && output === undefined) return undefined;
  const cacheRead = asCount(counts.cache_read_input_tokens);
  const written = asRecord(counts.cache_creation);
  const long = asCount(written?.ephemeral_1h_input_tokens);
  const both = written === undefined ? undefined : (asCount(written.ephemeral_5m_input_tokens) ?? 0) + (long ?? 0);
  const cacheWrite = firstCount(counts.cache_creation_input_tokens, both);
  return defined({
    input: (fresh ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output: output ?? 0,
    cacheRead,
    cacheWrite,
    cacheWriteLong: long === undefined || long === 0 ? undefined : Math.min(long, cacheWrite ?? 0),
    reasoning: asCount(asRecord(counts.output_tokens_details)?.thinking_tokens),
    searches: asCount(asRecord(counts.server_tool_use)?.web_search_requests) || undefined,
  });
}
