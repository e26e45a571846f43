/** One call of a vendor's provider against a server that answers a given body. */
import type { ModelRequest, Provider } from 'polyphony';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { delta, usage } from './exchange.ts';
import { type Sent, send } from './native-exchange.ts';

export const hi = sse([delta({ content: 'Hi' }, 'stop', { usage })]);

type Vendor = (options: { readonly baseURL: string; readonly apiKey: string }) => Provider;

export const exchangeWith = (
  vendor: Vendor,
  model: string,
  request: ModelRequest = chat('x'),
  answer = hi,
): Promise<Sent> => send((baseURL) => vendor({ baseURL, apiKey: 'test-key' }), answer, request, { model });

/** A conversation that calls a tool and gets its result. */
export const called = (id = 'call_abcdefghijkl', reasoning: readonly object[] = []): ModelRequest =>
  chat([
    { role: 'user', content: 'Weather?', name: 'ann' },
    {
      role: 'assistant',
      content: [...(reasoning as never[]), { type: 'tool-call', id, name: 'weather', arguments: { city: 'Rome' } }],
    },
    { role: 'tool', content: [{ type: 'tool-result', id, content: 'Sunny' }] },
  ]);

export const json = (body: object): string => JSON.stringify(body);
