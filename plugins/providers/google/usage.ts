/** Usage of this wire, normalised: thoughts are output, what tools of the provider fed back is input. */
import type { Usage } from 'polyphony';
import { asList, asNumber, asRecord, asText, defined, type JsonRecord } from 'polyphony/kit';

/** Undefined where no count was told. */
export function usageOf(told: JsonRecord | undefined): Usage | undefined {
  if (told === undefined) return undefined;
  const prompt = asNumber(told.promptTokenCount);
  const written = asNumber(told.candidatesTokenCount);
  const thoughts = asNumber(told.thoughtsTokenCount);
  if ([prompt, written, thoughts, asNumber(told.totalTokenCount)].every((count) => count === undefined))
    return undefined;
  return defined({
    input: (prompt ?? 0) + (asNumber(told.toolUsePromptTokenCount) ?? 0),
    output: (written ?? 0) + (thoughts ?? 0),
    cacheRead: asNumber(told.cachedContentTokenCount),
    reasoning: thoughts,
    audioInput: audioOf(told.promptTokensDetails),
    audioOutput: audioOf(told.candidatesTokensDetails),
  });
}

function audioOf(details: unknown): number | undefined {
  const audio = (asList(details) ?? []).map(asRecord).find((item) => asText(item?.modality) === 'AUDIO');
  return asNumber(audio?.tokenCount);
}
