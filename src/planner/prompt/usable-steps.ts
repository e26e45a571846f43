/** The steps that can run here: those that call a model are left out where no registered model could serve them. */
import type { Operation } from '../../core/model/model.ts';
import type { Catalogue, StepType } from '../../core/plan/validation.ts';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['llm', 'chat'],
  ['image', 'image'],
  ['embed', 'embed'],
  ['moderate', 'moderate'],
  ['rerank', 'rerank'],
]);

export interface UsableSteps {
  readonly steps: readonly StepType[];
  readonly tools: readonly StepType[];
}

export function usableSteps({ steps, models }: Pick<Catalogue, 'steps' | 'models'>): UsableSteps {
  const served = new Set<Operation>();
  for (const { card } of models) {
    if (card.lifecycle?.stage !== 'retired') for (const operation of card.operations) served.add(operation);
  }
  const shown = [...steps.values()].filter((step) => step.forPlanner !== false && canRun(step, served));
  return { steps: shown.filter((step) => !isTool(step)), tools: shown.filter(isTool) };
}

export const isTool = ({ use }: StepType): boolean => use.startsWith('tool:');

function canRun({ use }: StepType, served: ReadonlySet<Operation>): boolean {
  const operation = OPERATIONS.get(use);
  return operation === undefined || served.has(operation);
}
