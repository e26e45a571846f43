/** Plans that two models wrote for published requests, with the tools that they were told of; not part of the repository. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalogue, StepType } from '../../src/core/plan/validation.ts';
import { catalogue } from './catalogue.ts';

const FOLDER = join(process.env.POLYPHONY_SHARED ?? join(import.meta.dirname, '../../../shared'), 'data/plans');

export const hasPublishedPlans = existsSync(join(FOLDER, 'predicted.jsonl'));

interface PublishedPlan {
  readonly model: string;
  readonly plan: unknown;
}

export function publishedPlans(): PublishedPlan[] {
  const lines = readFileSync(join(FOLDER, 'predicted.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line): PublishedPlan => JSON.parse(line));
}

/**
 * The tools take any input, because the data names none; every output is one text. They compute something and change nothing, and
 * say so unless `sideEffects` is undefined.
 */
export function publishedCatalogue({ sideEffects }: Pick<StepType, 'sideEffects'> = { sideEffects: false }): Catalogue {
  const tools: readonly { name: string; description: string }[] = JSON.parse(
    readFileSync(join(FOLDER, 'tools.json'), 'utf8'),
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
