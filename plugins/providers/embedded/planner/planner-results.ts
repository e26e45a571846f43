/** Nodes whose result is more than one answer of a model: figures that `calculate` works out, and fields by name. */
import type { JsonValue } from 'polyphony/kit';
import { FIGURES_SHAPE } from '../figures/shape.ts';

interface Node {
  readonly id: string;
  readonly use: string;
  readonly [field: string]: JsonValue;
}

interface Part {
  readonly nodes: readonly Node[];
  readonly output: JsonValue;
}

/** A node that writes expressions, one that computes them, and an output that joins both. */
export function figurePart(id: string, prompt: string, model: { readonly model?: JsonValue }): Part {
  const values = `${id}_values`;
  return {
    nodes: [
      { id, use: 'llm', in: { prompt }, ...model, out: FIGURES_SHAPE },
      { id: values, use: 'tool:calculate', each: `{{${id}.figures}}`, in: { expression: '{{item.expression}}' } },
    ],
    output: {
      figures: `{{= zip({'of': ${id}.figures.map(f, f.of), 'value': ${values}.map(v, v.value)}) }}`,
      note: `{{${id}.note}}`,
    },
  };
}

export const FIGURE_INSTRUCTION =
  'Give every figure that is asked for as an arithmetic expression of the numbers in the following document, such as sum(1.5, 2) / 2, and in "of" what it is of. ' +
  'If the document lacks it, give none and say so in "note"; otherwise leave "note" empty.';

/** Each field as text or null, and the names of those without a value. */
export function fieldsShape(names: readonly string[]): JsonValue {
  const value = { anyOf: [{ type: 'string' }, { type: 'null' }] };
  const properties = {
    file: { type: 'string' },
    ...Object.fromEntries(names.map((name) => [fieldKey(name), value])),
    missing: { type: 'array', items: { type: 'string' } },
  };
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** A plan has words of its own in outputs: a field that is called like one gets a mark. */
export const fieldKey = (name: string): string => (/^(?:meta|missing|file)$/i.test(name) ? `${name}_` : name);
