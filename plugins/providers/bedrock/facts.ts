/** What a model of this wire format accepts beyond its capabilities: by its family, or by its card, under `wire`. */
import {
  CHAT_CAPABILITIES,
  type ChatRequest,
  closedSchema,
  type JsonSchema,
  type ModelCard,
  type ModelCardFields,
  modelCard,
} from 'polyphony/kit';
import { formOf } from './embeddings.ts';

export type ConverseFacts = {
  /** How reasoning is requested: a budget, adaptive thinking, Nova's fields, `reasoning_effort`, or not at all. */
  readonly reasoning: 'budget' | 'adaptive' | 'nova' | 'effort' | 'none';
  /** Where `top_k` is placed in the body. */
  readonly topK: 'flat' | 'nested' | 'none';
  /** Supports a tool choice that forces a call. */
  readonly forcedTools: boolean;
  /** `toolStatus`: supports the status of a failed tool. `cachePoints`: supports cache points. */
  readonly toolStatus: boolean;
  readonly cachePoints: boolean;
  /** Follows a JSON Schema (`outputConfig.textFormat`, strict tools). */
  readonly structured: boolean;
};

const PLAIN: ConverseFacts = {
  reasoning: 'none',
  topK: 'none',
  forcedTools: false,
  toolStatus: false,
  cachePoints: false,
  structured: false,
};

const CLAUDE = { reasoning: 'budget', topK: 'flat', forcedTools: true, toolStatus: true, cachePoints: true } as const;
const NOVA = { reasoning: 'nova', topK: 'nested', forcedTools: true, toolStatus: true, cachePoints: true } as const;

/** The first matching pattern decides. */
const FAMILIES: readonly (readonly [RegExp, ConverseFacts])[] = [
  [/anthropic\.claude-[a-z]+-(?:4-[5-9]|[5-9])/, { ...CLAUDE, structured: true }],
  [/anthropic\.claude/, { ...CLAUDE, structured: false }],
  [/amazon\.nova/, { ...NOVA, structured: false }],
  [/openai\./, { ...PLAIN, reasoning: 'effort' }],
  [/mistral\.mistral-large-3/, { ...PLAIN, forcedTools: true, structured: true }],
  [/mistral\./, { ...PLAIN, forcedTools: true }],
  // The profile of an application does not name its model. A mark of the caller is not lost for that.
  [/:application-inference-profile\//, { ...PLAIN, cachePoints: true }],
  [/(?:qwen\.qwen3|google\.gemma-3|nvidia\.nemotron|minimax\.|zai\.)/, { ...PLAIN, structured: true }],
];

export function factsOf(card: ModelCard): ConverseFacts {
  const family = FAMILIES.find(([pattern]) => pattern.test(card.id))?.[1] ?? PLAIN;
  // Cards are written by programmers next to the wire format that they configure; unknown fields in them are never read.
  return { ...family, ...(card.wire as Partial<ConverseFacts> | undefined) };
}

export const CHAT = {
  capabilities: CHAT_CAPABILITIES.filter((name) => name !== 'json-schema' && name !== 'json-mode'),
  contextTokens: 128_000,
  // What differs is said on the card: docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html.
  retention: 'none',
} as const satisfies Partial<ModelCardFields>;

export const EMBEDDING = {
  operations: ['embed'],
  capabilities: ['embeddings'],
  contextTokens: 8192,
  maxOutputTokens: 0,
  retention: 'none',
} as const satisfies Partial<ModelCardFields>;

/** The region that an ARN names: what it stands for exists only there. Undefined for an id. */
export const regionOfArn = (id: string): string | undefined => /^arn:[^:]+:bedrock:([a-z0-9-]+):/.exec(id)?.[1];

/** Where the model runs. A profile is asked in its region, but may run in others: no claim that it stays in one. */
function regionsOf(id: string): Pick<ModelCardFields, 'regions'> {
  const region = regionOfArn(id);
  if (region === undefined) return {};
  return { regions: id.includes('-profile/') ? [] : [region] };
}

/** A card for an unknown model: what its family supports, without a price. Some models keep requests, so it may be one of them. */
export function undescribed(id: string): ModelCard {
  const regions = regionsOf(id);
  const kept = { retention: 'unknown' } as const;
  if (formOf({ id }) !== undefined) return modelCard({ id, ...EMBEDDING, ...regions, ...kept });
  const facts = factsOf(modelCard({ id }));
  return modelCard({
    id,
    ...CHAT,
    ...regions,
    ...kept,
    capabilities: [
      ...CHAT.capabilities,
      'image-in',
      'file-in',
      ...(facts.forcedTools || facts.structured ? (['json-schema'] as const) : []),
      ...(facts.reasoning === 'none' ? [] : (['reasoning'] as const)),
    ],
  });
}

// ---------------------------------------------------------------------------------------------------- outputs

/** How a JSON Schema is enforced. Encoding and decoding must agree on it. */
export type OutputPlan =
  | { readonly way: 'text' }
  | { readonly way: 'format'; readonly name: string; readonly schema: JsonSchema }
  /** The answer is the input of a tool that the model must call. */
  | { readonly way: 'tool'; readonly name: string; readonly schema: JsonSchema }
  | { readonly way: 'prompt'; readonly schema: JsonSchema | undefined };

export function outputPlan({ output, tools = [], reasoning }: ChatRequest, facts: ConverseFacts): OutputPlan {
  if (output === undefined) return { way: 'text' };
  const { schema, name = 'output' } = output;
  const tool = name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64);
  const closed = facts.structured && output.strict !== false && schema !== undefined ? closedSchema(schema) : undefined;
  if (closed !== undefined) return { way: 'format', name: tool, schema: closed };
  // A model cannot be forced to call while it reasons, and the input of a tool must be an object.
  const thinks = (reasoning?.effort ?? 'none') !== 'none' || (reasoning?.budgetTokens ?? 0) > 0;
  const free = facts.forcedTools && !thinks && !tools.some((offered) => offered.name === tool);
  return free && schema?.type === 'object' ? { way: 'tool', name: tool, schema } : { way: 'prompt', schema };
}
