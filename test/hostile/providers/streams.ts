/** Servers whose streams do not end, do not begin, or come in another order; and connections that break. */
import type { ServerResponse } from 'node:http';
import { each, type Family } from '../harness/report.ts';
import { pour } from './bodies.ts';
import type { HttpCase, SocketCase } from './provider-case.ts';
import { chunk, dataLines, WIRES } from './wires.ts';

const MEGABYTE = 2 ** 20;
const { whole, stream, usage } = WIRES.chat;
const text = chunk({ content: 'x' });
const end = chunk({}, { finish_reason: 'stop' });

const opened = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

/** A stream for those who ask for one or not. */
const streamed =
  (lines: () => string): HttpCase['respond'] =>
  (response) =>
    void opened(response).end(lines());

const poured =
  (piece: string): HttpCase['respond'] =>
  (response) =>
    pour(opened(response), piece);

const toolCall = (index: unknown, rest: object = {}): unknown =>
  chunk({
    tool_calls: [{ index, id: `c${index}`, type: 'function', function: { name: 't', arguments: '{}' }, ...rest }],
  });

const ORDERS: Readonly<Record<string, () => string>> = {
  nothing: () => '',
  'only-done': () => 'data: [DONE]\n\n',
  'no-done': () => dataLines([text, end]),
  'no-end': () => dataLines([text]),
  'end-first': () => dataLines([end, text, text, '[DONE]']),
  'two-ends': () =>
    dataLines([text, end, end, { choices: [], usage: usage(3) }, { choices: [], usage: usage(9) }, '[DONE]']),
  'done-twice': () => dataLines([text, '[DONE]', end, text, '[DONE]']),
  'error-in-the-middle': () => dataLines([text, { error: { message: 'no', code: 500 } }, text, end]),
  'html-in-the-middle': () => `${dataLines([text])}<html>bad gateway</html>\n\n`,
  'not-json': () => dataLines([text, '{"choices":[', text, end, '[DONE]']),
  'null-events': () => dataLines(['null', text, 'null', '[]', '1', '""', end, '[DONE]']),
  'null-fields': () =>
    dataLines([{ choices: null }, { choices: [null] }, { choices: [{ delta: null }] }, end, '[DONE]']),
  'many-choices': () =>
    dataLines([{ choices: Array.from({ length: 50_000 }, (_, index) => ({ index, delta: { content: 'x' } })) }, end]),
  'other-choices': () =>
    dataLines([
      { choices: [{ index: -1, delta: { content: 'x' } }] },
      { choices: [{ index: 1e9, delta: { content: 'x' } }] },
      end,
    ]),
  'names-by-the-thousand': () =>
    Array.from({ length: 100_000 }, (_, index) => `event: e${index}\ndata: {}\n\n`).join('') + dataLines([end]),
  'ids-by-the-thousand': () => `id: ${'1'.repeat(1000)}\nretry: 99999999999\n`.repeat(5000) + dataLines([text, end]),
  'comments-by-the-thousand': () => ': ping\n\n'.repeat(200_000) + dataLines([text, end, '[DONE]']),
  'empty-deltas': () => dataLines(Array.from({ length: 100_000 }, () => chunk({ content: '' }))) + dataLines([end]),
  'a-letter-an-event': () => dataLines(Array.from({ length: 50_000 }, () => text)) + dataLines([end]),
  'data-in-many-lines': () => `${'data: \n'.repeat(100_000)}\n${dataLines([text, end])}`,
  'line-of-megabytes': () => dataLines([chunk({ content: 'a'.repeat(40 * MEGABYTE) }), end]),
  'only-returns': () => dataLines([text, end, '[DONE]']).replaceAll('\n', '\r'),
  'byte-order-mark': () => `\ufeff${dataLines([text, end, '[DONE]'])}`,
  'wire-of-others': () => WIRES.messages.stream('fine', WIRES.messages.usage(1)),
  'lines-of-others': () => WIRES.ollama.stream('fine', {}),
  'proto-in-delta': () =>
    dataLines([
      JSON.parse('{"choices":[{"delta":{"__proto__":{"content":"x"},"content":"y"}}],"__proto__":{"polluted":1}}'),
      end,
    ]),
};

