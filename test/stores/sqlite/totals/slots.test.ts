/** Places of numbers: each has its own, and keeps it, however many there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSlots } from '../../../../src/stores/sqlite/totals/slots.ts';

const SMALL_KEYS = 2 ** 22;
const key = fc.oneof(
  fc.nat(50),
  fc.nat(SMALL_KEYS * 2),
  fc.maxSafeNat(),
  fc.constantFrom(0, SMALL_KEYS - 1, SMALL_KEYS, Number.MAX_SAFE_INTEGER),
  // Equal in their lower 32 bits.
  fc.nat(2 ** 20).map((high) => high * 2 ** 32 + 5),
);

test('are those of a map', () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 500 }), (keys) => {
      const slots = createSlots();
      const places = new Map<number, number>();
      for (const each of [...keys, ...keys]) {
        if (!places.has(each)) places.set(each, places.size);
        expect(slots.slotOf(each)).toBe(places.get(each));
      }
      expect(slots.count()).toBe(places.size);
      for (const [each, slot] of places) expect(slots.keyOf(slot)).toBe(each);
    }),
  );
});

test('stay while their tables grow', () => {
  const slots = createSlots();
  const keys = Array.from({ length: 50_000 }, (_, index) => (index % 2 === 0 ? index : index * 2 ** 31 + (index % 7)));
  expect(keys.map(slots.slotOf)).toEqual(keys.map((_, index) => index));
  expect(keys.map(slots.slotOf)).toEqual(keys.map((_, index) => index));
});
