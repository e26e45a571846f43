/** The servers of the soak, in a process of their own: four wires under one port, failing at random from a seed. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seededRandom } from '../../../src/testing/fakes.ts';
import { ERROR_EVENTS, HEAD, streamOf, WIRE_NAMES, wholeOf } from '../wires.ts';

/** Shares of what becomes of a request; the rest is answered well. */
const SHARES = [
  ['overloaded', 0.06],
  ['limited', 0.04],
  ['reset', 0.04],
  ['reset-in-answer', 0.04],
  ['cut', 0.04],
  ['stall', 0.01],
  ['error-in-answer', 0.03],
  ['malformed', 0.02],
  ['page', 0.02],
  ['slow', 0.05],
] as const;
type Fault = (typeof SHARES)[number][0] | 'none';

const random = seededRandom(Number(process.argv[2] ?? 1));

function drawn(): Fault {
  let left = random();
  for (const [fault, share] of SHARES) {
    if (left < share) return fault;
    left -= share;
  }
  return 'none';
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  response.on('error', () => {});
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    const wire = WIRE_NAMES.find((name) => request.url?.startsWith(`/${name}`)) ?? 'chat';
    const streamed = /"stream":true|streamGenerateContent/.test(`${request.url}${body}`);
    const fault = request.url?.includes('/bad') === true && request.method === 'POST' ? drawn() : 'none';
    const type = streamed ? 'text/event-stream' : 'application/json';
    const events = streamed ? streamOf(wire) : [wholeOf(wire)];
    const refuse = (status: number, headers: Readonly<Record<string, string>> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end('{"error":{"message":"Not now.","type":"server_error"}}');
    };
    const answer = (parts: readonly string[], end: () => void): void => {
      response.writeHead(200, { 'content-type': type });
      response.write(parts.join(''), end);
    };
    const part = streamed ? events.slice(0, HEAD[wire] + 1) : [(events[0] ?? '').slice(0, 30)];
    if (fault === 'overloaded') refuse(503);
    else if (fault === 'limited') refuse(429, { 'retry-after-ms': '50' });
    else if (fault === 'reset') request.socket.resetAndDestroy();
    else if (fault === 'reset-in-answer') answer(part, () => request.socket.resetAndDestroy());
    else if (fault === 'cut') answer(part, () => response.end());
    else if (fault === 'stall') answer(part, () => {});
    else if (fault === 'error-in-answer') answer([ERROR_EVENTS[wire]], () => response.end());
    else if (fault === 'malformed') answer(streamed ? ['data: {"a\n\n', ...events] : ['{"a'], () => response.end());
    else if (fault === 'page') {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<html>Log in.</html>');
    } else if (fault === 'slow') setTimeout(() => answer(events, () => response.end()), 150);
    else answer(events, () => response.end());
  });
});

server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
