/** What a model of this wire format accepts beyond its capabilities: data on its card, under `wire`. */
import { type ModelCard, type ModelCardFields, modelCard } from 'polyphony/kit';

export type Level = 'minimal' | 'low' | 'medium' | 'high';

export type GeminiFacts = {
  /** How thinking is requested. */
  readonly thinking: 'none' | 'budget' | 'level';
  readonly levels: readonly Level[];
  /** The smallest budget; 0 switches thinking off. */
  readonly leastBudget: number;
  readonly mostBudget: number;
  readonly sampling: boolean;
  readonly penalties: boolean;
  /** Which dialect schemas are sent in. */
  readonly schemas: 'json-schema' | 'openapi';
  /** Supports tools together with an output schema. */
  readonly toolsWithSchema: boolean;
  /** Rejects calls in the history that have no thought signature. */
  readonly signedCalls: boolean;
  /** Supports images and files inside function responses. */
  readonly mediaInResults: boolean;
  /** Takes the embedding task in the text, not in a field. */
  readonly taskInText: boolean;
};

const NEWEST: GeminiFacts = {
  thinking: 'level',
  levels: ['low', 'medium', 'high'],
  leastBudget: 0,
  mostBudget: 24_576,
  sampling: true,
  penalties: false,
  schemas: 'json-schema',
  toolsWithSchema: true,
  signedCalls: true,
  mediaInResults: true,
  taskInText: false,
};
const BEFORE_THREE: Partial<GeminiFacts> = { signedCalls: false, toolsWithSchema: false, mediaInResults: false };

/** Defaults by generation, for models without a card. */
function generation(id: string): Partial<GeminiFacts> {
  if (/gemini-2\.5/.test(id)) return { ...BEFORE_THREE, thinking: 'budget' };
  if (!/gemini-[12]\b|gemma|learnlm/.test(id)) return {};
  return { ...BEFORE_THREE, thinking: 'none', schemas: 'openapi', penalties: true };
}

export function factsOf(card: ModelCard): GeminiFacts {
  // Cards are written by programmers next to the wire format that they configure; unknown fields in them are never read.
  return { ...NEWEST, ...generation(card.id), ...(card.wire as Partial<GeminiFacts> | undefined) };
}

export const CHAT = {
  capabilities: [
    'text',
    'streaming',
    'system',
    'tools',
    'parallel-tools',
    'tool-choice',
    'json-mode',
    'json-schema',
    'image-in',
    'audio-in',
    'video-in',
    'file-in',
    'reasoning',
    'stop',
    'seed',
    'temperature',
    'top-p',
    'prompt-cache',
    'planning',
  ],
  contextTokens: 1_048_576,
  maxOutputTokens: 65_536,
  retention: 'provider',
} as const satisfies Partial<ModelCardFields>;

/** A card for an unknown model: chat and embeddings, because only its answer shows what it supports. */
export const undescribed = (id: string): ModelCard =>
  modelCard({ id, operations: ['chat', 'embed'], ...CHAT, maxOutputTokens: 8192 });
