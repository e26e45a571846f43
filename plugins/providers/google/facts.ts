/** What a model of this wire accepts beyond its capabilities: data on its card, under `wire`. */
import { type ModelCard, type ModelCardFields, modelCard } from 'polyphony/kit';

export type Level = 'minimal' | 'low' | 'medium' | 'high';

export type GeminiFacts = {
  /** How thinking is asked for. */
  readonly thinking: 'none' | 'budget' | 'level';
  readonly levels: readonly Level[];
  /** The least budget; 0 switches thinking off. */
  readonly leastBudget: number;
  readonly mostBudget: number;
  readonly sampling: boolean;
  readonly penalties: boolean;
  /** Which dialect schemas are sent in. */
  readonly schemas: 'json-schema' | 'openapi';
  /** Takes tools and an output schema in one request. */
  readonly toolsWithSchema: boolean;
  /** Refuses calls in the history that carry no thought signature. */
  readonly signedCalls: boolean;
  /** Takes images and files inside function responses. */
  readonly mediaInResults: boolean;
  /** Embeds by a task named in the text, not by a field. */
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

/** By generation, for models that nobody described. */
function generation(id: string): Partial<GeminiFacts> {
  if (/gemini-2\.5/.test(id)) return { ...BEFORE_THREE, thinking: 'budget' };
  if (!/gemini-[12]\b|gemma|learnlm/.test(id)) return {};
  return { ...BEFORE_THREE, thinking: 'none', schemas: 'openapi', penalties: true };
}

export function factsOf(card: ModelCard): GeminiFacts {
  // Cards are written by programmers beside the wire that they configure; foreign words in them are never read.
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

/** A card of a model that nobody described: chat and embeddings; its answer tells whether it can. */
export const undescribed = (id: string): ModelCard =>
  modelCard({ id, operations: ['chat', 'embed'], ...CHAT, maxOutputTokens: 8192 });
