/** The rule for absent fields: a field without a value is left out instead of set to undefined. */

/** `T`, with each field that may be undefined made optional. */
export type Defined<T> = {
  [Field in keyof T as undefined extends T[Field] ? never : Field]: T[Field];
} & {
  [Field in keyof T as undefined extends T[Field] ? Field : never]?: Exclude<T[Field], undefined>;
};

/** An object on the hot path takes its optional fields one by one: a conditional spread for each costs several times as much. */
export type Growing<T> = { -readonly [Field in keyof T]: T[Field] };

/** Returns a copy without the undefined fields. On the hot path, assignments to a `Growing` cost less. */
export function defined<const T extends object>(fields: T): Defined<T> {
  const given = fields as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  // Ten times faster than Object.entries, and this runs for every request and answer.
  for (const name in given) if (given[name] !== undefined) copy[name] = given[name];
  return copy as Defined<T>;
}
