/** Normalises every form of usage on this wire. */
import type { Growing } from '../../../core/defined.ts';
import type { Usage } from '../../../core/model/model.ts';
import { asCount, asRecord, type JsonRecord } from '../../json/json-shape.ts';
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
  const usage: Growing<Usage> = {
    input: known,
    output: (output ?? 0) + (reasoningBesideOutput ? (reasoning ?? 0) : 0),
  };
  const [read, written] = [cacheRead(counts, prompt), cacheWrite(counts, prompt)];
  if (read !== undefined) usage.cacheRead = read;
  if (written !== undefined) usage.cacheWrite = written;
  if (reasoning !== undefined) usage.reasoning = reasoning;
  addMedia(usage, prompt, completion);
  const searches = positive(counts.num_sources_used);
  if (searches !== undefined) usage.searches = searches;
  return usage;
}

function addMedia(usage: Growing<Usage>, prompt: JsonRecord, completion: JsonRecord): void {
  const audioInput = positive(prompt.audio_tokens);
  const audioCacheRead = positive(asRecord(prompt.cached_tokens_details)?.audio_tokens);
  const audioOutput = positive(completion.audio_tokens);
  const imageInput = positive(prompt.image_tokens);
  const imageOutput = positive(completion.image_tokens);
  if (audioInput !== undefined) usage.audioInput = audioInput;
  if (audioCacheRead !== undefined) usage.audioCacheRead = audioCacheRead;
  if (audioOutput !== undefined) usage.audioOutput = audioOutput;
  if (imageInput !== undefined) usage.imageInput = imageInput;
  if (imageOutput !== undefined) usage.imageOutput = imageOutput;
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
