/**
 * The full form of recorded events. A journal keeps a large value once: where a later event of the run holds the same value, it
 * is marked with `refers` and holds `{ "$at": [seq, ...path] }` instead, the place of the value in the full form of an earlier
 * event. `{ "$at": { "$at": … } }` stands for an object of the user's own whose only field is `$at`.
 */
import { PolyphonyError } from '../errors.ts';
import { jsonSize, type KnownSizes } from '../json/json-size.ts';
import type { RunEvent } from './engine.ts';

export type Step = string | number;

/** Values with more levels hold no references. */
export const REFERENCE_DEPTH = 256;

/** No text can hold more, so no value of an event can be larger, however often it refers to others. */
export const FULL_BYTES = 536_870_912;

/** The fields of a `tool-call` that hold values of the run: together they are its value, at no path of its own. */
const CALL_FIELDS: readonly string[] = ['arguments', 'result'];

const OUTPUT: readonly string[] = ['result', 'output'];
const RESULT: readonly string[] = ['result'];

/**
 * The field of an event that holds a value of the run, the only one that may hold references. Undefined: it has none. Without
 * a step: several fields, which `recordedValue` and `withValue` take together.
 */
export function valuePathOf(event: RunEvent): readonly string[] | undefined {
  switch (event.type) {
    case 'run-started':
      return ['input'];
    case 'item-finished':
    case 'round-finished':
    case 'node-finished':
      // A transcript repeats what the events of its rounds hold.
      return event.result?.meta?.transcript === undefined ? OUTPUT : RESULT;
    case 'node-failed':
      return event.result === undefined ? undefined : ['result', 'output'];
    case 'node-suspended':
      return ['question'];
    case 'answer':
      return ['answer'];
    case 'run-finished':
      return ['output'];
    case 'model-answered':
      return ['content'];
    case 'tool-call':
      return [];
    default:
      return undefined;
  }
}

/** The value of an event, at the path that `valuePathOf` gives. */
export function recordedValue(event: RunEvent, path: readonly string[]): unknown {
  if (path.length > 0) return valueAt(event, path);
  return Object.fromEntries(Object.entries(event).filter(([field]) => CALL_FIELDS.includes(field)));
}

/** The event with another value at this path; null: without one. */
export function withValue(event: RunEvent, [field, below]: readonly string[], value: unknown): RunEvent {
  if (field === undefined) return { ...event, ...(value ?? { arguments: null, result: null }) } as RunEvent;
  const fields = event as unknown as Readonly<Record<string, object>>;
  const changed = below === undefined ? value : { ...fields[field], [below]: value };
  return { ...event, [field]: changed } as RunEvent;
}

/** What is at the path, through own fields of objects and indexes of arrays only. */
export function valueAt(value: unknown, path: readonly unknown[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    if ((typeof step !== 'number') === Array.isArray(current) || !Object.hasOwn(current, step as Step))
      return undefined;
    current = (current as Readonly<Record<Step, unknown>>)[step as Step];
  }
  return current;
}

/** The content of `$at`, where that is the only field. */
export function onlyAt(value: object): unknown {
  if (!Object.hasOwn(value, '$at') || Object.keys(value).length !== 1) return undefined;
  return (value as { readonly $at: unknown }).$at;
}

/** Events of one run that were read so far, as far as later ones may refer to them. */
interface Reading {
  readonly events: Map<number, RunEvent>;
  /** Events whose number an earlier one has: two writers of an earlier release may have written to one run. */
  readonly doubles: RunEvent[];
  readonly sizes: KnownSizes;
}

/** The event that is made full. */
interface Expansion extends Reading {
  readonly event: RunEvent;
  /** What its references stand for, in bytes. */
  bytes: number;
}

/**
 * Turns the recorded events of one run into full ones, in their order. Values are shared with earlier events, not copied. Events
 * that are full already stay as they are.
 *
 * @returns a function that takes the next event. It throws store-corrupt for a reference that leads nowhere
 */