const TOOLS: Readonly<Record<string, () => string>> = {
  'forty-thousand': () =>
    dataLines([
      ...Array.from({ length: 40_000 }, (_, index) => toolCall(index)),
      chunk({}, { finish_reason: 'tool_calls' }),
    ]),
  'negative-index': () => dataLines([toolCall(-1), toolCall(-1e9), end]),
  'huge-index': () => dataLines([toolCall(4_294_967_295), toolCall(1e300), end]),
  'index-of-text': () => dataLines([toolCall('__proto__'), toolCall('length'), toolCall(0.5), end]),
  'index-backwards': () => dataLines([...Array.from({ length: 5000 }, (_, index) => toolCall(5000 - index)), end]),
  'same-id': () => dataLines([...Array.from({ length: 1000 }, (_, index) => toolCall(index, { id: 'same' })), end]),
  'no-name': () => dataLines([toolCall(0, { function: { arguments: '{' } }), end]),
  'name-in-letters': () =>
    dataLines([...Array.from({ length: 50_000 }, () => toolCall(0, { function: { name: 't', arguments: '' } })), end]),
  'arguments-in-letters': () =>
    dataLines([
      toolCall(0, { function: { name: 't', arguments: '"' } }),
      ...Array.from({ length: 100_000 }, () => toolCall(0, { function: { arguments: 'a' } })),
      end,
    ]),
  'arguments-of-megabytes': () =>
    dataLines([toolCall(0, { function: { name: 't', arguments: `{"a":"${'a'.repeat(10 * MEGABYTE)}"}` } }), end]),
  'arguments-object': () => dataLines([toolCall(0, { function: { name: 't', arguments: { toString: 1 } } }), end]),
  'arguments-of-brackets': () =>
    dataLines([toolCall(0, { function: { name: 't', arguments: '['.repeat(500_000) } }), end]),
  'name-proto': () =>
    dataLines([toolCall(0, { function: { name: '__proto__', arguments: '{"__proto__":{"polluted":1}}' } }), end]),
};

const ENDLESS: Readonly<Record<string, string>> = {
  text: dataLines(Array.from({ length: 100 }, () => text)),
  'blank-lines': '\n'.repeat(65_536),
  comments: ': ping\n\n'.repeat(8192),
  'one-line': 'a'.repeat(65_536),
  'events-without-choices': dataLines(Array.from({ length: 500 }, () => ({ choices: [] }))),
  'tool-calls': dataLines(Array.from({ length: 200 }, (_, index) => toolCall(index))),
};

/** Sends this much of a good stream, then does as told. */
const afterBytes =
  (bytes: number, then: (response: ServerResponse) => void): HttpCase['respond'] =>
  (response) => {
    opened(response).write(stream('fine and long', usage(3)).slice(0, bytes), () => then(response));
  };

const BREAKS: Readonly<Record<string, number>> = { start: 1, line: 30, event: 200, 'last-line': 400 };

const slow: Family<HttpCase> = {
  'drip-of-bytes': {
    respond(response) {
      const letters = [...stream('fine', usage(3))];
      const timer = setInterval(() => {
        const letter = letters.shift();
        if (letter === undefined) response.end();
        else response.write(letter);
      }, 20);
      opened(response).on('close', () => clearInterval(timer));
    },
  },
  'never-answers': { ends: 'error', respond: () => {} },
  'headers-only': { ends: 'error', respond: (response) => opened(response).flushHeaders() },
  'pings-for-ever': {
    respond(response) {
      const timer = setInterval(() => response.write(': ping\n\n'), 50);
      opened(response).on('close', () => clearInterval(timer));
    },
  },
  'end-that-hangs': { ends: 'answer', respond: (response) => void opened(response).write(stream('fine', usage(3))) },
  'cut-in-a-letter': {
    ends: 'answer',
    respond(response) {
      const bytes = Buffer.from(stream('größer 🎼', usage(3)));
      opened(response);
      for (const byte of bytes) response.write(Buffer.from([byte]));
      response.end();
    },
  },
  'nobody-reads': { readerWaitsMs: 3000, respond: poured(dataLines(Array.from({ length: 500 }, () => text))) },
  'nobody-reads-a-line': { readerWaitsMs: 3000, respond: poured('a'.repeat(65_536)) },
};

