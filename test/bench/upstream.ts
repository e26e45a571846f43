/**
 * A server for benchmarks, in a process of its own: POST /v1/chat/completions answers at once, streamed when asked to.
 * The number of chunks comes in the model's name: `chunks-500`. A name such as `late-60-1.0-0.02` waits before its first chunk:
 * log-normal with that median in milliseconds and that sigma, and 3 seconds for that share of the requests. Tells its parent
 * the port.
 */
import { createServer, type ServerResponse } from 'node:http';

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

async function stream(response: ServerResponse, count: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ role: 'assistant', content: '' }));
  for (let sent = 0; sent < count; sent += 1) {
    // Each chunk is a write of its own, as a model makes them; the kernel may join some.
    if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve));
    if (sent % 8 === 7) await new Promise(setImmediate);
  }
  response.end(`${chunk({}, 'stop')}data: ${JSON.stringify({ id: 'c', choices: [], usage })}\n\ndata: [DONE]\n\n`);
}

/** mulberry32, so that every run has the same waits. */
let state = 7;
function uniform(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}

function waitMs(model: RegExpExecArray): number {
  const [, median, sigma, share] = model.map(Number);
  if (uniform() < (share ?? 0)) return 3000;
  // Box and Muller: two uniform numbers make a normal one.
  const normal = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return (median ?? 0) * Math.exp((sigma ?? 0) * normal);
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    if (!body.includes('"stream":true')) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
      response.end(answer);
      return;
    }
    const late = /"late-(\d+)-([\d.]+)-([\d.]+)"/.exec(body);
    if (late !== null) {
      setTimeout(() => void stream(response, 3), waitMs(late));
      return;
    }
    void stream(response, Number(/"chunks-(\d+)"/.exec(body)?.[1] ?? 100));
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit());
