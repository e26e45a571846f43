/** How large the values of a run may become. An operator can change the bounds (`limits.values` of the config), a plan cannot. */

export interface ValueBounds {
  /** One value: the JSON of an input, the result of a call, an item or a round, an answer, in bytes of UTF-8. */
  readonly valueBytes: number;
  /**
   * What the templates of one node make, over all its items and rounds, in bytes of UTF-8. Also what a model and its tools say in
   * one call of a node.
   */
  readonly renderedBytes: number;
  /** All values that a run makes, with those of the runs nested in it, in bytes. Also a list of items, or an output, as JSON. */
  readonly runBytes: number;
  /** What a run writes to its journal, to threads and to indexes, in bytes. */
  readonly writtenBytes: number;
}

const MEBIBYTE = 1_048_576;

export const VALUE_BOUNDS: ValueBounds = {
  valueBytes: 8 * MEBIBYTE,
  renderedBytes: 16 * MEBIBYTE,
  runBytes: 64 * MEBIBYTE,
  writtenBytes: 128 * MEBIBYTE,
};
