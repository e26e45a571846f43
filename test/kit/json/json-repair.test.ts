import { describe, expect, it } from 'vitest';
import { faultsIn, repairJson } from '../../../src/kit/json/json-repair.ts';
import { extractJson } from '../../../src/kit/json/json-text.ts';

const filled = (part: string, length = 65_000): string => part.repeat(Math.ceil(length / part.length)).slice(0, length);

describe('faultsIn', () => {
  it.each(['{"a":[1,-2.5e3,true,null],"b":{"c":"d, \\" }"}}', '[]', '"text"', ' [ 1 , 2 ] '])(
    'finds none in %s',
    (text) => {
      expect(faultsIn(text)).toBe(0);
    },
  );

  it.each([
    ['[1 2]', 1],
    ['{"a" "b"}', 1],
    ['[1,,2]', 1],
    ['["a]', 1],
    ['{a:1}', 1],
    ["['a']", 3],
    ['[}]]', 1],
  ])('finds some in %s', (text, least) => {
    expect(faultsIn(text)).toBeGreaterThanOrEqual(least);
  });

  it('gives up on brackets within brackets', () => {
    expect(faultsIn(filled('{'))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('repairJson', () => {
  it('repairs a long answer with a few faults', () => {
    const rows = Array.from({ length: 1500 }, (_, id) => ({ id, name: 'a name of some length' }));
    const text = JSON.stringify(rows).replace('"id":7,', 'id:7,').slice(0, -1);
    expect(text.length).toBeGreaterThan(50_000);
    expect(repairJson(text)?.value).toEqual(rows);
  });

  it.each(['"', '{', '{"a":', '/a', '"a"b', '":"', '[1,', 'ab ', "it's "])('leaves %j, repeated, as it is', (part) => {
    expect(repairJson(`[${filled(part)}`)).toBeUndefined();
    expect(extractJson(`[${filled(part, 262_144)}`)?.repaired).not.toBe(true);
  });
});
