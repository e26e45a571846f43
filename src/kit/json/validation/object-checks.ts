/** Checks of objects. A property that is undefined counts as absent, as it does in JSON. */
import type { JsonSchema } from '../../../core/model/model.ts';
import { isPlainObject } from '../../../language/shorthand.ts';
import { beginningOf, shownText } from '../../../language/shown.ts';
import { evaluatedNames } from './evaluated.ts';
import { held, heldOne, into } from './held.ts';
import { type Check, type CheckRun, fail, isCollecting, probe, spend, textSteps } from './run.ts';
import { expressionOf } from './scalar-checks.ts';
import type { SchemaPart } from './schema-parts.ts';

type Properties = Readonly<Record<string, unknown>>;

const hasOwn = (value: unknown, name: string): boolean =>
  Object.hasOwn(value as object, name) && (value as Properties)[name] !== undefined;

export function objectChecks(schema: JsonSchema, part: SchemaPart): Check[] {
  const checks = sizeChecks(schema);
  const { required } = schema;
  if (Array.isArray(required) && required.length > 0) checks.push(requiredCheck(required));
  const properties = propertiesCheck(part);
  if (properties !== undefined) checks.push(properties);
  const names = heldOne(part, 'propertyNames');
  if (names !== undefined) checks.push(namesCheck(names));
  checks.push(...dependencyChecks(schema, part));
  return checks;
}

function sizeChecks({ minProperties: least, maxProperties: most }: JsonSchema): Check[] {
  const checks: Check[] = [];
  if (typeof least === 'number') {
    const message = `must NOT have fewer than ${least} properties`;
    checks.push((value, run) => countOf(value, run) >= least || fail(run, message));
  }
  if (typeof most === 'number') {
    const message = `must NOT have more than ${most} properties`;
    checks.push((value, run) => countOf(value, run) <= most || fail(run, message));
  }
  return checks;
}

function countOf(value: unknown, run: CheckRun): number {
  const { length } = Object.keys(value as object);
  spend(run, length);
  return length;
}

const missing = (name: string): string => `must have required property '${beginningOf(name)}'`;

function requiredCheck(required: readonly string[]): Check {
  const names = [...new Set(required)];
  return (value, run) => {
    spend(run, names.length);
    let valid = true;
    for (const name of names) {
      if (hasOwn(value, name)) continue;
      valid = fail(run, missing(name));
      if (!isCollecting(run)) return false;
    }
    return valid;
  };
}

/** `properties`, `patternProperties` and `additionalProperties`. */
function propertiesCheck(part: SchemaPart): Check | undefined {
  const known = new Map(held(part, 'properties').map((edge) => [edge.name, edge.part]));
  const patterns = held(part, 'patternProperties').map((edge) => [expressionOf(edge.name), edge.part] as const);
  const others = heldOne(part, 'additionalProperties');
  if (patterns.length > 0) return patternedCheck(known, patterns, others);
  const isOpen = others === undefined || allowsAll(others.schema);
  if (known.size === 0 && isOpen) return undefined;
  return isOpen ? openCheck(known) : closedCheck(known, others);
}

const allowsAll = (schema: JsonSchema | boolean): boolean =>
  schema === true || (schema !== false && Object.keys(schema).length === 0);

/** Only the known properties are looked at, however many the value has. */
function openCheck(known: ReadonlyMap<string, SchemaPart>): Check {
  const entries = [...known];
  return (value, run) => {
    spend(run, entries.length);
    let valid = true;
    for (const [name, property] of entries) {
      if (!hasOwn(value, name) || into(property, (value as Properties)[name], name, run)) continue;
      valid = false;
      if (!isCollecting(run)) return false;
    }
    return valid;
  };
}

