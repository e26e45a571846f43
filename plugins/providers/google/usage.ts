/** Normalised usage: thoughts are output; results of the provider's own tools are input. */
import { asList, asNumber, asRecord, asText, defined, type JsonRecord, type Usage } from 'polyphony/kit';

/** Undefined where no count was reported. */
export function usageOf(reported: JsonRecord | undefined): Usage | undefined {
  if (reported === undefined) return undefined;
  const prompt = asNumber(reported.promptTokenCount);
  const written = asNumber(reported.candidatesTokenCount);
  const thoughts = asNumber(reported.thoughtsTokenCount);
  if ([prompt, written, thoughts, asNumber(reported.totalTokenCount)].every((count) => count === undefined))
    return undefined;
  return defined({
    input: (prompt ?? 0) + (asNumber(reported.toolUsePromptTokenCount) ?? 0),
    output: (written ?? 0) + (thoughts ?? 0),
    cacheRead: asNumber(reported.cachedContentTokenCount),
    reasoning: thoughts,
    audioInput: tokensOf('AUDIO', reported.promptTokensDetails),
    audioCacheRead: tokensOf('AUDIO', reported.cacheTokensDetails),
    audioOutput: tokensOf('AUDIO', reported.candidatesTokensDetails),
    imageInput: tokensOf('IMAGE', reported.promptTokensDetails),
    imageOutput: tokensOf('IMAGE', reported.candidatesTokensDetails),
  });
}

function tokensOf(modality: string, details: unknown): number | undefined {
  const reported = (asList(details) ?? []).map(asRecord).find((item) => asText(item?.modality) === modality);
  return asNumber(reported?.tokenCount);
}

/** One endpoint reports the tier, the other the kind of traffic: `ON_DEMAND_FLEX`. */
export function serviceTierOf(reported: JsonRecord | undefined): string | undefined {
  return (
    (asText(reported?.serviceTier) ?? asText(reported?.trafficType)?.replace(/^ON_DEMAND_?/, ''))?.toLowerCase() ||
    undefined
  );
}
