/** Adds up by combinations of numbers, some 90 bytes for each of them, however many rows have it. */
import type { Asked } from './asked.ts';
import { scopeOf } from './groups.ts';
import { idOfNumber, KINDS, kindOfNumber, ownKindOf } from './known-names.ts';
import { createSlots, KEY_HEAD, type Slots } from './slots.ts';

/** The numbers of a sum: attempts, errors, tokens in and out, cost, unpriced, uncertain. */
export const SUMS = 7;
export const COST = 4;
/** Found and added together, while what they touch is in the processor's cache. */
const BATCH = 256;
/** The sums of so many slots are one array. One for all would be copied each time it became too short. */
const CHUNK = 2 ** 14;
const HALF = 2 ** 32;

/** The sums of one row, or of several, and what they belong to. One is used for all rows. */
export interface Addend {
  period: number;
  payer: number;
  label: number;
  readonly sums: Float64Array;
}

export const createAddend = (): Addend => ({ period: 0, payer: 0, label: 0, sums: new Float64Array(SUMS) });

export interface GroupSums {
  /** To its combination, or to each that it makes with the scopes of many ids whose numbers stand from `start` to `end`. */
  add(addend: Addend, numbers: Float64Array, start: number, end: number): void;
  /** What was added until now. */
  finish(): Summed;
}

/** By slot, what is summed and its sums. */
export interface Summed {
  readonly count: number;
  /** The period, then the payers, then the label: what follows each other in time is near each other. */
  headOf(slot: number): number;
  /** The id of the scope that stands for the group of this index among those with many ids. */
  idOf(slot: number, index: number): number;
  sumOf(slot: number, index: number): number;
}

interface Waiting {
  readonly keys: Int32Array;
  readonly sums: Float64Array;
  /** Room for their slots. */
  readonly slots: Int32Array;
  count: number;
}

/** @param question knows all names that will be added */
export function createGroupSums(question: Asked): GroupSums {
  const kinds = question.own.map((group) => ownKindOf(scopeOf(group) ?? '') ?? -1);
  const slots = createSlots(kinds.length);
  const width = KEY_HEAD + kinds.length;
  const chunks: Float64Array[] = [];
  const waiting: Waiting = {
    ...{ keys: new Int32Array(BATCH * width), sums: new Float64Array(BATCH * SUMS), slots: new Int32Array(BATCH) },
    count: 0,
  };
  const flush = (): void => {
    slots.find(waiting.keys, waiting.count, waiting.slots);
    while (chunks.length * CHUNK < slots.count()) chunks.push(new Float64Array(CHUNK * SUMS));
    addAll(chunks, waiting);
    waiting.count = 0;
  };
  const putOne = (head: number, sums: Float64Array): void => {
    put(waiting, width, head, sums);
    if (waiting.count === BATCH) flush();
  };
  const [most, mostPayers] = [question.labels.names.length, question.payers?.names.length ?? 1];
  const placeOf = placeOfKinds(kinds);
  const every = 2 ** kinds.length - 1;
  const isEachOnce = new Set(kinds).size === kinds.length;
  return {
    add({ period, payer, label, sums }, numbers, start, end) {
      const head = (period * mostPayers + payer) * most + label;
      // Nearly every row has one scope of each kind: its ids are written where the next key stands, which counts only if that is so.
      const place = waiting.count * width + KEY_HEAD;
      let [ids, found] = [0, 0];
      for (let at = start; at < end; at += 1) {
        const number = numbers[at] ?? 0;
        const level = placeOf[kindOfNumber(number)] ?? -1;
        if (level < 0) continue;
        waiting.keys[place + level] = idOfNumber(number);
        ids += 1;
        found |= 1 << level;
      }
      if (isEachOnce && found !== every) return;
      if (isEachOnce && ids === kinds.length) putOne(head, sums);
      else
        for (const key of combinationsOf(kinds, numbers.subarray(start, end))) {
          waiting.keys.set(key, waiting.count * width + KEY_HEAD);
          putOne(head, sums);
        }
    },
    finish() {
      flush();
      return summed(slots, chunks);
    },
  };
}

/** By the kind of a scope, the index of its group; -1: it is not asked for. */
function placeOfKinds(kinds: readonly number[]): Int32Array {
  const places = new Int32Array(KINDS).fill(-1);
  for (const [place, kind] of kinds.entries()) if (kind >= 0) places[kind] = place;
  return places;
}

/** Each choice of one id of each kind. */
function combinationsOf(kinds: readonly number[], numbers: Float64Array): readonly (readonly number[])[] {
  let all: readonly (readonly number[])[] = [[]];
  for (const kind of kinds) {
    const ids = [...numbers].filter((number) => kindOfNumber(number) === kind).map(idOfNumber);
    all = all.flatMap((before) => ids.map((id) => [...before, id]));
  }
  return all;
}

/** The ids of its key stand there already. */
function put(waiting: Waiting, width: number, head: number, sums: Float64Array): void {
  const { count } = waiting;
  waiting.keys[count * width] = head | 0;
  waiting.keys[count * width + 1] = (head / HALF) | 0;
  for (let index = 0; index < SUMS; index += 1) waiting.sums[count * SUMS + index] = sums[index] ?? 0;
  waiting.count = count + 1;
}

function addAll(chunks: readonly Float64Array[], { slots, sums, count }: Waiting): void {
  for (let index = 0; index < count; index += 1) {
    const slot = slots[index] ?? 0;
    const chunk = chunks[Math.floor(slot / CHUNK)];
    if (chunk === undefined) continue;
    const [to, from] = [(slot % CHUNK) * SUMS, index * SUMS];
    for (let at = 0; at < SUMS; at += 1) chunk[to + at] = (chunk[to + at] ?? 0) + (sums[from + at] ?? 0);
  }
}

const summed = (slots: Slots, chunks: readonly Float64Array[]): Summed => ({
  count: slots.count(),
  headOf: (slot) => slots.numberAt(slot, 1) * HALF + (slots.numberAt(slot, 0) >>> 0),
  idOf: (slot, index) => slots.numberAt(slot, KEY_HEAD + index),
  sumOf: (slot, index) => chunks[Math.floor(slot / CHUNK)]?.[(slot % CHUNK) * SUMS + index] ?? 0,
});
