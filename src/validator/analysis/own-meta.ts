/** Whether what a node gives has a field `meta` of its own, beside the `meta` that the run keeps of every node. */

import type { OwnMeta } from '../../core/plan/plan.ts';
import { isRecord } from '../document/document.ts';
import { type InferredType, type Leaf, mayBe, stepInto } from '../inference/inferred-type.ts';

/** Undefined: it has none. */
export function ownMetaOf(output: InferredType): OwnMeta | undefined {
  if (output === 'any') return 'maybe';
  const objects = output.filter((leaf) => mayBe(leaf, 'object'));
  if (objects.length === 0) return undefined;
  if (objects.every(declaresMeta)) return 'always';
  return stepInto(objects, 'meta') === undefined ? undefined : 'maybe';
}

const declaresMeta = ({ schema: { properties } }: Leaf): boolean =>
  isRecord(properties) && Object.hasOwn(properties, 'meta');
