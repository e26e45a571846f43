/** Names that the format gives values to, and that a node or an input may have too: `run.startedAt`, and `round` in a `repeat`. */
import type { InferredType } from '../inference/inferred-type.ts';
import { inferredType, stepInto } from '../inference/inferred-type.ts';
import type { NodeAnalysis, PlanAnalysis, Use } from './plan-analysis.ts';

const ROUND = inferredType({ type: 'integer', minimum: 1 });
const RUN = inferredType({
  type: 'object',
  properties: { startedAt: { type: 'string' } },
  required: ['startedAt'],
  additionalProperties: false,
});

/** The type of the name; undefined where it is no such name. */
export function builtInType(
  use: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): InferredType | undefined {
  if (!isMeant(use, nodeAnalysis)) return undefined;
  if (nodeOfThatName(use, nodeAnalysis, analysis) !== undefined || isInput(use, analysis)) return undefined;
  return use.head === 'run' ? RUN : ROUND;
}

/** The node that the use names instead of the value of the format: an earlier one, or any where the output reads it. */
export function shadowing(
  use: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  analysis: PlanAnalysis,
): NodeAnalysis | undefined {
  return isMeant(use, nodeAnalysis) ? nodeOfThatName(use, nodeAnalysis, analysis) : undefined;
}

/** Whether the use waits for the node that its head names. */
export const isNodeName = (use: Use, nodeAnalysis: NodeAnalysis | undefined, analysis: PlanAnalysis): boolean =>
  builtInType(use, nodeAnalysis, analysis) === undefined;

function isMeant({ head, path, place }: Use, nodeAnalysis: NodeAnalysis | undefined): boolean {
  if (head !== 'run' && head !== 'round') return false;
  if (place === 'needs') return false;
  if (head === 'run') return path[0] === 'startedAt';
  const isInRound = place !== 'each' && place !== 'when' && place !== 'output';
  return isInRound && path.length === 0 && nodeAnalysis?.node.repeat !== undefined;
}

function nodeOfThatName(
  { head }: Use,
  nodeAnalysis: NodeAnalysis | undefined,
  { byId }: PlanAnalysis,
): NodeAnalysis | undefined {
  const node = byId.get(head);
  return node === undefined || (nodeAnalysis !== undefined && node.position >= nodeAnalysis.position)
    ? undefined
    : node;
}

/** `{{round}}` is then a misspelt `{{input.round}}`, as it always was. */
function isInput({ head, path }: Use, { input }: PlanAnalysis): boolean {
  if (input === undefined || input === 'any') return false;
  let inferred: InferredType | undefined = input;
  for (const step of [head, ...path]) inferred = inferred === undefined ? undefined : stepInto(inferred, step);
  return inferred !== undefined;
}
