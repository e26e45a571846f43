/** Counts that an answer states more than once, and under more than one name. */
import { asCount, asRecord, type JsonRecord } from '../json/json-shape.ts';

/** Counts are nested two levels deep at most; what is deeper is taken as it is. */
const LEVELS = 3;

/**
 * The counts known so far with those told later. The last one wins, but nothing (0, null, an empty list) never takes the
 * place of a count: servers fill fields that they do not count with zeros.
 */
export function laterCounts(known: JsonRecord | undefined, told: JsonRecord, levels = LEVELS): JsonRecord {
  if (known === undefined || replacesAll(known, told)) return told;
  const all: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(told)) {
    const before = Object.hasOwn(known, name) ? known[name] : undefined;
    const [inner, outer] = [asRecord(value), asRecord(before)];
    if (inner !== undefined && outer !== undefined && levels > 0) all[name] = laterCounts(outer, inner, levels - 1);
    else if (before === undefined || !isNothing(value)) all[name] = value;
  }
  return all;
}

/** The usual case of servers that count with each piece: every count that is known is told again, as a number above 0. */
function replacesAll(known: JsonRecord, told: JsonRecord): boolean {
  for (const name in known) {
    const value = told[name];
    if (!(typeof value === 'number' && value > 0) && !(Array.isArray(value) && !isNothing(value))) return false;
  }
  return true;
}

function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value))
    return value.every((item) => asRecord(item) !== undefined && hasNoCount(asRecord(item) ?? {}));
  return asCount(value) === 0;
}

const hasNoCount = (item: JsonRecord): boolean => !Object.values(item).some((value) => (asCount(value) ?? 0) > 0);

/** Of one count under several names: the first that is more than 0, else 0 if any states it. */
export function firstCount(...values: readonly unknown[]): number | undefined {
  let found: number | undefined;
  for (const value of values) {
    const count = asCount(value);
    if (count !== undefined && count > 0) return count;
    found ??= count;
  }
  return found;
}
