/** The model that a call asks for, where references or expressions of the node decide it. */
import { PolyphonyError } from '../../core/errors.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import { shownJson } from '../../language/shown.ts';
import { compiledOf } from '../state/compiled-node.ts';
import type { RunState } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import type { Unit } from '../state/task.ts';

/**
 * The node with the model that its data gives.
 *
 * @throws invalid-request for null and for a name that validation did not foresee, so that no model is asked that was not checked
 */
export function nodeWithModel(run: RunState, unit: Unit): PlanNode {
  const { task } = unit;
  const { node } = task;
  const { model } = compiledOf(task);
  if (model === undefined) return node;
  const given = model.render(scopeOf(run, unit)) as Readonly<Record<string, unknown>>;
  const asked: Record<string, unknown> = { ...node.model };
  for (const [field, name] of Object.entries(given)) {
    if (typeof name === 'string' && isForeseen(task.valid.models, field, name)) asked[field] = name;
    else throw unforeseen(node.id, field, name);
  }
  return { ...node, model: asked as NonNullable<PlanNode['model']> };
}

function isForeseen(
  models: readonly NonNullable<PlanNode['model']>[] | undefined,
  field: string,
  name: string,
): boolean {
  return models === undefined || models.some((choice) => (choice as Readonly<Record<string, unknown>>)[field] === name);
}

function unforeseen(nodeId: string, field: string, name: unknown): PolyphonyError {
  const message = `model.${field} of node ${nodeId} turned out to be ${shownJson(name)}, which is none of the names that it was checked for: give one of these, or one for a missing value with ?? or ?:.`;
  return new PolyphonyError('invalid-request', message, { details: { nodeId } });
}
