/** Why a model stopped, translated from the words of every wire. */
import type { FinishReason } from '../../core/model/model.ts';

const WORDS: Readonly<Partial<Record<FinishReason, readonly string[]>>> = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'eos', 'end', 'complete', 'completed'],
  length: ['length', 'max_tokens', 'max_output_tokens', 'model_length', 'model_context_window_exceeded', 'incomplete'],
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
    'error_toxic',
  ],
  pause: ['pause_turn'],
  error: ['error', 'failed', 'malformed_function_call', 'unexpected_tool_call', 'malformed_response'],
};

const REASONS: ReadonlyMap<string, FinishReason> = new Map(
  Object.entries(WORDS).flatMap(([reason, words]) => words.map((word) => [word, reason as FinishReason])),
);

/** The reason for a provider's word, ignoring case; `other` for an unknown word. */
export const finishReason = (value: unknown): FinishReason => REASONS.get(String(value).toLowerCase()) ?? 'other';
