/** Answers of the Converse wire. */
import type { ModelRequest } from 'polyphony';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { frame } from './bedrock-frame.ts';
import { transport } from './exchange.ts';
import type { Json, Sent } from './native-exchange.ts';

export const event = (type: string, payload: Json): Buffer =>
  frame(
    { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' },
    JSON.stringify(payload),
  );
export const exception = (type: string, payload: Json): Buffer =>
  frame({ ':exception-type': type, ':message-type': 'exception' }, JSON.stringify(payload));

export const delta = (contentBlockIndex: number, fields: Json): Buffer =>
  event('contentBlockDelta', { contentBlockIndex, delta: fields });
export const stopped = (contentBlockIndex: number): Buffer => event('contentBlockStop', { contentBlockIndex });
export const called = (contentBlockIndex: number, toolUse: Json): Buffer =>
  event('contentBlockStart', { contentBlockIndex, start: { toolUse } });
export const ending = (stopReason: string): Buffer => event('messageStop', { stopReason });
export const metadata = (usage: Json = { inputTokens: 10, outputTokens: 5, totalTokens: 15 }): Buffer =>
  event('metadata', { usage, metrics: { latencyMs: 1 } });

export const stream = (blocks: readonly Buffer[], reason = 'end_turn', usage?: Json): Buffer =>
  Buffer.concat([event('messageStart', { role: 'assistant' }), ...blocks, ending(reason), metadata(usage)]);

export const HELLO = stream([delta(0, { text: 'Hello' }), stopped(0)]);

export interface Given {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const CLAUDE = 'anthropic.claude-x-v1:0';

/** What came of an answer, written a few bytes at a time. */
export async function answered(
  bytes: Buffer | string,
  request: ModelRequest = chat('Hi'),
  model = CLAUDE,
  { status = 200, headers = {} }: Given = {},
): Promise<Sent> {
  const server = await loopback((_, response) => {
    response.writeHead(status, headers);
    const all = Buffer.from(bytes);
    for (let at = 0; at < all.length; at += 7) response.write(all.subarray(at, at + 7));
    response.end();
  });
  const provider = bedrock({ baseURL: server.url, apiKey: 'token', region: 'eu-west-1' });
  const response = await ask(provider, transport, request, { target: { model } });
  const [received] = server.received;
  const body = JSON.parse(received?.body ?? '{}') as Json;
  return { path: received?.path ?? '', headers: received?.headers ?? {}, body, response };
}

export const sentFor = (request: ModelRequest, model?: string): Promise<Sent> => answered(HELLO, request, model);
