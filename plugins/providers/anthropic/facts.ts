/** What a model of this wire format accepts beyond its capabilities: data on its card, under `wire`. */
import { type ModelCard, type ModelCardFields, modelCard } from 'polyphony/kit';

export type Effort = 'low' | 'medium' | 'high';

export type MessagesFacts = {
  /** How thinking is requested: by a budget, by an effort, by either, or not at all. */
  readonly thinking: 'none' | 'budget' | 'adaptive' | 'either';
  /** How thinking is switched off: by omission, by a type, or never (the lowest effort is sent instead). */
  readonly thinkingOff: 'omit' | 'disabled' | 'between_tools' | 'never';
  /** Supports `output_config.effort`. */
  readonly effort: boolean;
  /** Which of temperature and top_p are supported: both, one at a time, or neither. */
  readonly sampling: 'both' | 'one' | 'none';
  /** Supports a tool choice that forces a call. */
  readonly forcedTools: boolean;
  /** Thinks by default, so a forced call must switch thinking off. */
  readonly thinksByDefault: boolean;
  /** Follows a JSON Schema (`output_config.format`, strict tools). */
  readonly structured: boolean;
};

/** The facts of the newest models, because an unknown model is most likely newer. */
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
  // Cards are written by programmers next to the wire format that they configure; unknown fields in them are never read.
  return { ...UNKNOWN, ...(card.wire as Partial<MessagesFacts> | undefined) };
}

/** A card for an unknown model: what nearly all models support, without a price. */
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
