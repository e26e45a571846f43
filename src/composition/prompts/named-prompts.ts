/** Validates plans that name prompts: which version a run uses is decided by its id, and by nothing that changes later. */
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { Catalogue, ValidateOptions, Validation } from '../../core/plan/validation.ts';
import { validate } from '../../validator/validate.ts';
import { validOrThrow } from '../start.ts';

export interface NamedPrompts {
  validate(plan: unknown, options?: ValidateOptions): Validation;
  /** Whether the versions of its prompts depend on the run. */
  isOpen(plan: ValidPlan): boolean;
  /** The plan with the versions that this run uses. */
  forRun(plan: ValidPlan, runId: string): ValidPlan;
  /** The catalogue as a planner sees it. */
  forPlanner(isAllowed: () => boolean): () => Catalogue;
}

interface Authored {
  /** The plan as it was given, which names its prompts. */
  readonly given: unknown;
  readonly options: ValidateOptions | undefined;
}

export function namedPrompts(catalogue: () => Catalogue): NamedPrompts {
  const authored = new WeakMap<ValidPlan, Authored>();
  const without = new WeakMap<Catalogue, Catalogue>();
  return {
    validate(given, options) {
      const now = catalogue();
      const validation = validate(given, now, options);
      const { plan, repaired } = validation;
      if (now.prompts !== undefined && plan !== undefined && repaired.some(({ code }) => code === 'prompt.resolved'))
        // Its owner may change the object later.
        authored.set(plan, { given: typeof given === 'string' ? given : structuredClone(given), options });
      return validation;
    },
    isOpen: (plan) => authored.has(plan),
    forRun(plan, runId) {
      const before = authored.get(plan);
      if (before === undefined) return plan;
      return validOrThrow(validate(before.given, { ...catalogue(), promptSeed: runId }, before.options));
    },
    forPlanner: (isAllowed) => () => {
      const now = catalogue();
      if (now.prompts === undefined || isAllowed()) return now;
      const known = without.get(now);
      if (known !== undefined) return known;
      const { prompts: _, ...others } = now;
      without.set(now, others);
      return others;
    },
  };
}
