/** A plugin's request layer alone around fake models: every attempt is priced and recorded as the gateway's rings do. */
import type {
  Attempt,
  AttemptRecord,
  Call,
  CallOptions,
  CallTrace,
  Candidate,
  ChatRequest,
  Evaluator,
  Gateway,
  Handler,
  ModelEvent,
  ModelRequest,
  ModelResponse,
  Plugin,
  PluginContext,
  PluginParts,
  RequestRingLayer,
  Target,
} from 'polyphony';
import { asPolyphonyError, collect } from 'polyphony/kit';
import { type FakeProvider, type FakeRuntime, fakeCard, fakeRuntime, providerContext } from 'polyphony/testing';
import { memoryStores } from '../../src/stores/memory.ts';
import { silentLogger } from '../../src/system/logger.ts';

export interface Ring {
  readonly runtime: FakeRuntime;
  readonly context: PluginContext;
  readonly handle: Handler;
  call(request: ModelRequest, fields?: Partial<Call>): Call;
  ask(request: ModelRequest, fields?: Partial<Call>): Promise<ModelResponse>;
}

export interface RingOptions {
  readonly provider: FakeProvider;
  readonly plugin: Plugin;
  readonly runtime?: FakeRuntime;
  readonly evaluators?: readonly Evaluator[];
  readonly store?: PluginContext['store'];
  /** What an attempt at a model costs. @default 100 */
  readonly price?: (model: string) => number;
}

/** What the plugin brings to a polyphony whose context this is. */
export async function partsOf(plugin: Plugin, context: PluginContext): Promise<PluginParts> {
  return { ...plugin, ...((await plugin.setup?.(context)) ?? {}) };
}

const unused = (): never => {
  throw new Error('not part of this ring');
};

/** Which model a request means: its id, or the first of its tier, or the first. */
function targetOf(provider: FakeProvider, { model }: ModelRequest): Target {
  const choice = typeof model === 'string' ? { id: model } : (model ?? {});
  const id = choice.id?.replace(`${provider.id}/`, '');
  const card = provider.models.find((one) =>
    id === undefined ? (choice.tier ?? one.tier) === one.tier : one.id === id,
  );
  return { provider: provider.id, model: (card ?? fakeCard({ id: id ?? 'none' })).id };
}

export async function pluginRing(options: RingOptions): Promise<Ring> {
  const { provider, plugin, runtime = fakeRuntime(), price = () => 100 } = options;
  const numbers = new WeakMap<CallTrace, number>();
  const attemptRing: Handler = async function* (call) {
    const target = targetOf(provider, call.request);
    const number = (numbers.get(call.trace) ?? 0) + 1;
    numbers.set(call.trace, number);
    const attempt: Attempt = { ...call, target, number };
    const record = (fields: Pick<AttemptRecord, 'outcome' | 'usage'> & Partial<AttemptRecord>): void => {
      const started = { key: `${call.id}/${number}`, target, purpose: call.purpose, startedAt: 0, queueMs: 0 };
      call.trace.attempts.push({
        ...started,
        firstTokenMs: 1,
        totalMs: 1,
        costNanoUsd: price(target.model),
        ...fields,
      });
    };
    let settled = false;
    try {
      yield { type: 'route', target };
      for await (const event of provider.stream(
        attempt,
        providerContext({ request: unused, close: async () => undefined }),
      )) {
        if (event.type !== 'finish') yield event;
        else {
          settled = true;
          record({ outcome: 'ok', usage: event.usage });
          yield { ...event, costNanoUsd: price(target.model) };
        }
      }
    } catch (error) {
      const { code, message } = asPolyphonyError(error);
      if (!settled) record({ outcome: 'error', usage: null, error: { code, message } });
      settled = true;
      throw error;
    } finally {
      if (!settled) record({ outcome: 'cancelled', usage: null });
    }
  };
  const call = (request: ModelRequest, fields: Partial<Call> = {}): Call => ({
    id: runtime.ids('call'),
    request,
    signal: new AbortController().signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
    ...fields,
  });
  const candidate = (target: Target): Candidate => ({
    target,
    card: fakeCard({ id: target.model }),
    score: 1,
    parts: {},
    estimatedNanoUsd: price(target.model),
  });
  const inner: Gateway['call'] = (request, { trace, purpose, signal, scopes } = {}) => {
    const made = call(request, {
      ...(trace === undefined ? {} : { trace }),
      ...(purpose === undefined ? {} : { purpose }),
      ...(signal === undefined ? {} : { signal }),
      ...(scopes === undefined ? {} : { scopes }),
    });
    return collect(attemptRing(made), made);
  };
  const gateway: Gateway = {
    generate: ((request: ChatRequest, given?: CallOptions) =>
      inner({ ...request, operation: 'chat' } as ModelRequest, given)) as Gateway['generate'],
    stream: unused,
    embed: unused,
    image: unused,
    moderate: (request, given) => inner({ ...request, operation: 'moderate' }, given),
    rerank: unused,
    call: inner,
    explain: (request) => ({
      requestRing: [],
      attemptRing: [],
      candidates: [candidate(targetOf(provider, request))],
      rejected: [],
    }),
    models: () => provider.models.map((card) => ({ provider: provider.id, card })),
    statistics: () => [],
    health: () => [],
    reviveCredentials: () => 0,
  };
  const context: PluginContext = {
    gateway,
    ...runtime,
    store: options.store ?? memoryStores({ clock: runtime.clock }).keyValue,
    logger: silentLogger,
    evaluators: new Map((options.evaluators ?? []).map((evaluator) => [evaluator.name, evaluator])),
  };
  const parts = await partsOf(plugin, context);
  await parts.ready?.();
  const handle: Handler = (made) => requestLayer(parts)?.handle(made, attemptRing) ?? attemptRing(made);
  return {
    runtime,
    context,
    handle,
    call,
    ask(request, fields) {
      const made = call(request, fields);
      return collect(handle(made), made);
    },
  };
}

export const chat = (text: string, fields: Partial<ModelRequest> = {}): ModelRequest =>
  ({ operation: 'chat', messages: [{ role: 'user', content: text }], ...fields }) as ModelRequest;

export async function eventsOf(stream: AsyncIterable<ModelEvent>): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** The one layer of a plugin that brings no more than one. */
export function requestLayer({ request }: PluginParts): RequestRingLayer | undefined {
  return [request ?? []].flat()[0];
}
