/** A server of batches on the loopback, and what is asked of it. */
import type { ServerResponse } from 'node:http';
import { PolyphonyError } from 'polyphony';
import type { BatchAnswer, BatchContext, NewBatch } from '../../../src/core/model/batch.ts';
import type { ModelRequest } from '../../../src/core/model/model.ts';
import type { Provider } from '../../../src/core/model/provider.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { transport } from '../../gateway/transport/open-transport.ts';
import { loopback, type Received } from '../../kit/loopback.ts';

export const contextOf = (model: string, provider: string): BatchContext => ({
  target: { provider, model },
  signal: new AbortController().signal,
  transport,
  clock: systemClock,
  report: () => undefined,
});

export const requests = new Map<string, ModelRequest>(
  ['r1', 'r2', 'r3', 'r4'].map((id) => [
    id,
    { operation: 'chat', messages: [{ role: 'user', content: `ask ${id}` }], maxOutputTokens: 20 },
  ]),
);
export const asNew: NewBatch = { key: 'batch_7', requests: [...requests].map(([id, request]) => ({ id, request })) };

export type Serve = (request: Received) => unknown;

/** Each answer is JSON, or text as it is; undefined is a 404. */
export async function served(serve: Serve) {
  return loopback((request: Received, response: ServerResponse) => {
    const answer = serve(request);
    response.statusCode = answer === undefined ? 404 : 200;
    response.setHeader('content-type', typeof answer === 'string' ? 'application/x-jsonl' : 'application/json');
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: { message: 'none' } }));
  });
}

export async function read(provider: Provider, id: string, context: BatchContext): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  const answers: AsyncIterable<BatchAnswer> = provider.batch?.results(id, requests, context) ?? never();
  for await (const answer of answers) said[answer.id] = `${said[answer.id] ?? ''}${await textOf(answer)}`;
  return said;
}

async function textOf(answer: BatchAnswer): Promise<string> {
  if ('error' in answer) return answer.error.code;
  let text = '';
  try {
    for await (const event of answer.events) if (event.type === 'text-delta') text += event.text;
  } catch (error) {
    return error instanceof PolyphonyError ? error.code : 'thrown';
  }
  return text;
}

function never(): never {
  throw new Error('the provider has no batches');
}

export const lines = (...records: readonly unknown[]): string =>
  `${records.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n')}\n`;
