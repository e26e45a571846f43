/** The rule for absent fields: a field that has no value is not there, instead of being there and undefined. */

/** `T` where what may be undefined may be absent instead. */
export type Defined<T> = {
  [Field in keyof T as undefined extends T[Field] ? never : Field]: T[Field];
} & {
  [Field in keyof T as undefined extends T[Field] ? Field : never]?: Exclude<T[Field], undefined>;
};

/** A copy without the fields that are undefined. Where a call passes many times, a spread with a condition costs less. */
export function defined<const T extends object>(fields: T): Defined<T> {
  const given = fields as Readonly<Record<string, unknown>>;
  const copy: Record<string, unknown> = {};
  // Ten times faster than Object.entries, and this runs for every request and answer.
  for (const name in given) if (given[name] !== undefined) copy[name] = given[name];
  return copy as Defined<T>;
}