export function eventReader(): (event: RunEvent) => RunEvent {
  const reading: Reading = { events: new Map(), doubles: [], sizes: new WeakMap() };
  return function read(event) {
    const path = valuePathOf(event);
    const full = event.refers === true ? expanded(event, path, reading) : event;
    const value = path === undefined ? undefined : recordedValue(full, path);
    const isWorthKeeping = typeof value === 'string' || (typeof value === 'object' && value !== null);
    if (!isWorthKeeping) return full;
    if (reading.events.has(event.seq)) reading.doubles.push(full);
    else reading.events.set(event.seq, full);
    return full;
  };
}

/** The recorded events of one run, from the first one on, with every value in full: what `engine.replay` yields. */
export async function* fullEvents(recorded: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
  const read = eventReader();
  for await (const event of recorded) yield read(event);
}

function expanded(event: RunEvent, path: readonly string[] | undefined, reading: Reading): RunEvent {
  const { refers: _refers, ...unmarked } = event;
  if (path === undefined) return unmarked as RunEvent;
  const expansion: Expansion = { ...reading, event, bytes: 0 };
  return withValue(unmarked as RunEvent, path, expand(recordedValue(event, path), 0, expansion));
}

function expand(value: unknown, depth: number, expansion: Expansion): unknown {
  if (typeof value !== 'object' || value === null || depth > REFERENCE_DEPTH) return value;
  if (Array.isArray(value)) return expandArray(value, depth, expansion);
  const at = onlyAt(value);
  if (Array.isArray(at)) return resolve(at, expansion);
  return expandObject(typeof at === 'object' && at !== null ? at : value, depth, expansion);
}

function expandArray(items: readonly unknown[], depth: number, expansion: Expansion): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index += 1) {
    const full = expand(items[index], depth + 1, expansion);
    if (full === items[index]) continue;
    copy ??= items.slice();
    copy[index] = full;
  }
  return copy ?? items;
}

function expandObject(value: object, depth: number, expansion: Expansion): object {
  const fields = value as Readonly<Record<string, unknown>>;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(fields)) {
    const full = expand(fields[key], depth + 1, expansion);
    if (full === fields[key]) continue;
    // The copy has every field as its own, so that a field called __proto__ is assigned like any other.
    copy ??= { ...fields };
    copy[key] = full;
  }
  return copy ?? value;
}

function resolve(at: readonly unknown[], expansion: Expansion): unknown {
  const [seq, ...path] = at;
  const { event, sizes } = expansion;
  const value = typeof seq === 'number' && seq < event.seq ? earlierValue(seq, path, expansion) : undefined;
  if (value === undefined) throw corrupt(event, `to ${placeText(at)}, where no earlier event holds a value`);
  expansion.bytes += typeof value === 'string' ? value.length : bytesOf(value, sizes, event);
  if (expansion.bytes > FULL_BYTES) throw corrupt(event, `to more than ${FULL_BYTES} bytes`);
  return value;
}

function isValuePath(of: readonly string[] | undefined, path: readonly unknown[]): boolean {
  if (of === undefined) return false;
  if (of.length === 0) return CALL_FIELDS.includes(String(path[0]));
  return of.every((step, index) => step === path[index]);
}

/** The value at the path in the first event of that number, or in a later one of the same number where the first has none there. */
function earlierValue(seq: number, path: readonly unknown[], { events, doubles }: Reading): unknown {
  const value = referredValue(events.get(seq), path);
  if (value !== undefined || doubles.length === 0) return value;
  for (const double of doubles) {
    const other = double.seq === seq ? referredValue(double, path) : undefined;
    if (other !== undefined) return other;
  }
  return undefined;
}

function referredValue(source: RunEvent | undefined, path: readonly unknown[]): unknown {
  const isInValue = source !== undefined && isValuePath(valuePathOf(source), path);
  return isInValue ? valueAt(source, path) : undefined;
}

function bytesOf(value: unknown, sizes: KnownSizes, event: RunEvent): number {
  const { bytes, fault } = jsonSize(value, sizes, FULL_BYTES);
  if (fault !== undefined && fault.type !== 'size') throw corrupt(event, 'to a value that no journal can hold');
  return bytes;
}

const placeText = (at: readonly unknown[]): string => JSON.stringify(at).slice(0, 200);

function corrupt({ runId, seq }: RunEvent, what: string): PolyphonyError {
  const message = `The journal of run ${runId} is damaged: its event ${seq} refers ${what}. Restore the store from a backup.`;
  return new PolyphonyError('store-corrupt', message, { details: { runId, seq } });
}
