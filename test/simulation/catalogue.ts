/** A catalogue with the built-in steps and these models, all of the provider `p`. */
import type { ModelCard } from '../../src/core/model/provider.ts';
import { DEFAULT_BOUNDS } from '../../src/core/plan/plan.ts';
import { BUILT_IN_STEPS } from '../../src/core/plan/steps.ts';
import type { Catalogue } from '../../src/core/plan/validation.ts';

export const catalogueWith = (cards: readonly ModelCard[]): Catalogue => ({
  steps: new Map(BUILT_IN_STEPS.map((step) => [step.use, step])),
  models: cards.map((card) => ({ provider: 'p', card })),
  aliases: {},
  routes: [],
  evaluators: ['validators'],
  workflows: new Map(),
  bounds: DEFAULT_BOUNDS,
});
