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

/** Writing a part of a key takes longer than a comparison, and a key of an object is sorted too. */
const KEY_STEPS = 4;

/** A text that two objects or arrays share exactly if they are equal: JSON with sorted keys. */
export function equalityKey(value: unknown, run: CheckRun): string {
  if (typeof value === 'string') {
    spend(run, textSteps(value));
    return JSON.stringify(value);
  }
  spend(run, KEY_STEPS);
  if (typeof value !== 'object' || value === null) return String(value);
  enter(run);
  const text = Array.isArray(value)
    ? `[${value.map((item) => equalityKey(item, run)).join()}]`
    : `{${mapKey(value as Readonly<Record<string, unknown>>, run)}}`;
  run.depth -= 1;
  return text;
}

function mapKey(map: Readonly<Record<string, unknown>>, run: CheckRun): string {
  const keys = Object.keys(map).sort();
  for (const key of keys) spend(run, KEY_STEPS + textSteps(key));
  return keys.map((key) => `${JSON.stringify(key)}:${equalityKey(map[key], run)}`).join();
}
