/** Names and bounds of expressions. Imports nothing. */

/** Characters of an expression: more than of a condition, because it may hold the texts that it chooses from. */
export const EXPRESSION_LENGTH = 10_000;

/** How many values a function takes, the one before the dot included. */
interface Arity {
  readonly least: number;
  readonly most: number;
}

export const NO_VALUES: Arity = { least: 0, most: 0 };

/** The functions that plans have beside those of CEL. */
export const OWN_FUNCTIONS: Readonly<Record<string, Arity>> = {
  first: { least: 1, most: 2 },
  last: { least: 1, most: 2 },
  slice: { least: 2, most: 3 },
  flatten: { least: 1, most: 1 },
  sortBy: { least: 2, most: 3 },
  unique: { least: 1, most: 2 },
  zip: { least: 1, most: 3 },
  sum: { least: 1, most: 2 },
  avg: { least: 1, most: 2 },
  min: { least: 1, most: 2 },
  max: { least: 1, most: 2 },
  round: { least: 1, most: 2 },
  fixed: { least: 2, most: 2 },
  toJson: { least: 1, most: 1 },
  fromJson: { least: 1, most: 1 },
};
