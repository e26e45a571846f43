/**
 * Validates a plan object once, as long as it, the catalogue and what was learned for its estimate are unchanged. Plans are plain objects that their owner may
 * change in place, so a plan that comes again is compared with what was validated: that costs far less than a validation.
 */
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { Catalogue } from '../core/plan/validation.ts';

interface Validated {
  readonly catalogue: Catalogue;
  /** By which it was estimated. */
  readonly ratios: ReadonlyMap<string, number> | undefined;
  /** The plan as it was given. */
  readonly given: unknown;
  readonly valid: ValidPlan;
}

export type ValidatedPlans = (plan: Plan) => ValidPlan;

/** Errors of `validate` are thrown and not kept. */
export function validatedPlans(catalogue: () => Catalogue, validate: (plan: Plan) => ValidPlan): ValidatedPlans {
  const known = new WeakMap<Plan, Validated>();
  return (plan) => {
    const now = catalogue();
    const before = known.get(plan);
    const ratios = now.tokenRatios?.();
    if (before?.catalogue === now && before.ratios === ratios && isUnchanged(plan, before.given)) return before.valid;
    const valid = validate(plan);
    // The validator's plan is a copy, and the same as the given one unless something was repaired.
    const given = isUnchanged(plan, valid.plan) ? valid.plan : JSON.parse(JSON.stringify(plan));
    known.set(plan, { catalogue: now, ratios, given, valid });
    return valid;
  };
}

/** False when a getter throws, so that the validator reports it. */
function isUnchanged(plan: Plan, given: unknown): boolean {
  try {
    return isSameJson(plan, given);
  } catch {
    return false;
  }
}

/** Whether both hold the same JSON, field by field. False for what is not JSON. */
export function isSameJson(given: unknown, copy: unknown): boolean {
  if (typeof given !== 'object' || given === null) return given === copy;
  if (typeof copy !== 'object' || copy === null) return false;
  return Array.isArray(given) ? isSameList(given, copy) : isSameRecord(given, copy);
}

function isSameList(given: readonly unknown[], copy: object): boolean {
  if (!Array.isArray(copy) || copy.length !== given.length) return false;
  for (let index = 0; index < given.length; index += 1) if (!isSameJson(given[index], copy[index])) return false;
  return true;
}

function isSameRecord(given: object, copy: object): boolean {
  if (Array.isArray(copy)) return false;
  let fields = 0;
  for (const key of Object.keys(given)) {
    const value = (given as Readonly<Record<string, unknown>>)[key];
    // As in JSON, a field that is undefined counts as absent.
    if (value === undefined) continue;
    if (!Object.hasOwn(copy, key) || !isSameJson(value, (copy as Readonly<Record<string, unknown>>)[key])) return false;
    fields += 1;
  }
  return fields === Object.keys(copy).length;
}
