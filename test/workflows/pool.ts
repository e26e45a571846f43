/**
 * A pool of models on a loopback server, whose answers are a script: chat models of two tiers over one wire, a planner, and the
 * picture services with their own wires. No model thinks here; the tests show that the workflows lead from node to node.
 */
import type { ServerResponse } from 'node:http';
import { fal } from '../../plugins/providers/fal.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import { replicate } from '../../plugins/providers/replicate.ts';
import { stability } from '../../plugins/providers/stability.ts';
import { together } from '../../plugins/providers/together.ts';
import type { Provider } from '../../src/index.ts';
import { type Loopback, loopback, type Received, sse } from '../kit/loopback.ts';

export interface Rule {
  /** The words that the request must hold, `fast` or `premium` for the model that is asked among them. */
  readonly asked: readonly string[];
  readonly answer: unknown;
}

/** The smallest PNG: one white pixel. */
export const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=';

const PICTURES: Readonly<Record<string, (url: string) => Provider>> = {
  stability: (baseURL) => stability({ baseURL, apiKey: 'test-key' }),
  together: (baseURL) => together({ baseURL, apiKey: 'test-key' }),
  replicate: (baseURL) => replicate({ baseURL, apiKey: 'test-key' }),
  fal: (baseURL) => fal({ baseURL, apiKey: 'test-key' }),
};
export type PictureService = 'stability' | 'together' | 'replicate' | 'fal';

export interface Pool {
  readonly server: Loopback;
  readonly providers: readonly Provider[];
}

/** The server closes after the test. A path of `down` is answered with 503. */
export async function scriptedPool(
  rules: readonly Rule[],
  pictures: readonly PictureService[] = [],
  down: readonly PictureService[] = [],
): Promise<Pool> {
  const server = await loopback((received, response) => {
    if (received.path.endsWith('/chat/completions')) answerChat(rules, received, response);
    else answerPicture(down, received, response);
  });
  const capabilities = ['text', 'streaming', 'system', 'json-mode', 'json-schema', 'image-in'] as const;
  const shared = { capabilities, contextTokens: 100_000, maxOutputTokens: 8000, price: { input: 1, output: 2 } };
  const chat = openaiCompatible({
    id: 'pool',
    baseURL: `${server.url}/v1`,
    apiKey: 'test-key',
    models: [
      { id: 'fast', tier: 'fast', ...shared },
      { id: 'premium', tier: 'premium', ...shared, price: { input: 5, output: 10 } },
      {
        id: 'planner',
        tier: 'balanced',
        ...shared,
        capabilities: [...capabilities, 'planning'],
      },
    ],
  });
  const makers = pictures.map((name) => PICTURES[name]?.(`${server.url}/${name}`));
  return { server, providers: [chat, ...makers.filter((made) => made !== undefined)] };
}

function answerChat(rules: readonly Rule[], { body }: Received, response: ServerResponse): void {
  const { model, messages, stream } = JSON.parse(body) as { model: string; messages: unknown; stream?: boolean };
  // The chat models of a picture service answer too, by their size.
  const tier = model.includes('/') ? (model.includes('Maverick') ? 'fast' : 'premium') : model;
  const asked = `${tier} ${textsOf(messages).join('\n')}`;
  const rule = rules.find((one) => one.asked.every((word) => asked.includes(word)));
  if (rule === undefined) {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: `no rule for: ${asked.slice(0, 2000)}` } }));
    return;
  }
  const content = typeof rule.answer === 'string' ? rule.answer : JSON.stringify(rule.answer);
  const usage = { prompt_tokens: 20, completion_tokens: 10 };
  response.writeHead(200, { 'content-type': stream === true ? 'text/event-stream' : 'application/json' });
  response.end(
    stream === true
      ? sse([{ choices: [{ index: 0, delta: { content }, finish_reason: 'stop' }] }, { choices: [], usage }])
      : JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
          usage,
        }),
  );
}

/** Every text in the messages, whatever part it stands in. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

function answerPicture(down: readonly string[], { path }: Received, response: ServerResponse): void {
  const service = path.split('/')[1] ?? '';
  response.writeHead(down.includes(service) ? 503 : 200, { 'content-type': 'application/json' });
  if (down.includes(service))
    response.end(JSON.stringify({ error: { message: 'overloaded' }, errors: ['overloaded'] }));
  else if (service === 'stability') response.end(JSON.stringify({ image: PIXEL, finish_reason: 'SUCCESS', seed: 1 }));
  else if (service === 'together') response.end(JSON.stringify({ data: [{ index: 0, b64_json: PIXEL }] }));
  else if (service === 'fal')
    response.end(JSON.stringify({ images: [{ url: `data:image/png;base64,${PIXEL}` }], has_nsfw_concepts: [false] }));
  else response.end(JSON.stringify({ id: 'p', status: 'succeeded', output: [`data:image/png;base64,${PIXEL}`] }));
}
