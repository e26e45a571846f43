/** Normalised usage: thoughts are output; results of the provider's own tools are input. */
import { asCount, asList, asRecord, asText, defined, type JsonRecord, type Usage } from 'polyphony/kit';

/** Undefined where no count was reported. */
export function usageOf(reported: JsonRecord | undefined): Usage | undefined {
  if (reported === undefined) return undefined;
  const prompt = asCount(reported.promptTokenCount);
  const written = asCount(reported.candidatesTokenCount);
  const thoughts = asCount(reported.thoughtsTokenCount);
  if ([prompt, written, thoughts, asCount(reported.totalTokenCount)].every((count) => count === undefined))
    return undefined;
  return defined({
    input: (prompt ?? 0) + (asCount(reported.toolUsePromptTokenCount) ?? 0),
    output: (written ?? 0) + (thoughts ?? 0),
    cacheRead: asCount(reported.cachedContentTokenCount),
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
  return asCount(reported?.tokenCount);
}

/** One endpoint reports the tier, the other the kind of traffic: `ON_DEMAND_FLEX`. */
export function serviceTierOf(reported: JsonRecord | undefined): string | undefined {
  return (
    (asText(reported?.serviceTier) ?? asText(reported?.trafficType)?.replace(/^ON_DEMAND_?/, ''))?.toLowerCase() ||
    undefined
  );
}