const raw = (bytes: string | Uint8Array): SocketCase => ({
  connected: (socket) => void socket.once('data', () => socket.end(bytes)),
});

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const whole3 = JSON.stringify(whole('fine', usage(3)));
const RAW: Readonly<Record<string, string>> = {
  nothing: '',
  garbage: '\u0000\u0001\u0002'.repeat(1000),
  encrypted: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
  'old-version': 'HTTP/0.9 200 OK\r\n\r\nfine',
  'no-version': `200 OK\r\n\r\n${whole3}`,
  'status-nonsense': 'HTTP/1.1 9999 Fine\r\n\r\n',
  'half-a-status': 'HTTP/1.1 2',
  'half-a-header': `${head}x-half`,
  'length-too-long': `${head}content-length: 99999\r\n\r\n${whole3}`,
  'length-too-short': `${head}content-length: 5\r\n\r\n${whole3}`,
  'length-negative': `${head}content-length: -1\r\n\r\n${whole3}`,
  'length-twice': `${head}content-length: 5\r\ncontent-length: 6\r\n\r\n${whole3}`,
  'chunk-nonsense': `${head}transfer-encoding: chunked\r\n\r\nzz\r\nfine\r\n0\r\n\r\n`,
  'chunk-cut': `${head}transfer-encoding: chunked\r\n\r\nfff\r\nfine`,
  'chunk-huge': `${head}transfer-encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\nfine`,
  'header-with-nul': `${head}x-nul: a\u0000b\r\ncontent-length: ${whole3.length}\r\n\r\n${whole3}`,
  'two-answers': `${head}content-length: ${whole3.length}\r\n\r\n${whole3}${head}content-length: 4\r\n\r\nfine`,
};

const connections: Family<SocketCase> = {
  'socket-reset-at-once': { ends: 'error', connected: (socket) => void socket.resetAndDestroy() },
  'socket-reset-after-request': {
    ends: 'error',
    connected: (socket) => void socket.once('data', () => socket.resetAndDestroy()),
  },
  'socket-reset-in-headers': {
    ends: 'error',
    connected: (socket) => void socket.once('data', () => socket.write(head, () => socket.resetAndDestroy())),
  },
  'socket-reset-in-body': {
    ends: 'error',
    connected: (socket) =>
      void socket.once('data', () =>
        socket.write(`${head}content-length: 999\r\n\r\n{"choices"`, () => socket.resetAndDestroy()),
      ),
  },
  'socket-ends-at-once': { ends: 'error', connected: (socket) => void socket.end() },
  'socket-takes-nothing': { ends: 'error', connected: (socket) => void socket.pause() },
  'socket-header-without-end': { ends: 'error', connected: (socket) => pour(socket, `x-${'h'.repeat(1000)}: v\r\n`) },
  'socket-status-without-end': { ends: 'error', connected: (socket) => pour(socket, 'a'.repeat(65_536)) },
};

export const streams: readonly Family<HttpCase | SocketCase>[] = [
  each('stream', ORDERS, (lines): HttpCase => ({ respond: streamed(lines) })),
  each('calls', TOOLS, (lines): HttpCase => ({ tools: ['t'], respond: streamed(lines) })),
  each('endless', ENDLESS, (piece): HttpCase => ({ ends: 'error', respond: poured(piece) })),
  each('stall-after', BREAKS, (bytes): HttpCase => ({ respond: afterBytes(bytes, () => {}) })),
  each(
    'reset-after',
    BREAKS,
    (bytes): HttpCase => ({ respond: afterBytes(bytes, ({ socket }) => socket?.resetAndDestroy()) }),
  ),
  each('closed-after', BREAKS, (bytes): HttpCase => ({ respond: afterBytes(bytes, (response) => response.end()) })),
  each('raw', RAW, raw),
  slow,
  connections,
];
