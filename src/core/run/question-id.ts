/** The ids of questions: `<node>`, `<node>[<item>]`, and for those of nested runs `<outer>/<node>`, `<outer>[<item>]/<node>`. */

/** A node of one run, or one item of it. */
export interface QuestionPlace {
  readonly nodeId: string;
  /** Index within `each`. */
  readonly item?: number;
}

/** Digits of the largest index that is a whole number. */
const MOST_DIGITS = 15;
const DIGITS = /^[0-9]+$/;

export const questionId = ({ nodeId, item }: QuestionPlace): string =>
  item === undefined ? nodeId : `${nodeId}[${item}]`;

/** The places of an id from the outermost run to the one that asks, at least one. What is no id is one node of that name. */
export function questionPlaces(id: string): readonly [...outer: QuestionPlace[], asking: QuestionPlace] {
  const places = id.split('/').map(placeOf);
  const asking = places.pop() ?? { nodeId: id };
  return [...places, asking];
}

function placeOf(part: string): QuestionPlace {
  const open = part.indexOf('[');
  if (open < 1 || !part.endsWith(']')) return { nodeId: part };
  const digits = part.slice(open + 1, -1);
  if (digits.length > MOST_DIGITS || !DIGITS.test(digits)) return { nodeId: part };
  return { nodeId: part.slice(0, open), item: Number(digits) };
}
