/**
 * Gives each key that is asked for a slot, from 0 on, and finds it again. A key is some whole numbers of 32 bits: a head and some ids. Rows
 * that were written one after the other have ids near each other, and so their keys are near each other in the table: a million that are
 * spread over all of it take twice the time, nearly all of it waiting for memory.
 */
export interface Slots {
  /** The slots of the first `count` keys, which stand one after the other in `keys`, go into `slots`. */
  find(keys: Int32Array, count: number, slots: Int32Array): void;
  /** A number of the key of a slot. */
  numberAt(slot: number, index: number): number;
  count(): number;
}

/** The head is a whole number from 0 to 2^53: its lower 32 bits, then the bits above them. The ids stand behind it. */
export const KEY_HEAD = 2;
const HALF = 2 ** 32;

const SMALLEST = 64;
const SMALLEST_TABLE = 4096;
/** Places that are tried one after the other, in one or two lines of the processor's cache, before those that lie anywhere. */
const NEAR = 8;
/** Ids whose order is known: 16 MB. Higher ones share it. */
const MOST_IDS = 2 ** 22;
/** Keys with the same first id begin in at most so many places. */
const MOST_WINDOW = 2 ** 20;

interface State {
  readonly width: number;
  /** By slot. */
  keys: Int32Array;
  /** One more than the slot; 0 is none. */
  table: Int32Array;
  count: number;
  /** By the first id, its number in the order in which ids came, from 1 on. */
  order: Int32Array;
  ids: number;
  leastHead: number;
  mostHead: number;
  /** Places of the table from one first id, or head, to the next. */
  spread: number;
}

/** @param ids how many a key has */
export function createSlots(ids: number): Slots {
  const width = KEY_HEAD + ids;
  const state: State = {
    width,
    keys: new Int32Array(SMALLEST * width),
    table: new Int32Array(SMALLEST_TABLE),
    count: 0,
    order: new Int32Array(SMALLEST),
    ids: 0,
    leastHead: Number.POSITIVE_INFINITY,
    mostHead: Number.NEGATIVE_INFINITY,
    spread: 1,
  };
  return {
    find(keys, count, slots) {
      if (ids === 0) noteHeads(state, keys, count);
      else noteIds(state, keys, count);
      makeRoom(state, state.count + count);
      findAll(state, keys, count, slots);
    },
    numberAt: (slot, index) => state.keys[slot * width + index] ?? 0,
    count: () => state.count,
  };
}

function noteHeads(state: State, keys: Int32Array, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const head = headAt(keys, index * state.width);
    if (head < state.leastHead) state.leastHead = head;
    if (head > state.mostHead) state.mostHead = head;
  }
}

function noteIds(state: State, keys: Int32Array, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const id = firstIdAt(keys, index * state.width);
    if (id >= state.order.length) state.order = longer(state.order, id + 1);
    if (state.order[id] !== 0) continue;
    state.ids += 1;
    state.order[id] = state.ids;
  }
}

function makeRoom(state: State, count: number): void {
  const { width, keys, table, count: known } = state;
  if (count * width > keys.length) state.keys = longer(keys, count * width);
  if (count * 2 <= table.length) return;
  let { length } = table;
  while (count * 2 > length) length *= 4;
  state.table = new Int32Array(length);
  state.spread = length / (width === KEY_HEAD ? state.mostHead - state.leastHead + 1 : state.ids);
  state.count = 0;
  // They are different and come in the order of their slots, so each gets its own again.
  findAll(state, state.keys, known);
}

function findAll(state: State, keys: Int32Array, count: number, slots?: Int32Array): void {
  const { width, keys: known, table, spread, order } = state;
  const mask = table.length - 1;
  const byHead = width === KEY_HEAD;
  const window = 2 ** Math.floor(Math.log2(Math.max(1, Math.min(spread, MOST_WINDOW)))) - 1;
  let next = state.count;
  for (let index = 0; index < count; index += 1) {
    const from = index * width;
    let mixed = byHead ? 0 : mixedAt(keys, from, width);
    const near = byHead ? headAt(keys, from) : (order[firstIdAt(keys, from)] ?? 0);
    let place = (near * spread + (mixed & window)) & mask;
    let slot = table[place] ?? 0;
    for (let tried = 1; slot !== 0 && !isEqual(known, (slot - 1) * width, keys, from, width); tried += 1) {
      if (tried === NEAR && byHead) mixed = mixedAt(keys, from, width);
      // Far places lie some steps apart that differ from key to key, so that no run of full places is followed to its end.
      if (tried < NEAR) place = (place + 1) & mask;
      else if (tried === NEAR) place = mixed & mask;
      else place = (place + ((mixed >>> 12) | 1)) & mask;
      slot = table[place] ?? 0;
    }
    if (slot === 0) {
      for (let at = 0; at < width; at += 1) known[next * width + at] = keys[from + at] ?? 0;
      next += 1;
      slot = next;
      table[place] = slot;
    }
    if (slots !== undefined) slots[index] = slot - 1;
  }
  state.count = next;
}

const headAt = (keys: Int32Array, from: number): number => (keys[from + 1] ?? 0) * HALF + ((keys[from] ?? 0) >>> 0);
const firstIdAt = (keys: Int32Array, from: number): number => (keys[from + KEY_HEAD] ?? 0) & (MOST_IDS - 1);

function mixedAt(keys: Int32Array, from: number, width: number): number {
  let mixed = 0;
  for (let at = from; at < from + width; at += 1) {
    mixed = Math.imul(mixed ^ (keys[at] ?? 0), 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return mixed;
}

function isEqual(known: Int32Array, at: number, keys: Int32Array, from: number, width: number): boolean {
  for (let index = 0; index < width; index += 1) if (known[at + index] !== keys[from + index]) return false;
  return true;
}

function longer(before: Int32Array, least: number): Int32Array {
  const after = new Int32Array(Math.max(least, before.length * 2));
  after.set(before);
  return after;
}
