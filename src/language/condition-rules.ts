/** Names and bounds of conditions. Imports nothing, so that the validator loads it cheaply. */

export const CONDITION_BOUNDS = {
  /** Characters of an expression. */
  length: 2000,
  /** Nesting of parentheses, calls, indexes and selections. */
  depth: 32,
  /**
   * Operators within one another: `a || b || c` has two, because it means `(a || b) || c`. Two thirds of what the stack of a process takes
   * at least, so that the same text is taken or refused wherever it is read.
   */
  operators: 1000,
  /** Comprehensions (`all`, `exists`, `exists_one`, `map`, `filter`) inside one another. */
  comprehensions: 2,
  /** Items of a list that a comprehension or `in` reads. */
  listItems: 10_000,
  /** Reads and iterations of one evaluation, plus a 64th of the length of each value that is read. */
  steps: 1_000_000,
  /** Those of all expressions of one value that is rendered, such as the inputs of a node. */
  renderedSteps: 4_000_000,
  /** Bytes of texts and lists that one evaluation makes. */
  made: 4_194_304,
} as const;

const TYPES = ['string', 'bool', 'int', 'uint', 'double', 'map', 'list', 'bytes', 'null_type', 'type'] as const;
export const CEL_TYPE_NAMES: ReadonlySet<string> = new Set(TYPES);

/** Comprehensions: the first argument declares a variable. */
const MACROS = ['all', 'exists', 'exists_one', 'map', 'filter'] as const;
export const CEL_MACROS: ReadonlySet<string> = new Set(MACROS);

/** Names that nodes and heads must not have: what the library refuses as a name. Types, functions and macros are none of them. */
const RESERVED = [
  ...(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if'] as const),
  ...(['import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while', '__proto__'] as const),
  ...(['prototype', 'cel', 'optional'] as const),
] as const;
export type ReservedName = (typeof RESERVED)[number];
export const CEL_RESERVED: ReadonlySet<string> = new Set(RESERVED);
