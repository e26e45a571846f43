/** An empty list for one call. A literal would be made where V8 keeps what lives long: see docs/decisions/objects-of-a-call.md. */
export const newList = <T>(): T[] => Array.of<T>();
