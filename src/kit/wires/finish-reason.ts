/** Why a model stopped, translated from the words of every wire. */
import type { FinishReason } from '../../core/model/model.ts';

const WORDS: Readonly<Partial<Record<FinishReason, readonly string[]>>> = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token', 'end', 'complete', 'completed'],
  length: [
    'length',
    'max_tokens',
    'max_output_tokens',
    'max_completion_tokens',
    'max_length',
    'model_length',
    'model_context_window_exceeded',
    'context_length',
    'max_tool_calls',
    'error_limit',
    'incomplete',
  ],
  'tool-calls': ['tool_calls', 'tool_call', 'tool_use', 'function_call'],
  'content-filter': [
    'content_filter',
    'content_filtered',
    'refusal',
    'safety',
    'guardrail_intervened',
    'prohibited_content',
    'blocklist',
    'spii',
    'recitation',
    'image_safety',
    'sensitive',
    'image_prohibited_content',
    'image_recitation',
    'model_armor',
    'language',
    'blocked',
    'error_toxic',
  ],
  pause: ['pause_turn', 'pause'],
  // The model wrote what is no answer, or its server gave up: what came before it is not whole.
  error: [
    'error',
    'failed',
    'abort',
    'aborted',
    'cancelled',
    'timeout',
    'network_error',
    'insufficient_system_resource',
    'malformed_function_call',
    'malformed_tool_call',
    'malformed_tool_use',
    'malformed_model_output',
    'malformed_response',
    'unexpected_tool_call',
    'too_many_tool_calls',
    'missing_thought_signature',
    'tool_use_failed',
    'no_image',
    'image_other',
  ],
};

const REASONS: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries(WORDS).flatMap(([reason, words]) => words.map((word) => [word, reason as FinishReason])),
);

/** The reason for a provider's word, ignoring case and the sign between its parts; `other` for an unknown word. */
export function finishReason(value: unknown): FinishReason {
  const word = String(value).toLowerCase();
  return REASONS.get(word) ?? REASONS.get(word.replaceAll('-', '_')) ?? 'other';
}
