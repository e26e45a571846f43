import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJsonStreamDecoder } from '../../../src/kit/http/json-stream.ts';
import { decoded } from './decoded.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

async function decode(text: string, sizes: readonly number[] = [], options = {}): Promise<string[]> {
  async function* chunks() {
    const data = bytes(text);
    let at = 0;
    for (const size of [...sizes, data.length]) {
      yield data.subarray(at, at + size);
      at += size;
    }
  }
  return decoded<string>(chunks(), (take) => createJsonStreamDecoder(take, options));
}

describe('the decoder of JSON streams', () => {
  it.each([
    ['an array', '[{"a":1},\n{"b":"]}\\""}]', ['{"a":1}', '{"b":"]}\\""}']],
    ['arrays in an array', '[[1,[2]],[]]', ['[1,[2]]', '[]']],
    ['scalars', ' [1, "a,b" ,null,-2.5e3 ] ', ['1', '"a,b"', 'null', '-2.5e3']],
    ['documents one after another', '{"a":1}{"b":2} {"c":3}', ['{"a":1}', '{"b":2}', '{"c":3}']],
    ['lines', '{"a":1}\r\n{"b":2}\n3\n', ['{"a":1}', '{"b":2}', '3']],
    ['record separators', '\x1e{"a":1}\n\x1e{"b":2}\n', ['{"a":1}', '{"b":2}']],
    ['arrays one after another', '[1][{"a":2}]', ['1', '{"a":2}']],
    ['an empty array', '[]', []],
    ['nothing', '', []],
    ['a cut element, as it stands', '[{"a":1},{"b":', ['{"a":1}', '{"b":']],
    ['an array that is not closed', '[{"a":1},', ['{"a":1}']],
    ['a last scalar', '12', ['12']],
  ])('reads %s, whole and byte by byte', async (_, text, expected) => {
    expect(await decode(text)).toEqual(expected);
    expect(await decode(text, new Array(text.length).fill(1))).toEqual(expected);
  });

  it('emits each element as soon as it is complete', () => {
    const seen: string[] = [];
    const decoder = createJsonStreamDecoder((json) => seen.push(json));
    decoder.push(bytes('[{"a":1}'));
    expect(seen).toEqual(['{"a":1}']);
    decoder.push(bytes(',{"b":2},{"c'));
    expect(seen).toEqual(['{"a":1}', '{"b":2}']);
    decoder.end();
    expect(seen).toHaveLength(3);
  });

  it('refuses an element beyond the bound', async () => {
    const text = `["${'x'.repeat(300)}"]`;
    for (const sizes of [[], [100, 100]]) {
      await expect(decode(text, sizes, { maxElementBytes: 200 })).rejects.toMatchObject({ code: 'truncated' });
    }
    expect(await decode(text, [], { maxElementBytes: 302 })).toHaveLength(1);
  });

  it('gives back the elements of any array, however its bytes are cut and spaced', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.array(fc.nat(15)),
        fc.constantFrom(0, 2),
        async (list, sizes, indent) => {
          expect((await decode(JSON.stringify(list, null, indent), sizes)).map((json) => JSON.parse(json))).toEqual(
            JSON.parse(JSON.stringify(list)),
          );
        },
      ),
    );
  });

  it('never throws on anything', async () => {
    const parts = fc.array(fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ' ', '1', 'a', 'é', '\n'));
    await fc.assert(
      fc.asyncProperty(parts, fc.array(fc.nat(3)), async (list, sizes) => {
        const whole = await decode(list.join(''));
        expect(await decode(list.join(''), sizes)).toEqual(whole);
      }),
    );
  });
});
