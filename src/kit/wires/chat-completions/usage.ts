/** Normalises every form of usage on this wire. */
import type { Usage } from '../../../core/model/model.ts';
import { asCount, asRecord, defined, type JsonRecord } from '../../json/json-shape.ts';
import { firstCount } from '../counts.ts';

/** Undefined if the value contains no token count. */
export function usageOf(value: unknown, reasoningBesideOutput = false): Usage | undefined {
  const counts = asRecord(value);
  if (counts === undefined) return undefined;
  const input = firstCount(counts.prompt_tokens, counts.input_tokens);
  const output = firstCount(counts.completion_tokens, counts.output_tokens);
  if (input === undefined && output === undefined && asCount(counts.total_tokens) === undefined) return undefined;
  const prompt = asRecord(counts.prompt_tokens_details ?? counts.input_tokens_details) ?? {};
  const completion = asRecord(counts.completion_tokens_details ?? counts.output_tokens_details) ?? {};
  const reasoning = firstCount(completion.reasoning_tokens, counts.reasoning_tokens);
  const known = input ?? Math.max(0, (asCount(counts.total_tokens) ?? 0) - (output ?? 0));
  return defined({
    input: known,
    output: (output ?? 0) + (reasoningBesideOutput ? (reasoning ?? 0) : 0),
    cacheRead: cacheRead(counts, prompt),
    cacheWrite: cacheWrite(counts, prompt),
    reasoning,
    audioInput: positive(prompt.audio_tokens),
    audioCacheRead: positive(asRecord(prompt.cached_tokens_details)?.audio_tokens),
    audioOutput: positive(completion.audio_tokens),
    imageInput: positive(prompt.image_tokens),
    imageOutput: positive(completion.image_tokens),
    searches: positive(counts.num_sources_used),
  });
}

/** Proxies fill in one of these fields and leave the others at zero. */
const cacheRead = (counts: JsonRecord, prompt: JsonRecord): number | undefined =>
  firstCount(
    prompt.cached_tokens,
    counts.prompt_cache_hit_tokens,
    counts.num_cached_tokens,
    counts.cached_tokens,
    counts.cache_read_input_tokens,
  );

const cacheWrite = (counts: JsonRecord, prompt: JsonRecord): number | undefined =>
  positive(
    firstCount(
      prompt.cache_write_tokens,
      prompt.cache_creation_tokens,
      prompt.cache_creation_input_tokens,
      counts.cache_creation_input_tokens,
      counts.cache_write_tokens,
    ),
  );

/** Leaves out zeros of kinds that are rarely used. */
function positive(value: unknown): number | undefined {
  const number = asCount(value);
  return number === undefined || number === 0 ? undefined : number;
}
