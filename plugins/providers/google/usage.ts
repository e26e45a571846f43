/** Normalised usage: thoughts are output; results of the provider's own tools are input. */
import { asList, asNumber, asRecord, asText, defined, type JsonRecord, type Usage } from 'polyphony/kit';

/** Undefined where no count was reported. */
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
    audioInput: tokensOf('AUDIO', told.promptTokensDetails),
    audioCacheRead: tokensOf('AUDIO', told.cacheTokensDetails),
    audioOutput: tokensOf('AUDIO', told.candidatesTokensDetails),
    imageInput: tokensOf('IMAGE', told.promptTokensDetails),
    imageOutput: tokensOf('IMAGE', told.candidatesTokensDetails),
  });
}

function tokensOf(modality: string, details: unknown): number | undefined {
  const told = (asList(details) ?? []).map(asRecord).find((item) => asText(item?.modality) === modality);
  return asNumber(told?.tokenCount);
}

/** One endpoint reports the tier, the other the kind of traffic: `ON_DEMAND_FLEX`. */
export function serviceTierOf(told: JsonRecord | undefined): string | undefined {
  return (
    (asText(told?.serviceTier) ?? asText(told?.trafficType)?.replace(/^ON_DEMAND_?/, ''))?.toLowerCase() || undefined
  );
}
