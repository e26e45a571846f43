/** Every spelling of usage on this wire, normalised. */
import type { Usage } from '../../../core/model/model.ts';
import { asNumber, asRecord, defined, type JsonRecord } from '../../json/json-shape.ts';

/** Undefined where the value holds no token count. */
export function usageOf(value: unknown, reasoningBesideOutput = false): Usage | undefined {
  const told = asRecord(value);
  if (told === undefined) return undefined;
  const input = asNumber(told.prompt_tokens ?? told.input_tokens);
  const output = asNumber(told.completion_tokens ?? told.output_tokens);
  if (input === undefined && output === undefined && asNumber(told.total_tokens) === undefined) return undefined;
  const prompt = asRecord(told.prompt_tokens_details ?? told.input_tokens_details) ?? {};
  const completion = asRecord(told.completion_tokens_details ?? told.output_tokens_details) ?? {};
  const reasoning = asNumber(completion.reasoning_tokens ?? told.reasoning_tokens);
  const known = input ?? Math.max(0, (asNumber(told.total_tokens) ?? 0) - (output ?? 0));
  return defined({
    input: known,
    output: (output ?? 0) + (reasoningBesideOutput ? (reasoning ?? 0) : 0),
    cacheRead: cacheRead(told, prompt),
    cacheWrite: cacheWrite(told, prompt),
    reasoning,
    audioInput: positive(prompt.audio_tokens),
    audioCacheRead: positive(asRecord(prompt.cached_tokens_details)?.audio_tokens),
    audioOutput: positive(completion.audio_tokens),
    imageInput: positive(prompt.image_tokens),
    imageOutput: positive(completion.image_tokens),
  });
}

const cacheRead = (told: JsonRecord, prompt: JsonRecord): number | undefined =>
  asNumber(
    prompt.cached_tokens ??
      told.prompt_cache_hit_tokens ??
      told.num_cached_tokens ??
      told.cached_tokens ??
      told.cache_read_input_tokens,
  );

const cacheWrite = (told: JsonRecord, prompt: JsonRecord): number | undefined =>
  positive(
    prompt.cache_write_tokens ??
      prompt.cache_creation_tokens ??
      prompt.cache_creation_input_tokens ??
      told.cache_creation_input_tokens ??
      told.cache_write_tokens,
  );

/** Zeros of what hardly anybody uses say nothing. */
function positive(value: unknown): number | undefined {
  const number = asNumber(value);
  return number === undefined || number === 0 ? undefined : number;
}
