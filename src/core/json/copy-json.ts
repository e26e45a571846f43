/**
 * Copies of plain JSON that share nothing with it. Texts, numbers, booleans and null are returned as they are.
 *
 * A value may hold the same list at a million places, which takes no room there but would in a copy: large parts, and all parts
 * after the first thousand, are copied once and are then at several places of the copy too.
 */

/** The copies of one owner, who gets each part once. */
export interface Copies {
  of<T>(value: T): T;
}

interface Copying {
  /** Undefined until a part is remembered. */
  known: WeakMap<object, unknown> | undefined;
  /** Small parts that are copied without being remembered, which is quicker. */
  left: number;
}

const FORGOTTEN_PARTS = 1000;
/** Entries from which on a part is large. */
const LARGE = 64;

export function copyJson<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  return copyOf(value, { known: undefined, left: FORGOTTEN_PARTS }) as T;
}

/** For several values that may hold the same parts, such as the outputs of a run. Keeps no value alive. */
export function copies(): Copies {
  const copying: Copying = { known: undefined, left: FORGOTTEN_PARTS };
  return {
    of<T>(value: T): T {
      copying.left = FORGOTTEN_PARTS;
      return copyOf(value, copying) as T;
    },
  };
}

function copyOf(value: unknown, copying: Copying): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const before = copying.known?.get(value);
  if (before !== undefined) return before;
  return Array.isArray(value) ? copyOfItems(value, copying) : copyOfFields(value, copying);
}

function copyOfItems(items: readonly unknown[], copying: Copying): unknown {
  const copy = items.slice();
  for (let index = 0; index < copy.length; index += 1) {
    const item = copy[index];
    if (typeof item === 'object' && item !== null) copy[index] = copyOf(item, copying);
  }
  remember(items, copy, copy.length, copying);
  return copy;
}

function copyOfFields(value: object, copying: Copying): unknown {
  // A spread takes the shape of the object over, which is quicker than field by field, and a field `__proto__` as a field.
  const copy: Record<string, unknown> = { ...value };
  let entries = 0;
  for (const key in copy) {
    const field = copy[key];
    entries += 1;
    // What a prototype of all objects had been given is none of its fields.
    if (typeof field === 'object' && field !== null && Object.hasOwn(copy, key)) copy[key] = copyOf(field, copying);
  }
  remember(value, copy, entries, copying);
  return copy;
}

function remember(value: object, copy: unknown, entries: number, copying: Copying): void {
  copying.left -= 1;
  if (entries < LARGE && copying.left >= 0) return;
  copying.known ??= new WeakMap();
  copying.known.set(value, copy);
}

/** To assign `__proto__` would set the prototype; defined, it is a field as any other. */
export function setField(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') target[key] = value;
  else Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}
