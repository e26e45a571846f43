/** Servers whose answers are no answers: other formats, depths, sizes, encodings, redirects, refusals. */

import type { OutgoingHttpHeaders } from 'node:http';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { each, type Family } from '../harness/report.ts';
import type { HttpCase, Respond } from './provider-case.ts';
import { PROVIDER_KEY, WIRES } from './wires.ts';

const MEGABYTE = 2 ** 20;
const { whole, stream, usage } = WIRES.chat;
const good = JSON.stringify(whole('fine', usage(3)));

const body =
  (text: string | Uint8Array, headers: OutgoingHttpHeaders = {}, status = 200): Respond =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text);
  };

const withMessage = (message: string): string => good.replace('{"role":"assistant","content":"fine"}', message);

const ANSWERS: Readonly<Record<string, () => string | Uint8Array>> = {
  empty: () => '',
  blank: () => ' '.repeat(5 * MEGABYTE),
  null: () => 'null',
  text: () => '"fine"',
  number: () => '1',
  list: () => '[]',
  'list-of-answers': () => `[${good}]`,
  'list-of-chunks': () =>
    `[${stream('fine', usage(1)).replaceAll('data: ', '').replace('[DONE]', 'null').trim().split('\n\n').join(',')}]`,
  html: () => '<!doctype html><html><body>Sign in</body></html>',
  'open-brackets': () => '['.repeat(MEGABYTE),
  'open-objects': () => '{"a":'.repeat(MEGABYTE / 4),
  'deep-answer': () => withMessage(`{"role":"assistant","content":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  'long-number': () => good.replace('"prompt_tokens":3', `"prompt_tokens":${'9'.repeat(MEGABYTE)}`),
  'no-choices': () => '{"choices":[]}',
  'choices-null': () => '{"choices":null}',
  'choices-text': () => '{"choices":"many"}',
  'choices-by-the-thousand': () => `{"choices":[${'{"message":{"content":"x"}},'.repeat(200_000)}null]}`,
  'content-number': () => withMessage('{"content":5}'),
  'content-object': () => withMessage('{"content":{"toString":1}}'),
  'content-of-parts': () => withMessage(`{"content":[${'{"type":"text","text":"x"},'.repeat(100_000)}null]}`),
  'content-of-megabytes': () => withMessage(`{"content":"${'a'.repeat(40 * MEGABYTE)}"}`),
  'wrong-utf-8': () =>
    Buffer.concat([
      Buffer.from(good.slice(0, 120)),
      Buffer.from([0xff, 0xfe, 0xc0, 0x80]),
      Buffer.from(good.slice(120)),
    ]),
  'utf-16': () => Buffer.from(good, 'utf16le'),
  'byte-order-mark': () => `\ufeff${good}`,
  proto: () =>
    good.replace('"choices"', '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"choices"'),
  'error-with-status-200': () => '{"error":{"message":"no","code":"rate_limit"}}',
  'keys-by-the-thousand': () =>
    `{${Array.from({ length: 200_000 }, (_, index) => `"k${index}":1,`).join('')}"choices":[]}`,
  'arguments-of-megabytes': () =>
    withMessage(
      `{"tool_calls":[{"id":"a","type":"function","function":{"name":"t","arguments":"{\\"x\\":\\"${'a'.repeat(10 * MEGABYTE)}\\"}"}}]}`,
    ),
  'forty-thousand-tool-calls': () =>
    withMessage(
      `{"tool_calls":[${Array.from({ length: 40_000 }, (_, index) => `{"id":"c${index}","type":"function","function":{"name":"t","arguments":"{}"}}`).join(',')}]}`,
    ),
  'same-tool-call-ids': () =>
    withMessage(
      `{"tool_calls":[${'{"id":"same","type":"function","function":{"name":"t","arguments":"{}"}},'.repeat(100)}null]}`,
    ),
  'tool-called-proto': () =>
    withMessage(
      '{"tool_calls":[{"id":"__proto__","function":{"name":"__proto__","arguments":"{\\"__proto__\\":{\\"polluted\\":1}}"}}]}',
    ),
  'deep-arguments': () =>
    withMessage(`{"tool_calls":[{"id":"a","function":{"name":"t","arguments":"${'['.repeat(200_000)}"}}]}`),
};

/** What takes a while to make is made by the case that sends it. */
const HEADERS: Readonly<Record<string, readonly [OutgoingHttpHeaders, string | (() => Uint8Array)]>> = {
  'length-too-short': [{ 'content-length': '10' }, good.slice(0, 10)],
  'gzip-bomb': [{ 'content-encoding': 'gzip' }, () => gzipSync(Buffer.alloc(200 * MEGABYTE, 0x20), { level: 1 })],
  'gzip-in-gzip': [{ 'content-encoding': 'gzip, gzip, gzip' }, () => gzipSync(gzipSync(gzipSync(good)))],
  'gzip-cut': [{ 'content-encoding': 'gzip' }, () => gzipSync(good).subarray(0, 60)],
  'no-gzip': [{ 'content-encoding': 'gzip' }, good],
  'brotli-bomb': [
    { 'content-encoding': 'br' },
    () => brotliCompressSync(Buffer.alloc(100 * MEGABYTE, 0x20), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
  ],
  'unknown-encoding': [{ 'content-encoding': 'x-nothing' }, good],
  'other-type': [{ 'content-type': 'application/octet-stream' }, good],
  'type-of-a-stream': [{ 'content-type': 'text/event-stream' }, good],
  'many-headers': [Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`x-h${index}`, 'v'])), good],
  'large-header': [{ 'x-large': 'v'.repeat(100_000) }, good],
  'set-cookie-thousands': [{ 'set-cookie': Array.from({ length: 200 }, (_, index) => `c${index}=1`) }, good],
  'limits-that-lie': [
    {
      'x-ratelimit-remaining-requests': '-1e308',
      'x-ratelimit-reset-requests': '1e999s',
      'x-ratelimit-limit-tokens': 'NaN',
    },
    good,
  ],
};

const REFUSALS: Readonly<Record<string, readonly [number, string, OutgoingHttpHeaders?]>> = {
  'wait-for-ages': [429, '{"error":{"message":"slow down"}}', { 'retry-after': '1000000000000' }],
  'wait-a-negative-time': [429, '{}', { 'retry-after': '-5' }],
  'wait-not-a-number': [503, '{}', { 'retry-after': 'NaN' }],
  'wait-until-9999': [429, '{}', { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' }],
  'wait-in-milliseconds': [429, '{}', { 'retry-after-ms': '1e300' }],
  'error-is-a-list': [500, '[[[[]]]]'],
  'error-is-null': [400, 'null'],
  'error-of-brackets': [400, '['.repeat(10 * MEGABYTE)],
  'error-of-braces': [500, '{"a":'.repeat(MEGABYTE)],
  'error-of-quotes': [400, '"\\'.repeat(MEGABYTE)],
  'error-of-words': [400, 'maximum context length '.repeat(MEGABYTE / 16)],
  'error-message-of-megabytes': [400, JSON.stringify({ error: { message: 'x'.repeat(5 * MEGABYTE) } })],
  'error-message-object': [400, '{"error":{"message":{"message":{"message":1}},"type":[],"code":{}}}'],
  'error-with-the-key': [
    401,
    JSON.stringify({ error: { message: `Incorrect key ${PROVIDER_KEY}; header Bearer ${PROVIDER_KEY}` } }),
  ],
  'forbidden-in-html': [403, '<html>Forbidden</html>'],
  teapot: [418, ''],
  'status-599': [599, 'x'],
  'not-modified': [304, ''],
  'no-content': [204, ''],
  gone: [410, '{"error":"gone"}'],
};

const TARGETS: Readonly<Record<string, string | undefined>> = {
  'same-server': '/good/chat/completions',
  'to-itself': '/bad/chat/completions',
  'another-port': 'http://127.0.0.1:1/',
  'another-host': 'http://169.254.169.254/latest/meta-data/',
  'a-file': 'file:///etc/passwd',
  nowhere: undefined,
  'no-address': 'http://[::',
  'data-address': 'data:application/json,{}',
};

const endless: Family<HttpCase> = {
  'error-without-end': { ends: 'error', respond: (response) => pour(response.writeHead(500), 'x'.repeat(65_536)) },
  'answer-without-end': {
    ends: 'error',
    respond: (response) => pour(response.writeHead(200, { 'content-type': 'application/json' }), '[{},'.repeat(16_384)),
  },
  'blanks-without-end': {
    ends: 'error',
    respond: (response) => pour(response.writeHead(200, { 'content-type': 'application/json' }), ' '.repeat(65_536)),
  },
  'early-hints-flood': {
    ends: 'error',
    respond(response) {
      const timer = setInterval(() => response.writeProcessing(), 1);
      response.on('close', () => clearInterval(timer));
    },
  },
};

/** Writes the same again and again, as fast as it is taken. */
export function pour(response: NodeJS.WritableStream, text: string): void {
  let isOpen = true;
  response.on('close', () => {
    isOpen = false;
  });
  const write = (): void => {
    while (isOpen) if (!response.write(text)) return;
  };
  response.on('drain', write);
  write();
}

export const bodies: readonly Family<HttpCase>[] = [
  each(
    'body',
    ANSWERS,
    (text): HttpCase => ({ respond: (response, asked) => body(text())(response, asked), tools: ['t'] }),
  ),
  each('header', HEADERS, ([headers, made]): HttpCase => {
    let bytes: string | Uint8Array | undefined;
    return {
      respond(response, asked) {
        bytes ??= typeof made === 'string' ? made : made();
        body(bytes, headers)(response, asked);
      },
    };
  }),
  each(
    'refusal',
    REFUSALS,
    ([status, text, headers]): HttpCase => ({ ends: 'error', respond: body(text, headers, status) }),
  ),
  each(
    'redirect',
    TARGETS,
    (location): HttpCase => ({
      ends: 'error',
      respond: body('', location === undefined ? {} : { location }, 307),
    }),
  ),
  endless,
];
