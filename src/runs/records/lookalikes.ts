/**
 * Objects of users that look like references, because `$at` is their only field. In an event with references they are wrapped
 * in another such object.
 */
import { onlyAt, type Step } from '../../core/run/full-events.ts';

/** `{"$at":}` */
const WRAP_BYTES = 8;

export interface Wrapping {
  /** There are such objects, and the event is to be recorded. */
  readonly wraps: boolean;
  /** What the wrapping takes. */
  wrapBytes: number;
}

/** A small value, with each object in it that looks like a reference wrapped in another one. */
export function wrapped(value: unknown, wrapping: Wrapping): unknown {
  if (!wrapping.wraps || typeof value !== 'object' || value === null) return value;
  let copy: Record<Step, unknown> | undefined;
  for (const [step, child] of childrenOf(value)) {
    const kept = wrapped(child, wrapping);
    if (kept === child) continue;
    copy ??= copyOf(value);
    copy[step] = kept;
  }
  return wrappedItself(value, copy ?? value, wrapping);
}

export function wrappedItself(value: object, kept: object, wrapping: Wrapping): object {
  if (!wrapping.wraps || onlyAt(value) === undefined) return kept;
  wrapping.wrapBytes += WRAP_BYTES;
  return { $at: kept };
}

/** With every field as its own, so that a field called __proto__ is assigned like any other. */
export const copyOf = (value: object): Record<Step, unknown> =>
  (Array.isArray(value) ? value.slice() : { ...value }) as Record<Step, unknown>;

export interface Scan {
  /** References, and what holds some. */
  readonly referring: Set<object>;
  /** There are objects whose only field is `$at` and that are no references. */
  ownAt: boolean;
  readonly refers: boolean;
  /** What was scanned and holds nothing of the kind. */
  readonly clean: Set<object>;
}

export function scanned(value: unknown, refers: boolean): Scan {
  const scan: Scan = { referring: new Set(), ownAt: false, refers, clean: new Set() };
  scanValue(value, scan);
  return scan;
}

/** Returns whether the value holds references. */
function scanValue(value: unknown, scan: Scan): boolean {
  if (typeof value !== 'object' || value === null || scan.clean.has(value)) return false;
  if (scan.referring.has(value)) return true;
  const at = onlyAt(value);
  if (scan.refers && Array.isArray(at)) {
    scan.referring.add(value);
    return true;
  }
  if (at !== undefined) scan.ownAt = true;
  const isWrapping = scan.refers && typeof at === 'object' && at !== null;
  let found = false;
  for (const [, child] of childrenOf(isWrapping ? at : value)) if (scanValue(child, scan)) found = true;
  (found ? scan.referring : scan.clean).add(value);
  return found;
}

export function* childrenOf(value: object): Generator<readonly [Step, unknown]> {
  if (Array.isArray(value)) yield* value.entries();
  else for (const key of Object.keys(value)) yield [key, (value as Readonly<Record<string, unknown>>)[key]];
}
