/** What a model of the Messages wire accepts beyond its capabilities: data on its card, under `wire`. */
import { type ModelCard, type ModelCardFields, modelCard } from 'polyphony/kit';

export type Effort = 'low' | 'medium' | 'high';

export type MessagesFacts = {
  /** How thinking is asked for: by a budget, by an effort, by either, or not at all. */
  readonly thinking: 'none' | 'budget' | 'adaptive' | 'either';
  /** What switches thinking off: leaving it out, a type of its own, or nothing (the least effort is sent instead). */
  readonly thinkingOff: 'omit' | 'disabled' | 'between_tools' | 'never';
  /** Knows `output_config.effort`. */
  readonly effort: boolean;
  /** Which of temperature and top_p are taken: both, one at a time, neither. */
  readonly sampling: 'both' | 'one' | 'none';
  /** Takes a tool choice that forces a call. */
  readonly forcedTools: boolean;
  /** Thinks unless told not to, which a forced call has to do. */
  readonly thinksByDefault: boolean;
  /** Holds itself to a JSON Schema (`output_config.format`, strict tools). */
  readonly structured: boolean;
};

/** What the newest models take; an unknown one is most likely newer. */
const UNKNOWN: MessagesFacts = {
  thinking: 'adaptive',
  thinkingOff: 'omit',
  effort: true,
  sampling: 'one',
  forcedTools: true,
  thinksByDefault: false,
  structured: true,
};

export function factsOf(card: ModelCard): MessagesFacts {
  // Cards are written by programmers beside the wire that they configure; foreign words in them are never read.
  return { ...UNKNOWN, ...(card.wire as Partial<MessagesFacts> | undefined) };
}

/** A card of a model that nobody described: what nearly all of them do, without a price. */
export const undescribed = (id: string): ModelCard => modelCard({ id, ...CHAT, maxOutputTokens: 8192 });

export const CHAT = {
  capabilities: [
    'text',
    'streaming',
    'system',
    'tools',
    'parallel-tools',
    'tool-choice',
    'json-schema',
    'image-in',
    'file-in',
    'reasoning',
    'stop',
    'temperature',
    'top-p',
    'prompt-cache',
    'planning',
  ],
  contextTokens: 200_000,
  retention: 'provider',
} as const satisfies Partial<ModelCardFields>;
