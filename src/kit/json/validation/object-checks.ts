/** Checks of objects. A property that is undefined counts as absent, as it does in JSON. */
import type { JsonSchema } from '../../../core/model/model.ts';
import { isPlainObject } from '../../../language/shorthand.ts';
import { beginningOf, shownText } from '../../../language/shown.ts';
import { evaluatedNames } from './evaluated.ts';
import { held, heldOne, into, keysOf } from './held.ts';
import { type Check, type CheckRun, fail, isCollecting, probe, spend, textSteps } from './run.ts';
import { expressionOf } from './scalar-checks.ts';
import type { SchemaPart } from './schema-parts.ts';
import { ARRAY, OBJECT, typeBit, typeBits } from './type-bits.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Names that every object inherits. */
const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype));

const ownValue = (value: unknown, name: string): unknown =>
  INHERITED.has(name) && !Object.hasOwn(value as object, name) ? undefined : (value as Properties)[name];

const hasOwn = (value: unknown, name: string): boolean => ownValue(value, name) !== undefined;

export function objectChecks(schema: JsonSchema, part: SchemaPart): Check[] {
  const checks = sizeChecks(schema);
  checks.push(...propertiesChecks(schema, part));
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
  return keysOf(value, run).length;
}

interface KnownProperty {
  readonly name: string;
  readonly part: SchemaPart | undefined;
  readonly required: boolean;
  readonly inherited: boolean;
  /** The types of a value that fits, where the part says nothing more: most properties are texts and numbers. */
  readonly types: number;
}

/** `required`, `properties`, `patternProperties` and `additionalProperties`. */
function propertiesChecks(schema: JsonSchema, part: SchemaPart): Check[] {
  const parts = new Map(held(part, 'properties').map((edge) => [edge.name, edge.part]));
  const required: ReadonlySet<string> = new Set(Array.isArray(schema.required) ? schema.required : []);
  const patterns = held(part, 'patternProperties').map((edge) => [expressionOf(edge.name), edge.part] as const);
  const others = heldOne(part, 'additionalProperties');
  const known = [...new Set([...parts.keys(), ...required])].map(
    (name): KnownProperty => ({
      name,
      part: patterns.length > 0 ? undefined : parts.get(name),
      required: required.has(name),
      inherited: INHERITED.has(name),
      types: scalarTypes(parts.get(name)),
    }),
  );
  const checks: Check[] = [];
  if (patterns.length > 0) checks.push(patternedCheck(parts, patterns, others));
  else if (others !== undefined && !allowsAll(others.schema)) return [closedCheck(known, parts, others)];
  if (known.length > 0) checks.push((value, run) => checkKnown(known, value, run) >= 0);
  return checks;
}

/** The types of a part that names types of scalars and nothing else; 0 for any other. */
function scalarTypes(part: SchemaPart | undefined): number {
  if (part === undefined || typeof part.schema === 'boolean') return 0;
  const { type, title: _, description: __, ...rest } = part.schema;
  return type === undefined || Object.keys(rest).length > 0 ? 0 : typeBits({ type }) & ~(ARRAY | OBJECT);
}

const allowsAll = (schema: JsonSchema | boolean): boolean =>
  schema === true || (schema !== false && Object.keys(schema).length === 0);

/** How many of the known properties are there; -1 if one of them is wrong or missing. Others are not looked at. */
function checkKnown(known: readonly KnownProperty[], value: unknown, run: CheckRun): number {
  spend(run, known.length);
  let count = 0;
  let valid = true;
  for (const { name, part, required, inherited, types } of known) {
    const child = inherited ? ownValue(value, name) : (value as Properties)[name];
    if (child === undefined) {
      if (!required) continue;
      valid = fail(run, isCollecting(run) ? `must have required property '${beginningOf(name)}'` : '');
    } else if ((types & typeBit(child)) !== 0 || part === undefined || into(part, child, name, run)) {
      count += 1;
      continue;
    } else valid = false;
    if (!isCollecting(run)) return -1;
  }
  return valid ? count : -1;
}

/** Properties that are not known have to fit a schema of their own; mostly there are none, and none is allowed. */
function closedCheck(
  known: readonly KnownProperty[],
  parts: ReadonlyMap<string, SchemaPart>,
  others: SchemaPart,
): Check {
  const isExact = known.length === parts.size;
  return (value, run) => {
    const count = checkKnown(known, value, run);
    if (count === -1 && !isCollecting(run)) return false;
    const keys = keysOf(value, run);
    if (isExact && keys.length === count) return true;
    let valid = count !== -1;
    for (const key of keys) {
      const child = (value as Properties)[key];
      if (child === undefined || parts.has(key)) continue;
      if (others.schema === false ? refuseAdditional(key, run) : into(others, child, key, run)) continue;
      valid = false;
      if (!isCollecting(run)) return false;
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
    for (const key of keysOf(value, run)) {
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
    for (const key of keysOf(value, run)) {
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
    for (const key of keysOf(value, run)) {
      if (evaluated.has(key) || (value as Properties)[key] === undefined) continue;
      if (rest.schema === false) return fail(run, `must NOT have unevaluated properties: ${shownText(key)}`);
      if (!probe(run, () => rest.check((value as Properties)[key], run))) {
        return fail(run, `must NOT have unevaluated properties that do not fit: ${shownText(key)}`);
      }
    }
    return true;
  };
}
