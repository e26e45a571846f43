/**
 * Makes checks of the parts of a schema: plain functions that know the run they work for. Making them is linear in the schema,
 * and no code is generated.
 */
import type { JsonSchema } from '../../../core/model/model.ts';
import { arrayChecks, unevaluatedItemsCheck } from './array-checks.ts';
import { held, heldOne } from './held.ts';
import { REFERENCES } from './keywords.ts';
import { objectChecks, unevaluatedPropertiesCheck } from './object-checks.ts';
import { type Check, type CheckRun, enter, fail, isCollecting, probe, spend } from './run.ts';
import { choiceCheck, constantCheck, numberChecks, textChecks } from './scalar-checks.ts';
import { markCycles } from './schema-graph.ts';
import type { SchemaPart } from './schema-parts.ts';
import { ARRAY, FRACTION, INTEGER, OBJECT, TEXT, typeBit, typeBits } from './type-bits.ts';

/** Sets the check of each part. @throws invalid-request for a pattern that is no regular expression */
export function compileParts(parts: readonly SchemaPart[]): void {
  markCycles(parts);
  for (const part of parts) part.check = compilePart(part);
}

const valid: Check = (_value, run) => {
  spend(run, 1);
  return true;
};

const invalid: Check = (_value, run) => {
  spend(run, 1);
  return fail(run, 'must be absent (boolean schema is false)');
};

function compilePart(part: SchemaPart): Check {
  const { schema } = part;
  if (schema === true) return valid;
  if (schema === false) return invalid;
  const always: Check[] = [];
  if (Array.isArray(schema.enum)) always.push(choiceCheck(schema.enum));
  if (schema.const !== undefined) always.push(constantCheck(schema.const));
  always.push(...inPlaceChecks(part));
  const rules: RulesByType = {
    always,
    number: [...always, ...numberChecks(schema)],
    text: [...always, ...textChecks(schema)],
    array: [...always, ...arrayChecks(schema, part), ...listed(unevaluatedItemsCheck(part))],
    object: [...always, ...objectChecks(schema, part), ...listed(unevaluatedPropertiesCheck(part))],
  };
  return typedCheck(schema, rules);
}

const listed = (check: Check | undefined): readonly Check[] => (check === undefined ? [] : [check]);

/** What applies to a value of each type. */
interface RulesByType {
  readonly always: readonly Check[];
  readonly number: readonly Check[];
  readonly text: readonly Check[];
  readonly array: readonly Check[];
  readonly object: readonly Check[];
}

function typedCheck(schema: JsonSchema, rules: RulesByType): Check {
  const types = typeBits(schema);
  const message = `must be ${Array.isArray(schema.type) ? schema.type.join(',') : String(schema.type)}`;
  const { always, number, text, array, object } = rules;
  if (number.length + text.length + array.length + object.length === 0) {
    return (value, run) => {
      spend(run, 1);
      return (types & typeBit(value)) !== 0 || fail(run, message);
    };
  }
  return (value, run) => {
    spend(run, 1);
    const bit = typeBit(value);
    if ((types & bit) === 0) return fail(run, message);
    if (bit === OBJECT) return object.length === 0 || applyAll(object, value, run);
    if (bit === ARRAY) return array.length === 0 || applyAll(array, value, run);
    const own = bit === TEXT ? text : bit === INTEGER || bit === FRACTION ? number : always;
    return own.length === 0 || applyAll(own, value, run);
  };
}

function applyAll(rules: readonly Check[], value: unknown, run: CheckRun): boolean {
  enter(run);
  let fits = true;
  for (const rule of rules) {
    if (rule(value, run)) continue;
    fits = false;
    if (!isCollecting(run)) break;
  }
  run.depth -= 1;
  return fits;
}

/** References and combinations: schemas for the same value. */
function inPlaceChecks(part: SchemaPart): Check[] {
  const checks: Check[] = [];
  for (const keyword of REFERENCES) {
    const target = heldOne(part, keyword);
    if (target !== undefined) checks.push(part.closesCycle ? rememberedCheck(target) : referenceCheck(target));
  }
  for (const edge of held(part, 'allOf')) checks.push(referenceCheck(edge.part));
  const choices = held(part, 'anyOf').map((edge) => edge.part);
  if (choices.length > 0) checks.push(anyOfCheck(choices));
  const alternatives = held(part, 'oneOf').map((edge) => edge.part);
  if (alternatives.length > 0) checks.push(oneOfCheck(alternatives));
  const excluded = heldOne(part, 'not');
  if (excluded !== undefined) {
    checks.push((value, run) => !probe(run, () => excluded.check(value, run)) || fail(run, 'must NOT be valid'));
  }
  const condition = heldOne(part, 'if');
  if (condition !== undefined) checks.push(conditionCheck(condition, heldOne(part, 'then'), heldOne(part, 'else')));
  return checks;
}

const referenceCheck =
  (target: SchemaPart): Check =>
  (value, run) =>
    target.check(value, run);

/** What a remembered result costs in memory, in steps. */
const REMEMBERED_STEPS = 16;

/** Each object and array of a long check is checked once against a schema that refers to itself. */
function rememberedCheck(target: SchemaPart): Check {
  return (value, run) => {
    if (run.steps > run.rememberBelow || typeof value !== 'object' || value === null) return target.check(value, run);
    run.known ??= new Map();
    let results = run.known.get(target);
    if (results === undefined) {
      results = new Map();
      run.known.set(target, results);
    }
    const known = results.get(value);
    if (known !== undefined) return known || fail(run, 'does not fit its schema, as said of it before');
    spend(run, REMEMBERED_STEPS);
    const fits = target.check(value, run);
    results.set(value, fits);
    return fits;
  };
}

/** The issues of all choices are kept only if none fits. */
function anyOfCheck(choices: readonly SchemaPart[]): Check {
  return (value, run) => {
    const start = run.issues?.length ?? 0;
    for (const choice of choices) {
      if (!choice.check(value, run)) continue;
      if (run.issues !== undefined) run.issues.length = start;
      return true;
    }
    return fail(run, 'must match a schema in anyOf');
  };
}

function oneOfCheck(choices: readonly SchemaPart[]): Check {
  return (value, run) => {
    const start = run.issues?.length ?? 0;
    let fitting = 0;
    for (const choice of choices) {
      if (choice.check(value, run) && ++fitting > 1) break;
    }
    if (fitting > 0 && run.issues !== undefined) run.issues.length = start;
    return fitting === 1 || fail(run, 'must match exactly one schema in oneOf');
  };
}

function conditionCheck(condition: SchemaPart, then: SchemaPart | undefined, otherwise: SchemaPart | undefined): Check {
  return (value, run) => {
    const holds = probe(run, () => condition.check(value, run));
    const branch = holds ? then : otherwise;
    if (branch === undefined || branch.check(value, run)) return true;
    return fail(run, `must match "${holds ? 'then' : 'else'}" schema`);
  };
}
