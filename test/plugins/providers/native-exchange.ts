/** One call of a provider with a wire of its own against a server that answers a given body. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ModelEvent, ModelRequest, ModelResponse, Provider, Target } from 'polyphony';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat, speak } from './attempts.ts';
import { transport } from './exchange.ts';

export type Json = Record<string, unknown>;
export type Make = (baseURL: string) => Provider;

export interface Sent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
  readonly response: ModelResponse;
}

export interface Answer {
  readonly text: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends the request to a server that answers so, and says what arrived there and what came of it. */
export async function send(
  make: Make,
  answer: string | Answer,
  request: ModelRequest = chat('Hi'),
  target: Partial<Target> = {},
): Promise<Sent> {
  const { text, status = 200, headers = {} } = typeof answer === 'string' ? { text: answer } : answer;
  const server = await loopback((_, response) => {
    response.writeHead(status, headers);
    response.end(text);
  });
  const response = await ask(make(server.url), transport, request, { target });
  const [received] = server.received;
  const body = JSON.parse(received?.body ?? '{}') as Json;
  return { path: received?.path ?? '', headers: received?.headers ?? {}, body, response };
}

/** The events of an answer, one by one. */
export async function heard(make: Make, answer: string, target: Partial<Target>): Promise<readonly ModelEvent[]> {
  const server = await loopback((_, response) => void response.end(answer));
  const events: ModelEvent[] = [];
  for await (const event of speak(make(server.url), transport, chat('Hi'), { target })) events.push(event);
  return events;
}

/** Events as this provider's streams have them: each is named by its type. */
export const namedEvents = (documents: readonly Json[]): string =>
  documents.map((document) => `event: ${document.type}\ndata: ${JSON.stringify(document)}\n\n`).join('');

export const events = (documents: readonly unknown[], end = '\r\n\r\n'): string =>
  documents.map((document) => `data: ${JSON.stringify(document)}${end}`).join('');
