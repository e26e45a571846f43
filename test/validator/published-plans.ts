/** Plans that two models wrote for published requests, with the tools that they were told of; not part of the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Catalogue, StepType } from '../../src/core/plan/validation.ts';
import { catalogue } from './catalogue.ts';

const FOLDER = join(process.env.POLYPHONY_SHARED ?? join(import.meta.dirname, '../../../shared'), 'data/plans');

export const arePlansIn = (folder: string): boolean => existsSync(join(folder, 'predicted.jsonl'));
export const hasPublishedPlans = arePlansIn(FOLDER);

export interface PublishedPlan {
  readonly id: string;
  readonly model: string;
  readonly plan: Plan;
  /** What the model listed beside the plan as its links, by the names of tools. It only judges. */
  readonly links: unknown;
}

export function publishedPlans(folder = FOLDER): PublishedPlan[] {
  const lines = readFileSync(join(folder, 'predicted.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line): PublishedPlan => JSON.parse(line));
}

/**
 * The tools take any input, because the data names none; every output is one text. They compute something and change nothing, and
 * say so unless `sideEffects` is undefined.
 */
export function publishedCatalogue(
  { sideEffects }: Pick<StepType, 'sideEffects'> = { sideEffects: false },
  folder = FOLDER,
): Catalogue {
  const tools: readonly { name: string; description: string }[] = JSON.parse(
    readFileSync(join(folder, 'tools.json'), 'utf8'),
  );
  return catalogue({
    steps: tools.map(
      ({ name, description }): StepType => ({
        use: `tool:${name}`,
        description,
        input: { type: 'object' },
        ...(sideEffects === undefined ? {} : { sideEffects }),
        output: { type: 'object', properties: { output: { type: 'string' } }, required: ['output'] },
      }),
    ),
  });
}
