/** Conversations that callers, models and other providers wrote, as they leave for any wire. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message, Part, ToolCallPart, ToolResultPart } from '../../../src/core/model/model.ts';
import { wellFormedJson } from '../../../src/kit/json/sendable-json.ts';
import { cleanRequest } from '../../../src/kit/requests/clean-request.ts';
import { argumentsObject } from '../../../src/kit/requests/tool-arguments.ts';

const call = (id: string, given: unknown = {}, raw?: string): ToolCallPart =>
  ({ type: 'tool-call', id, name: 'f', arguments: given, ...(raw === undefined ? {} : { raw }) }) as ToolCallPart;
const result = (id: string, content = 'r'): ToolResultPart => ({ type: 'tool-result', id, content });
const says = (...content: readonly Part[]): Message => ({ role: 'assistant', content });
const gets = (...content: readonly Part[]): Message => ({ role: 'user', content });
const clean = (messages: readonly Message[], rules = {}): readonly Message[] =>
  cleanRequest({ operation: 'chat', messages }, rules).messages;
const parts = (messages: readonly Message[]): readonly Part[] =>
  messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content));
const idsOf = (messages: readonly Message[]): readonly string[] =>
  parts(messages).flatMap((part) => ('id' in part ? [part.id] : []));

describe('halves of surrogate pairs', () => {
  test('no text of any kind brings one to the wire, and whole texts are not changed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })), (text, units) => {
        const mixed = text + String.fromCharCode(...units);
        const sent = wellFormedJson(JSON.stringify({ [mixed]: [mixed], inner: wellFormedJson(JSON.stringify(mixed)) }));
        const read = JSON.parse(sent);
        expect(read).toEqual({ [mixed.toWellFormed()]: [mixed.toWellFormed()], inner: expect.any(String) });
        expect(JSON.parse(read.inner)).toBe(mixed.toWellFormed());
      }),
    );
  });

  test('words about escapes and escaped pairs are kept', () => {
    const words = JSON.stringify('write \\ud83d for half, \\\\ud83d for none');
    expect(wellFormedJson(words)).toBe(words);
    expect(wellFormedJson('"\\ud83d\\udd25 \\ud83d"')).toBe('"\\ud83d\\udd25 \\ufffd"');
  });
});

describe('arguments of calls', () => {
  test.each([
    ['', {}],
    [' \n', {}],
    ['null', {}],
    [null, {}],
    ['""', {}],
    ['{"n":1}', { n: 1 }],
    [JSON.stringify('{"n":1}'), { n: 1 }],
    [JSON.stringify(JSON.stringify('{"n":1}')), { n: 1 }],
    [{ n: 1 }, { n: 1 }],
    ['[1]', undefined],
    [3, undefined],
    ['{"n":', undefined],
  ])('%j', (given, expected) => {
    expect(argumentsObject(given)).toEqual(expected);
  });

  test('whatever they were, they are an object, without raw text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.option(fc.string(), { nil: undefined }), (given, raw) => {
        const [part] = parts(clean([gets({ type: 'text', text: 'x' }), says(call('a', given, raw))])).slice(1);
        const sent = part as ToolCallPart;
        expect(sent.raw).toBeUndefined();
        expect(Object.prototype.toString.call(sent.arguments)).toBe('[object Object]');
      }),
    );
  });
});

describe('ids of calls', () => {
  test('are kept where they fit', () => {
    const messages = [says(call('call_1'), call('functions.f:0')), gets(result('call_1'), result('functions.f:0'))];
    expect(idsOf(clean(messages))).toEqual(idsOf(messages));
  });

  test('fit, differ, and are alike in call and result, whatever they were', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.constantFrom('', 'a/b', 'a.b', 'x'.repeat(80), `${'x'.repeat(80)}y`),
    );
    fc.assert(
      fc.property(fc.array(fc.array(id, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (turns) => {
        const messages = turns.flatMap((ids) => [
          says(...ids.map((one) => call(one))),
          gets(...ids.map((one) => result(one))),
        ]);
        const sent = clean(messages, { callIdLength: 40, callIdCharacters: 'word' });
        const calls = parts(sent).flatMap((part) => (part.type === 'tool-call' ? [part.id] : []));
        const results = parts(sent).flatMap((part) => (part.type === 'tool-result' ? [part.id] : []));
        expect(results).toEqual(calls);
        expect(new Set(calls).size).toBe(calls.length);
        for (const one of calls) expect(one).toMatch(/^[a-zA-Z0-9_-]{1,40}$/);
      }),
    );
  });

  test('stay the same when the conversation grows', () => {
    const first = [says(call('a/b'), call('c')), gets(result('a/b'), result('c'))];
    const grown = [...first, says(call('c')), gets(result('c'))];
    const rules = { callIdCharacters: 'word' };
    expect(clean(grown, rules).slice(0, 2)).toEqual(clean(first, rules));
  });
});

describe('images', () => {
  const base64 = (...bytes: readonly number[]): string =>
    Buffer.from([...bytes, ...Array(40).fill(0)]).toString('base64');
  const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
  const FILES = {
    'image/png': base64(0x89, ...ascii('PNG\r\n\x1a\n')),
    'image/jpeg': base64(0xff, 0xd8, 0xff, 0xdb),
    'image/gif': base64(...ascii('GIF89a')),
    'image/webp': base64(...ascii('RIFF'), 1, 2, 3, 4, ...ascii('WEBPVP8 ')),
  };
  const OTHERS = {
    heic: base64(0, 0, 0, 24, ...ascii('ftypheic')),
    heif: base64(0, 0, 0, 24, ...ascii('ftypmif1')),
    avif: base64(0, 0, 0, 28, ...ascii('ftypavif')),
    tiff: base64(...ascii('II*\0')),
    bmp: base64(...ascii('BM'), 9, 0, 0, 0, 0, 0, 0, 0),
    svg: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64'),
    pdf: Buffer.from('%PDF-1.7 and the rest of the file').toString('base64'),
  };
  const sent = (data: string, mediaType: string, rules = {}): unknown =>
    parts(clean([gets({ type: 'image', source: { type: 'base64', data, mediaType } })], rules))[0];
  const image = (data: string, mediaType: string): Part => ({
    type: 'image',
    source: { type: 'base64', data, mediaType },
  });

  test.each(Object.entries(FILES))('%s is told by its bytes, whatever the label says', (type, data) => {
    for (const label of ['image/png', 'image/jpg', 'IMAGE/JPEG; q=1', 'image/heic', 'application/octet-stream', '']) {
      expect(sent(data, label)).toEqual(image(data, type));
      const source = { type: 'url', url: `data:${label || 'image/x'};base64,${data}` } as const;
      expect(parts(clean([gets({ type: 'image', source })]))).toEqual([image(data, type)]);
    }
  });

  test.each(Object.entries(OTHERS))('%s is refused before it is sent', (_, data) => {
    expect(() => sent(data, 'image/png')).toThrow(expect.objectContaining({ code: 'unsupported' }));
    const inside: Message = gets({ ...result('a'), content: [image(data, 'image/png') as never] });
    expect(() => clean([inside])).toThrow(expect.objectContaining({ code: 'unsupported' }));
    expect(() =>
      cleanRequest({ operation: 'image', prompt: 'x', image: { type: 'base64', data, mediaType: 'image/png' } }),
    ).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test('a wire that reads a type gets it', () => {
    expect(sent(OTHERS.heic, 'image/png', { imageTypes: ['image/heic'] })).toEqual(image(OTHERS.heic, 'image/heic'));
  });

  test('bytes without a signature keep the label in its usual form', () => {
    expect(sent('AAAA', 'image/JPG; q=1')).toEqual(image('AAAA', 'image/jpeg'));
    expect(() => sent('AAAA', 'image/heic')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  test('base64 loses prefix, line breaks and the alphabet of URLs', () => {
    const data = FILES['image/png'];
    expect(sent(`data:image/png;base64,${data}`, 'image/png')).toEqual(image(data, 'image/png'));
    expect(sent(`${data.slice(0, 20)}\r\n${data.slice(20)}`, 'image/png')).toEqual(image(data, 'image/png'));
    expect(sent('_9j_2wAA', 'image/jpeg')).toEqual(image('/9j/2wAA', 'image/jpeg'));
  });
});

describe('blank turns', () => {
  test('are left out, but a request is never emptied', () => {
    const hello: Message = { role: 'user', content: 'Hello' };
    const blank: Message[] = [
      { role: 'assistant', content: ' \n' },
      { role: 'user', content: [{ type: 'text', text: '' }] },
      { role: 'system', content: '' },
    ];
    expect(clean([...blank, hello, ...blank])).toEqual([hello]);
    expect(clean([{ role: 'user', content: '' }])).toEqual([{ role: 'user', content: '' }]);
  });

  test('empty parts beside others are left out, white space between words is kept', () => {
    const kept = [
      { type: 'text', text: 'a' },
      { type: 'text', text: '\n' },
      { type: 'text', text: 'b' },
    ] as const;
    expect(clean([says({ type: 'text', text: '' }, ...kept)])).toEqual([says(...kept)]);
  });
});

test('a request that needs nothing is returned itself', () => {
  const request = { operation: 'chat', messages: [{ role: 'user', content: 'Hello' }] } as const;
  expect(cleanRequest(request)).toBe(request);
});
