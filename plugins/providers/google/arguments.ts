/** Arguments that arrive in pieces, each with the path of its value (`$.place.name`, `$.days[0]`). */
import { asList, asNumber, asRecord, asText, type JsonRecord } from 'polyphony/kit';

export type Arguments = Record<string, unknown>;
type Step = string | number;
type Container = Record<Step, unknown>;

const MAX_INDEX = 100_000;

/** Adds the piece at its path; text is appended to text. A piece with an invalid path is dropped. */
export function addArgument(root: Arguments, piece: unknown): void {
  const record = asRecord(piece);
  const path = stepsOf(asText(record?.jsonPath) ?? '');
  const last = path.at(-1);
  if (record === undefined || last === undefined) return;
  let place: Container = root;
  for (const [position, step] of path.slice(0, -1).entries()) place = inside(place, step, path[position + 1]);
  const value = pieceValue(record);
  const before = Object.hasOwn(place, last) ? place[last] : undefined;
  set(place, last, typeof before === 'string' && typeof value === 'string' ? before + value : value);
}

/** The container at the step, created where it is missing. */
function inside(place: Container, step: Step, next: Step | undefined): Container {
  const found = Object.hasOwn(place, step) ? place[step] : undefined;
  if (typeof found === 'object' && found !== null) return found as Container;
  const made = typeof next === 'number' ? [] : {};
  set(place, step, made);
  return made as Container;
}

/** Defines the property instead of assigning it, so that `__proto__` is an ordinary key. */
function set(place: Container, step: Step, value: unknown): void {
  Object.defineProperty(place, step, { value, writable: true, enumerable: true, configurable: true });
}

function stepsOf(path: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [, name, index, quoted] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[['"]([^'"]*)['"]\]/g)) {
    if (index !== undefined && Number(index) > MAX_INDEX) return [];
    steps.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
  }
  return steps;
}

function pieceValue(record: JsonRecord): unknown {
  if ('nullValue' in record) return null;
  if (typeof record.boolValue === 'boolean') return record.boolValue;
  const object = asRecord(record.structValue) ?? asList(record.listValue);
  return asText(record.stringValue) ?? asNumber(record.numberValue) ?? object ?? '';
}
