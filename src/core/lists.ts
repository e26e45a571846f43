/** Adds all items to the end of a list. A call with a spread passes each item as an argument, which fails for 100,000. */
export function append<Item>(list: Item[], more: readonly Item[]): void {
  for (const item of more) list.push(item);
}

const NOTHING: readonly never[] = [];

/** An empty list for one call. A literal would be made where V8 keeps what lives long: see docs/decisions/objects-of-a-call.md. */
export const newList = <T>(): T[] => NOTHING.slice();
