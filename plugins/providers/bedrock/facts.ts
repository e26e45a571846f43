/** What a model of this wire accepts beyond its capabilities: by its family, or as its card says under `wire`. */
import type { ChatRequest, JsonSchema, ModelCard } from 'polyphony';
import { CHAT_CAPABILITIES, type ModelCardFields, modelCard } from 'polyphony/kit';

export type ConverseFacts = {
  /** How reasoning is asked for: a budget, an effort of its own choice of depth, Nova's words, `reasoning_effort`, or not at all. */
  readonly reasoning: 'budget' | 'adaptive' | 'nova' | 'effort' | 'none';
  /** Where `top_k` goes. */
  readonly topK: 'flat' | 'nested' | 'none';
  /** Takes a tool choice that forces a call. */
  readonly forcedTools: boolean;
  /** Says whether a tool failed, and takes cache points. */
  readonly toolStatus: boolean;
  readonly cachePoints: boolean;
};

const PLAIN: ConverseFacts = {
  reasoning: 'none',
  topK: 'none',
  forcedTools: false,
  toolStatus: false,
  cachePoints: false,
};

const FAMILIES: readonly (readonly [RegExp, ConverseFacts])[] = [
  [/anthropic\.claude/, { reasoning: 'budget', topK: 'flat', forcedTools: true, toolStatus: true, cachePoints: true }],
  [/amazon\.nova/, { reasoning: 'nova', topK: 'nested', forcedTools: true, toolStatus: true, cachePoints: true }],
  [/openai\./, { ...PLAIN, reasoning: 'effort' }],
  [/mistral\./, { ...PLAIN, forcedTools: true }],
];

export function factsOf(card: ModelCard): ConverseFacts {
  const family = FAMILIES.find(([pattern]) => pattern.test(card.id))?.[1] ?? PLAIN;
  // Cards are written by programmers beside the wire that they configure; foreign words in them are never read.
  return { ...family, ...(card.wire as Partial<ConverseFacts> | undefined) };
}

export const CHAT = {
  capabilities: CHAT_CAPABILITIES.filter((name) => name !== 'json-schema' && name !== 'json-mode'),
  contextTokens: 128_000,
  // Amazon keeps neither prompts nor answers, and the makers of the models see none.
  retention: 'none',
} as const satisfies Partial<ModelCardFields>;

/** A card of a model that nobody described: what its family does, without a price. */
export function undescribed(id: string): ModelCard {
  const facts = factsOf(modelCard({ id }));
  return modelCard({
    id,
    ...CHAT,
    capabilities: [
      ...CHAT.capabilities,
      'image-in',
      'file-in',
      ...(facts.forcedTools ? (['json-schema'] as const) : []),
      ...(facts.reasoning === 'none' ? [] : (['reasoning'] as const)),
    ],
  });
}

// ---------------------------------------------------------------------------------------------------- outputs

/** The way in which a model is held to a JSON Schema. Encoding and decoding must agree on it. */
export type OutputPlan =
  | { readonly way: 'text' }
  /** The answer is the input of a tool that the model has to call. */
  | { readonly way: 'tool'; readonly name: string; readonly schema: JsonSchema }
  | { readonly way: 'prompt'; readonly schema: JsonSchema | undefined };

export function outputPlan({ output, tools = [], reasoning }: ChatRequest, facts: ConverseFacts): OutputPlan {
  if (output === undefined) return { way: 'text' };
  const { schema, name = 'output' } = output;
  const tool = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  // What reasons cannot be forced to call; a tool takes an object.
  const thinks = (reasoning?.effort ?? 'none') !== 'none' || (reasoning?.budgetTokens ?? 0) > 0;
  const free = facts.forcedTools && !thinks && !tools.some((offered) => offered.name === tool);
  return free && schema?.type === 'object' ? { way: 'tool', name: tool, schema } : { way: 'prompt', schema };
}
