/** What the types of expressions are told with: simple types, what a value may be, and a field of a computed value. */
import type { ExpressionNode } from '../../language/expression.ts';
import { nearest } from '../../language/suggest.ts';
import { type InferredType, inferredType, stepInto, typesOfInferred } from '../analysis/inferred-type.ts';
import type { IssueCode } from '../document/codes.ts';
import { type FindingDetails, shown } from '../document/report.ts';

export const TEXT = inferredType({ type: 'string' });
export const NUMBER = inferredType({ type: 'number' });
export const INTEGER = inferredType({ type: 'integer' });
export const BOOLEAN = inferredType({ type: 'boolean' });
export const LIST = inferredType({ type: 'array' });
export const OBJECT = inferredType({ type: 'object' });
export const NULL = inferredType({ type: 'null' });

export interface ExpressionReading {
  readonly source: string;
  /** The type of a reference by its text; undefined: it is none. */
  readonly typeOfReference: (text: string) => InferredType | undefined;
  readonly problem: (code: IssueCode, message: string, details?: FindingDetails) => void;
}

/** The types of the variables of the comprehensions around a node. */
export type Variables = ReadonlyMap<string, InferredType>;

/** The type of a part of the expression, with these variables. */
export type TypeOf = (node: ExpressionNode, variables: Variables) => InferredType;

/** The field of a computed value; one that no value there has is a problem. */
export function fieldOf(
  base: InferredType,
  step: string | number,
  of: string,
  { problem }: ExpressionReading,
): InferredType {
  const { inferred, names } = stepInto(base, step);
  if (inferred !== undefined) return inferred;
  const types = typesOfInferred(base)?.join(' or ');
  const has =
    names.length > 0 ? `its fields are ${names.slice(0, 20).join(', ')}` : `its type is ${types ?? 'another'}`;
  const what = typeof step === 'number' ? `no item [${step}]` : `no field ${shown(step)}`;
  problem('ref.unknown_field', `${shown(of)} has ${what}; ${has}.`, {
    got: String(step),
    expected: names.length > 0 ? names.slice(0, 50) : types,
    suggest: typeof step === 'string' ? nearest(step, names) : [],
  });
  return 'any';
}

export type Kind = 'number' | 'string' | 'array' | 'boolean' | 'object' | 'null';

/** What the value may be; undefined: anything. */
export function kindsOf(inferred: InferredType): readonly Kind[] | undefined {
  const types = typesOfInferred(inferred);
  return types?.map((type) => (type === 'integer' ? 'number' : (type as Kind)));
}
