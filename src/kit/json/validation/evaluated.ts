/** What `unevaluatedProperties` and `unevaluatedItems` leave out: what a valid value's schemas have already looked at. */

import { keysOf } from './held.ts';
import { type CheckRun, probe, spend } from './run.ts';
import { expressionOf } from './scalar-checks.ts';
import type { SchemaEdge, SchemaPart } from './schema-parts.ts';

/** The schemas that the part applies to the same value, as far as the value fits them. */
function* applied(part: SchemaPart, value: unknown, run: CheckRun): Generator<SchemaPart> {
  const fits = (edge: SchemaEdge): boolean => probe(run, () => edge.part.check(value, run));
  const condition = part.edges.find(({ keyword }) => keyword === 'if');
  const branch = condition === undefined ? undefined : fits(condition) ? 'then' : 'else';
  for (const edge of part.edges) {
    spend(run, 1);
    if (!edge.inPlace) continue;
    const { keyword, name } = edge;
    if (keyword === 'not' || ((keyword === 'then' || keyword === 'else') && keyword !== branch)) continue;
    if (keyword === 'if' && branch !== 'then') continue;
    if ((keyword === 'anyOf' || keyword === 'oneOf') && !fits(edge)) continue;
    const isDependent = keyword === 'dependentSchemas' || keyword === 'dependencies';
    if (isDependent && !Object.hasOwn(value as object, name)) continue;
    yield edge.part;
  }
}

/** The names of the properties that were looked at; `'all'`: every one. */
export function evaluatedNames(
  part: SchemaPart,
  value: object,
  run: CheckRun,
  top = true,
): ReadonlySet<string> | 'all' {
  const names = new Set<string>();
  for (const { keyword, name } of part.edges) {
    spend(run, 1);
    if (keyword === 'additionalProperties' || (keyword === 'unevaluatedProperties' && !top)) return 'all';
    if (keyword === 'properties') names.add(name);
    else if (keyword === 'patternProperties') {
      const expression = expressionOf(name);
      for (const key of keysOf(value, run)) {
        if (expression.test(key)) names.add(key);
      }
    }
  }
  for (const other of applied(part, value, run)) {
    const more = evaluatedNames(other, value, run, false);
    if (more === 'all') return 'all';
    for (const name of more) names.add(name);
  }
  return names;
}

/** The places of the items that were looked at; `'all'`: every one. */
export function evaluatedItems(
  part: SchemaPart,
  value: readonly unknown[],
  run: CheckRun,
  top = true,
): ReadonlySet<number> | 'all' {
  const places = new Set<number>();
  let fixed = 0;
  for (const { keyword, part: held } of part.edges) {
    spend(run, 1);
    if (keyword === 'items' || keyword === 'additionalItems' || (keyword === 'unevaluatedItems' && !top)) return 'all';
    if (keyword === 'prefixItems') places.add(fixed++);
    if (keyword !== 'contains') continue;
    value.forEach((item, index) => {
      if (probe(run, () => held.check(item, run))) places.add(index);
    });
  }
  for (const other of applied(part, value, run)) {
    const more = evaluatedItems(other, value, run, false);
    if (more === 'all') return 'all';
    for (const place of more) {
      spend(run, 1);
      places.add(place);
    }
  }
  return places;
}
