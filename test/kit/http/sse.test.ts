import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseDecoder, type ServerSentEvent } from '../../../src/kit/http/sse.ts';
import { decoded } from './decoded.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function* chunked(data: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield data.subarray(at, at + size);
    at += size;
  }
  yield data.subarray(at);
}

async function decode(text: string, sizes: readonly number[] = []): Promise<ServerSentEvent[]> {
  return decoded<ServerSentEvent>(chunked(bytes(text), sizes), (take) => createSseDecoder(take));
}

describe('the decoder of server-sent events', () => {
  it.each([
    ['LF', 'event: a\ndata: 1\n\ndata: 2\n\n'],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n'],
    ['CR', 'event: a\rdata: 1\r\rdata: 2\r\r'],
    ['BOM', '\ufeffevent: a\ndata: 1\n\ndata: 2\n\n'],
    ['comments and keep-alives', ': ping\n\n:\n\nevent: a\n: x\ndata: 1\n\n: ping\n\ndata: 2\n\n'],
    ['other fields', 'id: 7\nretry: soon\nevent: a\nfoo: bar\ndata: 1\n\ndata:2\n\n'],
    ['no last blank line', 'event: a\ndata: 1\n\ndata: 2\n'],
    ['no last line end', 'event: a\ndata: 1\n\ndata: 2'],
    ['a lone CR at the end', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r'],
  ])('reads %s, whole and byte by byte', async (_, text) => {
    const expected = [{ event: 'a', data: '1' }, { data: '2' }];
    expect(await decode(text)).toEqual(expected);
    expect(await decode(text, new Array(bytes(text).length).fill(1))).toEqual(expected);
  });

  it('joins data lines, keeps empty data and drops events without data', async () => {
    expect(await decode('data: a\ndata:\ndata: b\n\nevent: x\n\ndata\n\n')).toEqual([{ data: 'a\n\nb' }, { data: '' }]);
  });

  it('refuses an event beyond the bound, in one line or in many', async () => {
    const options = { maxEventBytes: 100 };
    for (const text of [`data: ${'x'.repeat(200)}`, 'data: xxxxxxxxx\n'.repeat(30)]) {
      const chunks = chunked(bytes(text), [50, 50, 50, 50]);
      const decoding = decoded<ServerSentEvent>(chunks, (take) => createSseDecoder(take, options));
      await expect(decoding).rejects.toMatchObject({ code: 'truncated', retryable: false });
    }
  });

  it('gives the same events however the bytes are cut', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll(/[\r\n\0]/g, ''));
    const events = fc.array(
      fc.record({ event: fc.option(line), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
    );
    const ending = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(events, ending, fc.array(fc.nat(20)), async (list, end, sizes) => {
        const text = list
          .map(({ event, lines }) => [
            ...(event ? [`event: ${event}`] : []),
            ...lines.map((data) => `data: ${data}`),
            '',
          ])
          .map((lines) => lines.map((each) => each + end).join(''))
          .join('');
        const expected = list.map(({ event, lines }) => ({ ...(event ? { event } : {}), data: lines.join('\n') }));
        expect(await decode(text, sizes)).toEqual(expected);
      }),
    );
  });
});

describe('createSseDecoder', () => {
  it('hands over every event of a chunk before push returns', () => {
    const seen: string[] = [];
    const decoder = createSseDecoder(({ data }) => seen.push(data));
    decoder.push(bytes('data: 1\n\ndata: 2\n\ndata: 3'));
    expect(seen).toEqual(['1', '2']);
    decoder.end();
    expect(seen).toEqual(['1', '2', '3']);
  });
});
