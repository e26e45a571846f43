/** What templates and expressions are rendered with, and how a value that takes long is rendered in parts. */
import { beginRender, leftToRender, workedSteps } from './cel/condition-work.ts';

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

/** A value that is rendered in parts, between which others get their turn. */
export interface Rendering {
  /**
   * Works for one part: as many expressions as take about `PART_STEPS` steps, one at least.
   *
   * @returns whether nothing is left to work out
   * @throws what rendering throws
   */
  next(): boolean;
  /** The rendered value, once `next` has returned true. Throws what rendering throws. */
  value(): unknown;
}

/** About 50 ms of work. */
export const PART_STEPS = 100_000;

type Evaluate = (scope: TemplateScope, meter: RenderMeter) => unknown;

/** @param render the whole, with the values of its expressions in their order */
export function renderInParts(
  expressions: readonly Evaluate[],
  given: TemplateScope,
  meter: RenderMeter,
  render: (scope: TemplateScope, known: readonly unknown[]) => unknown,
): Rendering {
  const scope = sameForAll(given);
  const known: unknown[] = [];
  let left: number | undefined;
  return {
    next() {
      const before = workedSteps();
      beginRender(left);
      for (const evaluate of expressions.slice(known.length)) {
        if (workedSteps() - before >= PART_STEPS) break;
        known.push(evaluate(scope, meter));
      }
      left = leftToRender();
      return known.length === expressions.length;
    },
    value: () => render(scope, known),
  };
}

/** What a head is does not change between two parts. */
function sameForAll(scope: TemplateScope): TemplateScope {
  const outputs = new Map<string, unknown>();
  const metas = new Map<string, unknown>();
  return (head, part) => {
    const seen = part === undefined ? outputs : metas;
    if (!seen.has(head)) seen.set(head, scope(head, part));
    return seen.get(head);
  };
}
