/** What templates and expressions are rendered with. */

/**
 * Returns the value of a head: the output of a node, `input`, `item`. With `part` `meta`, the metadata of a node; undefined
 * if it has none, and `meta` is then an ordinary field.
 */
export type TemplateScope = (head: string, part?: 'meta') => unknown;

/** What counts that which rendering makes, before it is made. Each method may throw to refuse it. */
export interface RenderMeter {
  /** A part of a text. */
  readonly text: (part: string) => void;
  /** A value whose compact JSON becomes a part of a text. */
  readonly json: (value: unknown) => void;
  /** A list or an object with so many entries. */
  readonly container: (entries: number) => void;
  /** A value that is passed on as it is, without a copy. */
  readonly reference: (value: unknown) => void;
  /** So many bytes of lists and objects, made by an expression. Its work bounds them before they are made. */
  readonly made: (bytes: number) => void;
}