/** Every property is looked at, and is known or one of the others. */
function closedCheck(known: ReadonlyMap<string, SchemaPart>, others: SchemaPart | undefined): Check {
  return (value, run) => {
    const keys = Object.keys(value as object);
    spend(run, keys.length);
    let valid = true;
    for (const key of keys) {
      const property = known.get(key) ?? others;
      const child = (value as Properties)[key];
      if (property === undefined || child === undefined) continue;
      if (property === others && others.schema === false) valid = refuseAdditional(key, run);
      else if (!into(property, child, key, run)) valid = false;
      if (!valid && !isCollecting(run)) return false;
    }
    return valid;
  };
}

const refuseAdditional = (key: string, run: CheckRun): false =>
  fail(run, isCollecting(run) ? `must NOT have additional properties: ${shownText(key)}` : '');

function patternedCheck(
  known: ReadonlyMap<string, SchemaPart>,
  patterns: readonly (readonly [RegExp, SchemaPart])[],
  others: SchemaPart | undefined,
): Check {
  return (value, run) => {
    let valid = true;
    for (const key of Object.keys(value as object)) {
      spend(run, 1 + patterns.length * textSteps(key));
      const child = (value as Properties)[key];
      const property = known.get(key);
      const matching = patterns.filter(([expression]) => expression.test(key)).map(([, matched]) => matched);
      if (property !== undefined) matching.push(property);
      if (matching.length === 0 && others !== undefined) {
        if (others.schema === false) valid = refuseAdditional(key, run);
        else matching.push(others);
      }
      for (const one of matching) if (!into(one, child, key, run)) valid = false;
      if (!valid && !isCollecting(run)) return false;
    }
    return valid;
  };
}

function namesCheck(names: SchemaPart): Check {
  return (value, run) => {
    let valid = true;
    for (const key of Object.keys(value as object)) {
      spend(run, 1);
      if (names.check(key, run)) continue;
      valid = fail(run, `property name must be valid: ${shownText(key)}`);
      if (!isCollecting(run)) return false;
    }
    return valid;
  };
}

/** Names and schemas that hold when a property is there. */
function dependencyChecks(schema: JsonSchema, part: SchemaPart): Check[] {
  const checks: Check[] = [];
  for (const keyword of ['dependentRequired', 'dependencies']) {
    const map = schema[keyword];
    for (const [name, needed] of isPlainObject(map) ? Object.entries(map) : []) {
      if (Array.isArray(needed)) checks.push(dependentCheck(name, needed));
    }
  }
  for (const edge of [...held(part, 'dependentSchemas'), ...held(part, 'dependencies')]) {
    checks.push((value, run) => {
      spend(run, 1);
      return !hasOwn(value, edge.name) || edge.part.check(value, run);
    });
  }
  return checks;
}

function dependentCheck(name: string, needed: readonly unknown[]): Check {
  const names = needed.map(String);
  const what = names.length === 1 ? 'property' : 'properties';
  const rule = `must have ${what} ${beginningOf(names.join(', '))} when property ${beginningOf(name)} is present`;
  return (value, run) => {
    spend(run, 1);
    if (!hasOwn(value, name)) return true;
    spend(run, names.length);
    return names.every((other) => hasOwn(value, other)) || fail(run, rule);
  };
}

/** Applies after all other keywords of the schema. */
export function unevaluatedPropertiesCheck(part: SchemaPart): Check | undefined {
  const rest = heldOne(part, 'unevaluatedProperties');
  if (rest === undefined) return undefined;
  return (value, run) => {
    const evaluated = evaluatedNames(part, value as object, run);
    if (evaluated === 'all') return true;
    for (const key of Object.keys(value as object)) {
      spend(run, 1);
      if (evaluated.has(key) || (value as Properties)[key] === undefined) continue;
      if (rest.schema === false) return fail(run, `must NOT have unevaluated properties: ${shownText(key)}`);
      if (!probe(run, () => rest.check((value as Properties)[key], run))) {
        return fail(run, `must NOT have unevaluated properties that do not fit: ${shownText(key)}`);
      }
    }
    return true;
  };
}
