/** A server that records what comes in and answers every operation of the wire. */
import OpenAI from 'openai';
import { type Loopback, loopback, sse } from '../../kit/loopback.ts';

const ANSWERS: Readonly<Record<string, unknown>> = {
  '/embeddings': { data: [{ embedding: 'AACAPwAAAEA=', index: 0 }], model: 'e', usage: { prompt_tokens: 1 } },
  '/images/generations': { data: [{ b64_json: 'aGk=' }], usage: { input_tokens: 1, output_tokens: 2 } },
  '/images/edits': { data: [{ b64_json: 'aGk=' }], usage: { input_tokens: 1, output_tokens: 2 } },
  '/moderations': { results: [{ flagged: false, categories: { hate: false }, category_scores: { hate: 0.1 } }] },
};
const STREAM = sse([
  { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] },
  { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } },
]);

export interface Recorder {
  readonly server: Loopback;
  /** The official client, pointed at the server. */
  readonly client: OpenAI;
}

export async function recorder(): Promise<Recorder> {
  const server = await loopback((call, response) => {
    const answer = ANSWERS[call.path];
    response.setHeader('content-type', answer === undefined ? 'text/event-stream' : 'application/json');
    response.end(answer === undefined ? STREAM : JSON.stringify(answer));
  });
  return { server, client: new OpenAI({ apiKey: 'test-key', baseURL: server.url, maxRetries: 0 }) };
}
