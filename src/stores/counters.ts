/** Changes several counters atomically, for every kind of store. */
import { PolyphonyError } from '../core/errors.ts';
import type { CounterChange, CounterResult } from '../core/stores.ts';

/**
 * Half surrogate pairs are all the same in UTF-8, so keys with different ones would become one key.
 *
 * @throws invalid-request for a key that a store cannot tell from others
 */
export function assertKey(key: string): void {
  if (key.isWellFormed()) return;
  const message = `The key ${JSON.stringify(key).slice(0, 60)} contains half a surrogate pair, which no store can tell from another: remove it, or replace it by text.toWellFormed().`;
  throw new PolyphonyError('invalid-request', message);
}

/** Reads and writes counters during a change; `undo` reverts every write of the change. */
export interface CounterCells {
  /** Undefined when the key does not exist. */
  read(key: string): unknown;
  write(key: string, value: number): void;
  undo(): void;
}

/**
 * Applies the changes in order; later ones see earlier ones of the same key.
 *
 * @throws invalid-request when a key holds a value that is not a number, a counter would not stay finite, or a limit is no number
 */
export function changeCounters(cells: CounterCells, changes: readonly CounterChange[]): CounterResult {
  const values: number[] = [];
  try {
    let index = -1;
    for (const change of changes) {
      index += 1;
      assertKey(change.key);
      assertLimit(change);
      const next = counterValue(cells, change) + change.by;
      if (!Number.isFinite(next)) throw notFinite(change);
      if (change.limit !== undefined && next > change.limit) {
        cells.undo();
        return { ok: false, refused: index, value: counterValue(cells, change) };
      }
      cells.write(change.key, next);
      values.push(next);
    }
  } catch (error) {
    cells.undo();
    throw error;
  }
  return { ok: true, values };
}

function counterValue(cells: CounterCells, { key, initial = 0 }: CounterChange): number {
  const value = cells.read(key);
  if (value === undefined) return initial;
  if (typeof value === 'number') return value;
  throw new PolyphonyError(
    'invalid-request',
    `The key ${JSON.stringify(key)} holds ${JSON.stringify(value).slice(0, 60)}, which is not a number: use another key for the counter.`,
  );
}

function notFinite({ key, by }: CounterChange): PolyphonyError {
  const message = `The counter ${JSON.stringify(key)} cannot change by ${by}, because its value must stay a finite number.`;
  return new PolyphonyError('invalid-request', message);
}

/** No value exceeds NaN, so that it would be no limit. */
function assertLimit({ key, limit }: CounterChange): void {
  if (limit === undefined || (typeof limit === 'number' && !Number.isNaN(limit))) return;
  const message = `The limit of the counter ${JSON.stringify(key)} cannot be ${String(limit)}: give a number, or leave it out.`;
  throw new PolyphonyError('invalid-request', message);
}

/** The JSON text of a value, as stores keep it. @throws invalid-request when the value has no JSON text */
export function jsonText(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text !== undefined) return text;
  const message = `The key ${JSON.stringify(key)} cannot hold ${String(value)}, which is not a JSON value: use delete() to remove the key.`;
  throw new PolyphonyError('invalid-request', message);
}
