/** Slots of keys: each has its own, and keeps it, however many there are and wherever they lie. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSlots, KEY_HEAD, type Slots } from '../../../../src/stores/sqlite/totals/slots.ts';

type Key = readonly [head: number, ...ids: number[]];

function find(slots: Slots, keys: readonly Key[]): readonly number[] {
  const numbers = keys.flatMap(([head, ...ids]) => [head | 0, Math.floor(head / 2 ** 32), ...ids]);
  const found = new Int32Array(keys.length);
  slots.find(Int32Array.from(numbers), keys.length, found);
  return [...found];
}

const head = fc.oneof(
  fc.nat(50),
  fc.maxSafeNat(),
  fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  // Equal in their lower 32 bits.
  fc.nat(2 ** 20).map((high) => high * 2 ** 32 + 5),
);
const id = fc.oneof(fc.nat(9), fc.nat(2 ** 23), fc.constantFrom(0, 2 ** 22, 2 ** 31 - 1));
const keysOf = (ids: number): fc.Arbitrary<Key[]> =>
  fc.array(
    fc.tuple(head, fc.array(id, { minLength: ids, maxLength: ids })).map(([first, rest]): Key => [first, ...rest]),
    { maxLength: 500 },
  );

test.each([0, 1, 2, 3])('are those of a map, with %i ids', (ids) => {
  fc.assert(
    fc.property(keysOf(ids), (keys) => {
      const slots = createSlots(ids);
      const places = new Map<string, number>();
      for (const key of keys) if (!places.has(`${key}`)) places.set(`${key}`, places.size);
      const expected = keys.map((key) => places.get(`${key}`));
      // Also one by one, where others come between.
      for (const found of [find(slots, keys), keys.map((key) => find(slots, [key])[0])])
        expect(found).toEqual(expected);
      expect(slots.count()).toBe(places.size);
      for (const [index, [first, ...rest]] of keys.entries()) {
        const slot = expected[index] ?? -1;
        expect((slots.numberAt(slot, 1) * 2 ** 32 + (slots.numberAt(slot, 0) >>> 0)).toString()).toBe(`${first}`);
        for (const [at, number] of rest.entries()) expect(slots.numberAt(slot, KEY_HEAD + at)).toBe(number);
      }
    }),
  );
});

const COUNT = 200_000;
const CASES: readonly (readonly [what: string, ids: number, key: (index: number) => Key])[] = [
  ['in a row', 0, (index) => [index]],
  ['far from each other', 0, (index) => [index * 2 ** 30 + (index % 7)]],
  ['of which many are near each other', 0, (index) => [index < COUNT / 2 ? index : index * 2 ** 34]],
  ['of one id', 1, (index) => [index, 17]],
  ['of which half are of one id', 1, (index) => [index, index % 2 === 0 ? 17 : index]],
  ['of an id each', 1, (index) => [3, index * 5]],
  ['of many ids with the same remainder', 1, (index) => [Math.floor(index / 500), (index % 500) * 2 ** 22]],
  ['of two ids that grow', 2, (index) => [index % 12, index >>> 3, index]],
];

test.each(CASES)('of keys %s stay while the table grows', (_what, ids, key) => {
  const slots = createSlots(ids);
  const keys = Array.from({ length: COUNT }, (_, index) => key(index));
  const found: number[] = [];
  for (let from = 0; from < COUNT; from += 1000) found.push(...find(slots, keys.slice(from, from + 1000)));
  // Not the lists themselves: their difference would fill the screen.
  for (const slot of [found, find(slots, keys)]) expect(slot.findIndex((place, index) => place !== index)).toBe(-1);
});
