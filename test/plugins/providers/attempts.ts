/** One attempt at a provider, for the tests of providers. */
import type { Clock, ModelEvent, ModelRequest, ModelResponse, Provider, Target, Transport } from 'polyphony';
import { collect } from 'polyphony/kit';
import { providerContext } from 'polyphony/testing';

export type ChatExtras = Omit<Extract<ModelRequest, { operation: 'chat' }>, 'operation' | 'messages'>;

export const chat = (
  content: string | Extract<ModelRequest, { operation: 'chat' }>['messages'],
  extras: ChatExtras = {},
): ModelRequest => ({
  operation: 'chat',
  messages: typeof content === 'string' ? [{ role: 'user', content }] : content,
  ...extras,
});

export interface AttemptOptions {
  readonly target?: Partial<Target>;
  readonly signal?: AbortSignal;
  /** @default the system's */
  readonly clock?: Clock;
}

/** The events of one attempt, `route` included. */
export async function* speak(
  provider: Provider,
  transport: Transport,
  request: ModelRequest,
  { target, signal = new AbortController().signal, clock }: AttemptOptions = {},
): AsyncGenerator<ModelEvent> {
  const chosen: Target = { provider: provider.id, model: provider.models[0]?.id ?? 'm', ...target };
  yield { type: 'route', target: chosen };
  const call = { id: 'call', request, signal, purpose: 'answer' as const, scopes: [], trace: { attempts: [] } };
  yield* provider.stream({ ...call, target: chosen, number: 1 }, providerContext(transport, clock));
}

export async function ask(
  provider: Provider,
  transport: Transport,
  request: ModelRequest,
  options: AttemptOptions = {},
): Promise<ModelResponse> {
  const signal = options.signal ?? new AbortController().signal;
  return collect(speak(provider, transport, request, { ...options, signal }), { signal, trace: { attempts: [] } });
}
