/** Whether the value of a reference may be null although its type does not say so: of a skipped node, of an optional field. */
import { handledAs } from '../../core/plan/stand-in.ts';
import { shown } from '../document/report.ts';
import { type InferredType, type Leaf, mayBe, stepInto, typesOf } from '../inference/inferred-type.ts';
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';

interface Path {
  readonly head: string;
  readonly path: readonly (string | number)[];
}

/** When it is null, in words that follow "which is null when"; undefined where it never is, or nothing is known. */
export function whenNull({ head, path }: Path, reader: NodeAnalysis, analysis: PlanAnalysis): string | undefined {
  if (head === 'input')
    return analysis.input === undefined ? undefined : whenAbsent(path, analysis.input, 'input', true);
  const target = analysis.byId.get(head);
  if (target === undefined || target === reader) return undefined;
  const skipped = isSkippedWith(target, reader, analysis) ? undefined : whenSkipped(target, analysis);
  return skipped ?? whenAbsent(path, target.output, head, false);
}

/** A node that refers to nothing else is skipped together with the one that it refers to; one with a condition asks first. */
function isSkippedWith(
  target: NodeAnalysis,
  { node, uses, hasFallback }: NodeAnalysis,
  { byId }: PlanAnalysis,
): boolean {
  if (node.when !== undefined) return uses.some(({ place, head }) => place === 'when' && head === target.node.id);
  if (hasFallback || givesNull(target)) return false;
  return uses.every(
    ({ place, head }) => place === 'needs' || place === 'undo' || !byId.has(head) || head === target.node.id,
  );
}

function whenSkipped(target: NodeAnalysis, analysis: PlanAnalysis): string | undefined {
  const { id, onError } = target.node;
  if (givesNull(target)) return `node "${id}" fails, because its onError is ${shown(onError)}`;
  return maySkip(target, analysis, new Set()) ? `node "${id}" is skipped` : undefined;
}

/** Its output is null where it fails. */
function givesNull({ node }: NodeAnalysis): boolean {
  const handled = handledAs(node);
  return handled === 'skip' || handled === 'keep';
}

/** By its own condition, or because all that it refers to may be skipped. */
export function maySkip(target: NodeAnalysis, analysis: PlanAnalysis, seen: Set<NodeAnalysis>): boolean {
  if (target.node.when !== undefined) return true;
  if (target.hasFallback || seen.has(target)) return false;
  seen.add(target);
  const data = new Set(
    target.uses.filter(({ place }) => place !== 'needs' && place !== 'undo').map(({ head }) => analysis.byId.get(head)),
  );
  data.delete(undefined);
  return data.size > 0 && [...data].every((other) => other !== undefined && maySkip(other, analysis, seen));
}

/** The first field of the path that may be absent. Outputs with a sloppy schema, without any required field, say nothing. */
function whenAbsent(
  path: readonly (string | number)[],
  start: InferredType,
  head: string,
  isComplete: boolean,
): string | undefined {
  let inferred: InferredType | undefined = start;
  for (const step of path) {
    if (inferred === undefined || inferred === 'any') return undefined;
    if (typeof step === 'string' && inferred.every((leaf) => isOptional(leaf, step, isComplete)))
      return `"${step}" of ${head} is not given`;
    inferred = stepInto(inferred, step);
  }
  if (inferred === undefined || inferred === 'any') return undefined;
  const isNull = inferred.some((leaf) => typesOf(leaf)?.includes('null') === true);
  return isNull ? `${head}${path.length === 0 ? '' : ` gives null for "${path.at(-1)}"`}` : undefined;
}

function isOptional(leaf: Leaf, field: string, isComplete: boolean): boolean {
  const { required, properties } = leaf.schema;
  if (!mayBe(leaf, 'object') || typeof properties !== 'object' || properties === null) return false;
  if (!Object.hasOwn(properties, field)) return false;
  return Array.isArray(required) ? !required.includes(field) : isComplete;
}
