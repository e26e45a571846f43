/** Checks of arrays. */
import type { JsonSchema } from '../../../core/model/model.ts';
import { equalityKey } from './equality.ts';
import { evaluatedItems } from './evaluated.ts';
import { held, heldOne, into } from './held.ts';
import { type Check, type CheckRun, fail, isCollecting, probe, spend, textSteps } from './run.ts';
import type { SchemaPart } from './schema-parts.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';

export function arrayChecks(schema: JsonSchema, part: SchemaPart): Check[] {
  const { minItems: least, maxItems: most } = schema;
  const checks: Check[] = [];
  if (isNumber(least)) {
    const message = `must NOT have fewer than ${least} items`;
    checks.push((value, run) => (value as unknown[]).length >= least || fail(run, message));
  }
  if (isNumber(most)) {
    const message = `must NOT have more than ${most} items`;
    checks.push((value, run) => (value as unknown[]).length <= most || fail(run, message));
  }
  const items = itemsCheck(part);
  if (items !== undefined) checks.push(items);
  const contained = heldOne(part, 'contains');
  if (contained !== undefined) checks.push(containsCheck(schema, contained));
  if (schema.uniqueItems === true) checks.push(checkUnique);
  return checks;
}

/** The items at fixed places, and the rest. */
function itemsCheck(part: SchemaPart): Check | undefined {
  const places = held(part, 'prefixItems').map((edge) => edge.part);
  const isOlder = typeof part.schema !== 'boolean' && Array.isArray(part.schema.items);
  const rest = heldOne(part, isOlder ? 'additionalItems' : 'items');
  if (places.length === 0 && rest === undefined) return undefined;
  return (value, run) => {
    const list = value as readonly unknown[];
    let valid = true;
    const end = rest === undefined ? Math.min(places.length, list.length) : list.length;
    if (rest?.schema === false && list.length > places.length) {
      valid = fail(run, `must NOT have more than ${places.length} items`);
    }
    for (let index = 0; index < end; index += 1) {
      if (!valid && !isCollecting(run)) return false;
      const item = places[index] ?? rest;
      if (item === undefined || (item.schema === false && index >= places.length)) break;
      if (!into(item, list[index], index, run)) valid = false;
    }
    return valid;
  };
}

function containsCheck({ minContains, maxContains }: JsonSchema, contained: SchemaPart): Check {
  const least = isNumber(minContains) ? minContains : 1;
  const most = isNumber(maxContains) ? maxContains : undefined;
  const message =
    most === undefined
      ? `must contain at least ${least} valid item(s)`
      : `must contain at least ${least} and no more than ${most} valid item(s)`;
  return (value, run) => {
    let count = 0;
    for (const item of value as readonly unknown[]) {
      if (most === undefined && count >= least) break;
      if (most !== undefined && count > most) break;
      if (probe(run, () => contained.check(item, run))) count += 1;
    }
    return (count >= least && (most === undefined || count <= most)) || fail(run, message);
  };
}

/** Linear: scalars are compared by a set, objects and arrays by a text that only equal ones share. */
function checkUnique(value: unknown, run: CheckRun): boolean {
  const scalars = new Map<unknown, number>();
  const others = new Map<string, number>();
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    spend(run, typeof item === 'string' ? textSteps(item) : 1);
    const isScalar = typeof item !== 'object' || item === null;
    const key = isScalar ? undefined : equalityKey(item, run);
    const known = key === undefined ? scalars.get(item) : others.get(key);
    if (known !== undefined) {
      return fail(run, `must NOT have duplicate items (items ## ${known} and ${index} are identical)`);
    }
    if (key === undefined) scalars.set(item, index);
    else others.set(key, index);
  }
  return true;
}

/** Applies after all other keywords of the schema. */
export function unevaluatedItemsCheck(part: SchemaPart): Check | undefined {
  const rest = heldOne(part, 'unevaluatedItems');
  if (rest === undefined) return undefined;
  return (value, run) => {
    const list = value as readonly unknown[];
    const evaluated = evaluatedItems(part, list, run);
    if (evaluated === 'all') return true;
    for (const [index, item] of list.entries()) {
      spend(run, 1);
      if (evaluated.has(index)) continue;
      if (rest.schema === false) return fail(run, 'must NOT have unevaluated items');
      if (!into(rest, item, index, run)) return false;
    }
    return true;
  };
}
