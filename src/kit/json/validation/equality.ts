/** Equality of JSON values, with its work counted. */
import { type CheckRun, enter, spend, textSteps } from './run.ts';

export function isSameJson(left: unknown, right: unknown, run: CheckRun): boolean {
  spend(run, 1);
  if (left === right) {
    if (typeof left === 'string') spend(run, textSteps(left));
    return true;
  }
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  enter(run);
  const same = Array.isArray(left)
    ? Array.isArray(right) && isSameList(left, right, run)
    : !Array.isArray(right) && isSameMap(left, right, run);
  run.depth -= 1;
  return same;
}

const isSameList = (left: readonly unknown[], right: readonly unknown[], run: CheckRun): boolean =>
  left.length === right.length && left.every((item, index) => isSameJson(item, right[index], run));

function isSameMap(left: object, right: object, run: CheckRun): boolean {
  const keys = Object.keys(left);
  const others = Object.keys(right);
  spend(run, keys.length + others.length);
  return (
    keys.length === others.length &&
    keys.every(
      (key) => Object.hasOwn(right, key) && isSameJson(left[key as keyof object], right[key as keyof object], run),
    )
  );
}

/** A text that two objects or arrays share exactly if they are equal: JSON with sorted keys. */
export function equalityKey(value: unknown, run: CheckRun): string {
  spend(run, 1);
  if (typeof value === 'string') {
    spend(run, textSteps(value));
    return JSON.stringify(value);
  }
  if (typeof value !== 'object' || value === null) return String(value === 0 ? 0 : value);
  enter(run);
  const text = Array.isArray(value)
    ? `[${value.map((item) => equalityKey(item, run)).join()}]`
    : `{${mapKey(value as Readonly<Record<string, unknown>>, run)}}`;
  run.depth -= 1;
  return text;
}

function mapKey(map: Readonly<Record<string, unknown>>, run: CheckRun): string {
  const keys = Object.keys(map).sort();
  // Sorting compares each key with a few others.
  for (const key of keys) spend(run, 4 + textSteps(key));
  return keys.map((key) => `${JSON.stringify(key)}:${equalityKey(map[key], run)}`).join();
}
