/**
 * The provider that needs no key and no network: a deterministic engine that answers by extraction, in this process. It
 * is not a language model, and every response has a warning about that. See docs/providers/embedded.md.
 */
import {
  type Attempt,
  abortError,
  type ChatRequest,
  definePlugin,
  estimateRequestTokens,
  estimateTokens,
  type ModelCard,
  type ModelEvent,
  PolyphonyError,
  type Provider,
} from 'polyphony/kit';

export interface EmbeddedOptions {
  /** Requests at the same time; each one blocks the only thread of this process while it computes. @default 8 */
  readonly concurrency?: number;
}

const CONTEXT_TOKENS = 200_000;

const SHARED = {
  operations: ['chat'],
  standIn: true,
  contextTokens: CONTEXT_TOKENS,
  maxOutputTokens: 8_192,
  price: { input: 0, output: 0, source: 'computed in this process' },
  retention: 'none',
  languages: ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'ja', 'zh', 'ko'],
  lifecycle: { stage: 'stable' },
} as const satisfies Partial<ModelCard>;

const MODELS: readonly ModelCard[] = [
  {
    ...SHARED,
    id: 'fast',
    tier: 'fast',
    strengths: { general: 0.05, extraction: 0.3, classification: 0.25, summarisation: 0.25 },
    capabilities: ['text', 'streaming', 'system', 'json-mode', 'json-schema'],
    expectedMs: 20,
  },
  {
    ...SHARED,
    id: 'thorough',
    tier: 'premium',
    strengths: { general: 0.06, extraction: 0.32, classification: 0.25, summarisation: 0.3 },
    capabilities: ['text', 'streaming', 'system', 'json-mode', 'json-schema'],
    expectedMs: 60,
  },
  {
    ...SHARED,
    id: 'planner',
    tier: 'balanced',
    strengths: { general: 0.02, planning: 0.1 },
    capabilities: ['text', 'streaming', 'system', 'json-mode', 'json-schema', 'planning'],
    dedicatedTo: 'planning',
    expectedMs: 10,
  },
];

/** The provider `embedded` with its models `fast`, `thorough` and `planner`. */
export function embedded(options: EmbeddedOptions = {}): Provider {
  return {
    id: 'embedded',
    isOwn: true,
    models: MODELS,
    concurrency: options.concurrency ?? 8,
    stream: streamAnswer,
  };
}

async function* streamAnswer(attempt: Attempt): AsyncGenerator<ModelEvent> {
  const { request, signal } = attempt;
  if (request.operation !== 'chat') {
    const message = `The embedded engine does not support "${request.operation}", only chat: use a model that lists it.`;
    throw new PolyphonyError('unsupported', message);
  }
  const input = estimateRequestTokens(request);
  if (input > CONTEXT_TOKENS) {
    const message = `The request has about ${input} tokens, but the embedded engine reads at most ${CONTEXT_TOKENS}: shorten it.`;
    throw new PolyphonyError('context-window', message);
  }
  if (signal.aborted) throw abortError(signal);
  const { chunks, confidence, done } = await compute(attempt, request);
  const message = `answered by the embedded extractive engine: ${done}, by rules and statistics, without a language model`;
  yield { type: 'warning', warning: { code: 'extractive', message } };
  const most = request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  let output = 0;
  for (const text of chunks) {
    if (signal.aborted) throw abortError(signal);
    const tokens = estimateTokens(text);
    if (output + tokens > most) {
      yield { type: 'finish', reason: 'length', usage: { input, output }, confidence };
      return;
    }
    output += tokens;
    yield { type: 'text-delta', text };
  }
  yield { type: 'finish', reason: 'stop', usage: { input, output }, confidence, model: attempt.target.model };
}

interface Computed {
  readonly chunks: readonly string[];
  readonly confidence: number;
  readonly done: string;
}

async function compute({ purpose, target, signal }: Attempt, request: ChatRequest): Promise<Computed> {
  // The engine, its graph library and its segmenters are loaded at their first use.
  const engine = await import('./embedded/engine.ts');
  if (signal.aborted) throw abortError(signal);
  if (purpose === 'planner') {
    const { text, confidence, done } = engine.respondWithPlan(request);
    return { chunks: engine.plainChunks(text), confidence, done };
  }
  const effort = target.model === 'fast' ? 'fast' : 'thorough';
  const { text, confidence, done } = engine.respond(request, effort);
  const chunks = request.output === undefined ? engine.sentenceChunks(text) : engine.plainChunks(text);
  return { chunks, confidence, done };
}

/** Registers the embedded provider. */
export default definePlugin({ name: 'embedded', providers: [embedded()] });
