/** The text of the config for a model that answers because another one has failed: it makes up for how the two differ. */
import type { Config } from '../../core/config.ts';
import type { Call, Target, Warning } from '../../core/model/model.ts';
import { withInstruction } from '../calls/instruction.ts';
import { nameOf } from '../calls/target.ts';

/** The first text whose pair fits; undefined for none. */
export function fallbackPrompt({ fallbacks }: Config, from: Target, to: Target): string | undefined {
  return fallbacks?.prompts?.find((pair) => names(pair.from, from) && names(pair.to, to))?.text;
}

const names = (name: string, { provider, model }: Target): boolean => name === '*' || name === `${provider}/${model}`;

export function withFallbackPrompt(call: Call, text: string): Call {
  const { request } = call;
  if (request.operation !== 'chat') return call;
  return { ...call, request: { ...request, messages: withInstruction(request.messages, text) } };
}

export const fallbackWarning = (from: Target, to: Target): Warning => ({
  code: 'fallback-prompt',
  message: `${nameOf(to)} was given the text for answers in the place of ${nameOf(from)} (fallbacks.prompts).`,
});
