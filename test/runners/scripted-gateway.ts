/** A gateway that answers from a script and keeps what it was asked. */
import type { CallOptions, Gateway } from '../../src/core/gateway.ts';
import type { AttemptRecord, ChatRequest, ModelEvent, ModelRequest, Usage } from '../../src/core/model/model.ts';
import type { ModelCard } from '../../src/core/model/provider.ts';
import { collect } from '../../src/core/model/response.ts';

export type Answer = string | Error | readonly ModelEvent[];

export interface Asked {
  readonly request: ModelRequest;
  readonly options: CallOptions;
}

export interface ScriptedGateway extends Gateway {
  readonly asked: Asked[];
}

const TARGET = { provider: 'fake', model: 'one' };
const USAGE: Usage = { input: 10, output: 5 };
export const CALL_COST = 1000;

/** One answer a call, in order; each call costs CALL_COST, also a failed one. */
export function scriptedGateway(answers: readonly Answer[], cards: readonly ModelCard[] = []): ScriptedGateway {
  const asked: Asked[] = [];
  async function* stream(request: ModelRequest, options: CallOptions): AsyncGenerator<ModelEvent> {
    const answer = answers[asked.length] ?? 'ok';
    asked.push({ request, options });
    options.trace?.attempts.push(attempt(`${options.id}/1`, answer instanceof Error));
    yield { type: 'route', target: TARGET };
    if (answer instanceof Error) throw answer;
    if (typeof answer === 'string') yield { type: 'text-delta', text: answer };
    else yield* answer;
    // An answer may say itself how it ended.
    if (typeof answer !== 'string' && answer.at(-1)?.type === 'finish') return;
    yield { type: 'finish', reason: 'stop', usage: USAGE, costNanoUsd: CALL_COST };
  }
  const call: Gateway['call'] = (request, options = {}) => {
    const trace = options.trace ?? { attempts: [] };
    const signal = options.signal ?? new AbortController().signal;
    return collect(stream(request, { ...options, trace }), { trace, signal });
  };
  return {
    asked,
    stream: ((request: ChatRequest, options = {}) =>
      stream({ ...request, operation: 'chat' }, options)) as Gateway['stream'],
    call,
    generate: ((request: ChatRequest, options?: CallOptions) =>
      call({ ...request, operation: 'chat' }, options)) as Gateway['generate'],
    embed: (request, options) => call({ ...request, operation: 'embed' }, options),
    image: (request, options) => call({ ...request, operation: 'image' }, options),
    moderate: (request, options) => call({ ...request, operation: 'moderate' }, options),
    rerank: (request, options) => call({ ...request, operation: 'rerank' }, options),
    explain: () => ({ requestRing: [], attemptRing: [], candidates: [], rejected: [] }),
    models: () => cards.map((card) => ({ provider: TARGET.provider, card })),
    statistics: () => [],
    health: () => [],
    reviveCredentials: () => 0,
  };
}

function attempt(key: string, failed: boolean): AttemptRecord {
  return {
    key,
    target: TARGET,
    purpose: 'answer',
    startedAt: 0,
    queueMs: 0,
    firstTokenMs: 1,
    totalMs: 2,
    outcome: failed ? 'error' : 'ok',
    usage: USAGE,
    costNanoUsd: CALL_COST,
  };
}
