/** One call against a server of the chat-completions wire that answers a given body. */
import { type ModelRequest, type ModelResponse, PolyphonyError } from 'polyphony';
import type { ChatCompletionsQuirks } from 'polyphony/kit';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { transport } from '../../gateway/transport/open-transport.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';

export { transport };

export interface Exchange {
  readonly response: ModelResponse;
  readonly body: Record<string, unknown>;
}

export async function exchange(
  answer: string,
  request: ModelRequest = chat('Hi'),
  quirks: ChatCompletionsQuirks = {},
  type = 'text/event-stream',
): Promise<Exchange> {
  const server = await loopback((_, response) => {
    response.setHeader('content-type', type);
    response.end(answer);
  });
  const provider = openaiCompatible({ baseURL: server.url, quirks });
  const response = await ask(provider, transport, request);
  return { response, body: JSON.parse(server.received[0]?.body ?? '') as Record<string, unknown> };
}

export async function failure(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}

/** A chunk of a stream. */
export const delta = (fields: object, finish_reason: string | null = null, rest: object = {}): object => ({
  id: 'r1',
  model: 'm-1',
  choices: [{ index: 0, delta: fields, finish_reason }],
  ...rest,
});
export const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
export const codes = (response: ModelResponse): readonly string[] => response.warnings.map(({ code }) => code);
export const withoutDone = (text: string): string => text.replace('data: [DONE]\n\n', '');
