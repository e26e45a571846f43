import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemberReader, type JsonMember } from '../../../src/kit/json/json-members.ts';

/** Pushed in pieces of these sizes, the last one again and again. */
function read(text: string, sizes: readonly number[] = [text.length], options = {}) {
  const reader = createMemberReader({ array: 'nodes', ...options });
  const members: JsonMember[] = [];
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const size = Math.max(1, sizes[Math.min(turn, sizes.length - 1)] ?? 1);
    members.push(...reader.push(text.slice(at, at + size)));
    at += size;
  }
  return { members, over: reader.over() };
}

const node = (text: string, element: number): JsonMember => ({ key: 'nodes', element, text });
const A = '{"id":"a","in":{"x":"}]\\"{"}}';
const B = '{"id":"b"}';

describe('the member reader', () => {
  it.each([
    ['an object', `{"version":1,"nodes":[${A},${B}],"output":"x"}`],
    [
      'a fence and prose',
      `Here is {the plan}:\n\`\`\`json\n{"version":1,"nodes":[${A},${B}],"output":"x"}\n\`\`\`\nDone {"nodes":[1]}`,
    ],
    ['blanks everywhere', `\n{ "version" : 1 ,\t"nodes" : [ ${A} , ${B} ] , "output" : "x" } `],
    ['thoughts before', `<think>{"nodes":[{"id":"z"}]}</think>{"version":1,"nodes":[${A},${B}],"output":"x"}`],
    ['an example before', `As in {"version":9,"a":[]}: {"version":1,"nodes":[${A},${B}],"output":"x"}`],
  ])('reads %s, whole and letter by letter', (_, text) => {
    const expected = [{ key: 'version', text: '1' }, node(A, 0), node(B, 1), { key: 'output', text: '"x"' }];
    expect(read(text).members).toEqual(expected);
    expect(read(text, [1]).members).toEqual(expected);
  });

  it('hands an element over with the letter that closes it', () => {
    const reader = createMemberReader({ array: 'nodes' });
    expect(reader.push('{"nodes":[{"id":"a"')).toEqual([]);
    expect(reader.push('}')).toEqual([node('{"id":"a"}', 0)]);
    expect(reader.push(',{"id":"b"},{')).toEqual([node(B, 1)]);
    expect(reader.over()).toBe(false);
  });

  it('ends with its object, with a second list of that name, and beyond its length', () => {
    expect(read('{"nodes":[1],"a":2}').over).toBe(true);
    expect(read('{"nodes":[1],"nodes":[2]}').members).toEqual([node('1', 0)]);
    expect(read('{"nodes":[1,2,3]', [1], { maxLength: 12 })).toEqual({ members: [node('1', 0)], over: true });
    expect(read('{"a":1}'.repeat(20)).over).toBe(true);
  });

  it('gives what parsing the whole gives, however it is cut', () => {
    const documents = fc.record({ version: fc.json(), nodes: fc.array(fc.jsonValue()), output: fc.jsonValue() });
    fc.assert(
      fc.property(documents, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (document, sizes) => {
        const { members } = read(JSON.stringify(document, null, sizes.length % 3), sizes);
        const nodes = members.filter(({ element }) => element !== undefined).map(({ text }) => JSON.parse(text));
        expect(nodes).toEqual(JSON.parse(JSON.stringify(document.nodes)));
        expect(JSON.parse(members.at(-1)?.text ?? '')).toEqual(JSON.parse(JSON.stringify(document.output)));
      }),
    );
  });

  it('takes anything without throwing, and cut differently gives the same', () => {
    const pieces = fc.oneof(
      fc.constantFrom(...'{}[]",:\\ \n', '{"', '"nodes":[', '<think>', '</think>', '{"id":"a"}', '```json'),
      fc.string({ maxLength: 6 }),
    );
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), sizes, (parts, cuts) => {
        const text = parts.join('');
        expect(read(text, cuts)).toEqual(read(text));
      }),
      { numRuns: 2000 },
    );
  });
});
