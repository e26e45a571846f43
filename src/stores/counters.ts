/** How counters move together or not at all, whatever holds them. */
import { PolyphonyError } from '../core/errors.ts';
import type { CounterChange, CounterResult } from '../core/stores.ts';

/** Where counters are read and written while a change is made; `undo` takes every write of the change back. */
export interface CounterCells {
  /** Undefined: there is none. */
  read(key: string): unknown;
  write(key: string, value: number): void;
  undo(): void;
}

/**
 * Applies the changes in order; later ones see earlier ones of the same key.
 *
 * @throws invalid-request when a key holds something else than a number, or a change is no finite number
 */
export function changeCounters(cells: CounterCells, changes: readonly CounterChange[]): CounterResult {
  const values: number[] = [];
  try {
    let index = -1;
    for (const change of changes) {
      index += 1;
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

/** The text that stores keep of a value. */
export function jsonText(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text !== undefined) return text;
  const message = `The key ${JSON.stringify(key)} cannot hold ${String(value)}, which is not a JSON value: use delete() to remove the key.`;
  throw new PolyphonyError('invalid-request', message);
}
