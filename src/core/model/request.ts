/** Requests to models, and the requirements that a target must satisfy. */
import type { ImagePart, JsonSchema, MediaSource, Message, TextPart } from './message.ts';

/** What a model can do. Requests and model cards use the same words. */
export const CAPABILITIES = [
  'text',
  'streaming',
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
  'logprobs',
  'seed',
  'stop',
  'temperature',
  'top-p',
  'penalties',
  'system',
  'prefix',
  'prompt-cache',
  'planning',
  'image-out',
  'image-edit',
  'embeddings',
  'moderation',
  'rerank',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const TIERS = ['fast', 'balanced', 'premium'] as const;
export type Tier = (typeof TIERS)[number];

/** Steps from one tier to another; upwards comes before downwards at the same distance. */
export function tierStep(from: Tier, to: Tier): number {
  const difference = TIERS.indexOf(to) - TIERS.indexOf(from);
  return difference >= 0 ? 2 * difference : -2 * difference + 1;
}

/** The tier of these models that is nearest to the asked one; undefined if there are none. */
export function nearestTier(
  asked: Tier,
  models: readonly { readonly card: { readonly tier: Tier } }[],
): Tier | undefined {
  let nearest: Tier | undefined;
  for (const { card } of models) {
    if (nearest === undefined || tierStep(asked, card.tier) < tierStep(asked, nearest)) nearest = card.tier;
  }
  return nearest;
}

export const SENSITIVITIES = ['public', 'internal', 'personal', 'regulated'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** Who waits least where calls have to wait: for a connection, or for room in a limit that an endpoint announced. */
export const PRIORITIES = ['critical', 'normal', 'background'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** The fields of work that strengths are stated for. A model may lack any of them, and a source may bring others. */
export const STRENGTH_FIELDS = [
  'general',
  'reasoning',
  'maths',
  'code',
  'tools',
  'structured',
  'instruction',
  'extraction',
  'creative',
  'multilingual',
  'vision',
  'longContext',
  'grounding',
  'knowledge',
  'search',
  'planning',
] as const;

/** How many aliases of a config may lead from a name to its model, the name itself included. */
export const MOST_ALIASES = 8;

/** The name that a name stands for by the aliases of a config; undefined where they are too many, or lead in a circle. */
export function meantBy(name: string, aliases: Readonly<Record<string, string>>): string | undefined {
  let meant = name;
  for (let step = 0; step <= MOST_ALIASES; step += 1) {
    const next = Object.hasOwn(aliases, meant) ? aliases[meant] : undefined;
    if (next === undefined || next === meant) return meant;
    meant = next;
  }
  return undefined;
}

/** Constraints on the router's choice. A string is short for `{ id }`. */
export interface ModelChoice {
  /** Pins one model: its id (`small-v2`), `provider/model`, or an alias of the config. @default the router's choice */
  readonly id?: string;
  /**
   * The class of the model: a preference. If no registered model of this tier can do what the request needs, the nearest tier
   * answers with the warning `tier-degraded`. @default any
   */
  readonly tier?: Tier;
  /** True: a tier that no model has is refused with `no-route`, here and in the rungs of an escalation. @default false */
  readonly strict?: boolean;
  /** Capabilities that the model must have. @default those that the request needs */
  readonly can?: readonly Capability[];
  /** Fields in which the model should be strong (`code`, `reasoning`); changes the score, excludes no model. @default none */
  readonly strengths?: readonly string[];
  /** A route of the config: its models, within its limits. @default none */
  readonly route?: string;
  /** A task of the config, whose route it takes. @default what the request is about, where the config has tasks */
  readonly task?: string;
}

/** Bounds that a target must keep; a target that cannot is rejected with the bound that it breaks. */
export interface RequestLimits {
  /** The most that the call may cost, in US dollars: compared with the expected cost before routing and with the worst case before sending. */
  readonly usd?: number;
  /** Longest duration of the whole call, in milliseconds. */
  readonly ms?: number;
  /** Longest duration of one attempt, in milliseconds: after that it is tried again. @default `timeouts.totalMs` of the config */
  readonly attemptMs?: number;
  /** Highest observed 95th percentile of the target's total latency, in milliseconds; its card's `expectedMs` before that. */
  readonly p95Ms?: number;
  /**
   * What `p95Ms` means for a target whose latency nobody knows: `last` tries it after all that are known to keep the limit,
   * `refuse` rejects it. @default 'last'
   */
  readonly unknownLatency?: 'last' | 'refuse';
  /** Lowest assumed quality of the target in the requested strengths, 0 to 1. */
  readonly quality?: number;
  /**
   * Lowest mean of the scores that were told of the target's answers in the requested strengths, 0 to 1: see `gateway.report`. A target
   * whose scores, each half after a day, count for fewer than ten is rejected: nobody knows its accuracy.
   */
  readonly accuracy?: number;
  /** Attempts at the same target after the first. @default 2 */
  readonly retries?: number;
  /** @deprecated Write `ms`. */
  readonly milliseconds?: number;
  /** @deprecated Write `p95Ms`. */
  readonly p95Milliseconds?: number;
}

export interface Requirements {
  readonly contextTokens?: number;
  readonly languages?: readonly string[];
  readonly regions?: readonly string[];
  readonly retention?: 'none';
}

export interface EscalationRule {
  readonly evaluator: string;
  /** The next model answers while the score is below this, 0 to 1. @default 0.7 */
  readonly below?: number;
  readonly to: readonly (Tier | (string & {}))[];
  /** @default 'fresh' */
  readonly context?: 'fresh' | 'with-draft';
}

export type CacheMode = 'use' | 'skip' | 'refresh';

/** Bounds as a caller thinks of them; each becomes a limit, and a target of which the figure is not known is rejected. */
export interface Intent {
  /** As `limits.usd`. */
  readonly usd?: number;
  /** As `limits.p95Ms`, and unknown latencies are refused. */
  readonly ms?: number;
  /** As `limits.accuracy`. */
  readonly accuracy?: number;
}

interface RequestBase {
  readonly model?: string | ModelChoice;
  readonly limits?: RequestLimits;
  /** `'under $0.01, under 800 ms, accuracy above 90 %'`, or the same as an object. The stricter of this and `limits` counts. @default none */
  readonly intent?: string | Intent;
  readonly requires?: Requirements;
  readonly optimise?: 'cost' | 'latency' | 'quality' | 'balanced';
  readonly sensitivity?: Sensitivity;
  readonly cache?: CacheMode;
  readonly escalate?: EscalationRule | false;
  /** What happens when a stream fails after its first token. @default 'error' */
  readonly onStreamFailure?: 'error' | 'restart' | 'continue';
  /** Fields that are merged into the wire body, by the id of the provider that they are for. */
  readonly providerOptions?: Readonly<Record<string, JsonSchema>>;
  /** Keeps the provider's own body on the response. @default false */
  readonly includeRaw?: boolean;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonSchema;
  readonly strict?: boolean;
}

/** A tool that the provider runs itself, such as a search of the web. It stands in `tools` beside those of the caller. */
export interface ProviderTool {
  readonly type: 'provider';
  /** `web-search`, `web-fetch`, `code-execution`, or the name that the provider's API gives the tool. */
  readonly name: string;
  /** The id of the only provider that has it; every other target is refused as `unsupported`. @default any that has it */
  readonly provider?: string;
  /** Fields of the tool in the provider's API, merged into those that the name stands for. @default none */
  readonly options?: JsonSchema;
}

/** A chat as a caller asks it: its tools and those of the provider in one list. */
export type AskedChat = Omit<ChatRequest, 'operation' | 'tools' | 'providerTools'> & {
  readonly tools?: readonly (ToolDefinition | ProviderTool)[];
};

export interface OutputFormat {
  readonly type: 'json';
  /** Absent: any JSON. */
  readonly schema?: JsonSchema;
  /** @default 'output' */
  readonly name?: string;
  /**
   * Makes the provider enforce the schema where it can. False: the schema is only a hint (because it has open maps, for
   * example), and the caller validates the answer. @default true
   */
  readonly strict?: boolean;
}

export interface ChatRequest extends RequestBase {
  readonly operation: 'chat';
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[];
  /** The tools of the provider: the gateway takes them out of the list that the caller gave. */
  readonly providerTools?: readonly ProviderTool[];
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly parallelToolCalls?: boolean;
  readonly output?: OutputFormat;
  readonly maxOutputTokens?: number;
  /**
   * Tokens of the visible answer where `maxOutputTokens` is absent. Each model gets this limit, with room for its reasoning,
   * but never more than its card or its window has, so no model is excluded by it. @default no limit
   */
  readonly answerTokens?: number;
  /** A stream whose last so many characters only repeat themselves is stopped with `invalid-output`. @default never */
  readonly repeatedCharacters?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** The number of alternatives per token; true for the chosen token only. */
  readonly logprobs?: boolean | number;
  readonly reasoning?: {
    readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high';
    readonly budgetTokens?: number;
  };
  readonly serviceTier?: string;
  readonly user?: string;
  /**
   * Asks a second target where the first says nothing for unusually long, or for `afterMs` milliseconds. False: never. How many
   * calls may do so is a matter of the config. @default what the config says
   */
  readonly hedge?: boolean | { readonly afterMs?: number };
  /** A model without tools may answer: it gets them described in the prompt. @default what the config says */
  readonly toolsInPrompt?: boolean;
  /** Leaves messages out of the middle where no model has a window for all of them. False: never. @default what the config says */
  readonly fit?: 'middle-out' | false;
}
export interface EmbeddingRequest extends RequestBase {
  readonly operation: 'embed';
  readonly input: readonly string[];
  readonly dimensions?: number;
  readonly purpose?: 'query' | 'document';
}
export interface ImageRequest extends RequestBase {
  readonly operation: 'image';
  readonly prompt: string;
  readonly negativePrompt?: string;
  /** In pixels, such as `1024x1024`; for a model that takes an aspect ratio, it is derived. */
  readonly size?: string;
  /** @default 1 */
  readonly count?: number;
  readonly seed?: number;
  /** An image to edit. */
  readonly image?: MediaSource;
  readonly quality?: string;
}
export interface ModerationRequest extends RequestBase {
  readonly operation: 'moderate';
  readonly input: readonly (TextPart | ImagePart)[];
}
export interface RerankRequest extends RequestBase {
  readonly operation: 'rerank';
  readonly query: string;
  readonly documents: readonly string[];
  readonly top?: number;
}
export type ModelRequest = ChatRequest | EmbeddingRequest | ImageRequest | ModerationRequest | RerankRequest;
export type Operation = ModelRequest['operation'];
