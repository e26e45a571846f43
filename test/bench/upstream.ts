/**
 * A server for benchmarks, in a process of its own: POST /v1/chat/completions answers at once, streamed when asked to.
 * The number of chunks comes in the model's name: `chunks-500`. One that begins with `announced` tells its limits. A name such as `late-60-1.0-0.02` waits before its first chunk:
 * log-normal with that median in milliseconds and that sigma, and 3 seconds for that share of the requests. Tells its parent
 * the port.
 */
import { createServer, type ServerResponse } from 'node:http';
import { waitsOf } from './late.ts';

const usage = { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 };
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'bench',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'An answer of a few words.' }, finish_reason: 'stop' },
    ],
    usage,
  }),
);
const chunk = (delta: object, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
const piece = chunk({ content: 'word ' });

const limits = {
  'x-ratelimit-limit-requests': '1000000',
  'x-ratelimit-remaining-requests': '999999',
  'x-ratelimit-reset-requests': '1s',
  'x-ratelimit-limit-tokens': '100000000',
  'x-ratelimit-remaining-tokens': '99999999',
  'x-ratelimit-reset-tokens': '1s',
  'x-request-id': 'req-1',
};

async function stream(response: ServerResponse, count: number, announced: object = {}): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', ...announced });
  response.write(chunk({ role: 'assistant', content: '' }));
  for (let sent = 0; sent < count; sent += 1) {
    // Each chunk is a write of its own, as a model makes them; the kernel may join some.
    if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
    if (sent % 8 === 7) await new Promise(setImmediate);
  }
  response.end(`${chunk({}, 'stop')}data: ${JSON.stringify({ id: 'c', choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

/** By the name of the model, so that each has its own row of waits. */
const waits = new Map<string, () => number>();

function waitMs([name, median, sigma, stalls]: RegExpExecArray): number {
  const next = waits.get(name) ?? waitsOf({ medianMs: Number(median), sigma: Number(sigma), stalls: Number(stalls) });
  waits.set(name, next);
  return next();
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    const announced = body.includes('"announced') ? limits : {};
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length, ...announced });
      response.end(answer);
      return;
    }
    const late = /"late-(\d+)-([\d.]+)-([\d.]+)"/.exec(body);
    if (late !== null) {
      setTimeout(() => void stream(response, 3), waitMs(late));
      return;
    }
    void stream(response, Number(/chunks-(\d+)"/.exec(body)?.[1] ?? 100), announced);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit());
