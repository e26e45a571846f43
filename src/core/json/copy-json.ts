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
  const copy: unknown[] = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) copy[index] = copyOf(items[index], copying);
  remember(items, copy, items.length, copying);
  return copy;
}

function copyOfFields(value: object, copying: Copying): unknown {
  const copy: Record<string, unknown> = {};
  const keys = Object.keys(value);
  for (const key of keys) setField(copy, key, copyOf((value as Readonly<Record<string, unknown>>)[key], copying));
  remember(value, copy, keys.length, copying);
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
