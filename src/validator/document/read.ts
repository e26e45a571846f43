/**
 * Turns any input into our own copy of plain JSON. Text is parsed only after its size is checked. Values are copied once,
 * so that getters, proxies and cycles end here and the caller cannot change the plan afterwards.
 */
import type { PlanBounds } from '../../core/plan/plan.ts';
import { pointerOf, type Reading } from './document.ts';
import { mendText } from './mend-text.ts';
import { type Report, shown } from './report.ts';
import { scanText } from './scan-text.ts';

export interface ReadOptions {
  readonly bounds: PlanBounds;
  readonly repair: boolean;
}

const NOTHING: Reading = { document: undefined, repaired: [] };

/** The units counted while copying are at most the bytes of the JSON, and at least this fraction of them (numbers). */
const MOST_BYTES_PER_UNIT = 25;

/** Throws only what a getter or a proxy of the caller throws. */
export function readPlan(raw: unknown, { bounds, repair }: ReadOptions, report: Report): Reading {
  if (typeof raw !== 'string') {
    const document = copyBounded(raw, bounds, report);
    return document === undefined ? NOTHING : { document, repaired: [] };
  }
  if (raw.length > bounds.bytes || Buffer.byteLength(raw) > bounds.bytes) {
    refuseSize(bounds, report);
    return NOTHING;
  }
  const reading = parseText(raw, bounds, repair, report);
  if (reading.document === undefined || reading.isClean === true) return reading;
  const document = copyBounded(reading.document, bounds, report);
  return document === undefined ? NOTHING : { document, repaired: reading.repaired };
}

function parseText(text: string, bounds: PlanBounds, repair: boolean, report: Report, isInner = false): Reading {
  let reason: string;
  try {
    const document: unknown = JSON.parse(text);
    // Encoded twice; what is inside is no longer than the text around it.
    if (repair && !isInner && typeof document === 'string' && document.includes('{'))
      return decodedAgain(document, bounds, report);
    const { duplicates, depth } = scanText(text);
    for (const path of duplicates) {
      const message = `The key at ${path} appears twice, and only the last value is used: remove one of them.`;
      report.add('shape.duplicate_key', path, message);
    }
    // A parsed text is already our own copy; only its depth and one key need a check.
    const isClean = depth <= bounds.depth && !text.includes('__proto__') && !text.includes('\\u');
    return { document, repaired: [], isClean };
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  const repaired = repair ? mendText(text) : undefined;
  if (repaired !== undefined) return repaired;
  const message = `The plan is not valid JSON (${shown(reason).slice(1, -1)}): give one JSON object and no text around it.`;
  report.add('shape.json', '', message);
  return NOTHING;
}

function decodedAgain(text: string, bounds: PlanBounds, report: Report): Reading {
  const { document, repaired } = parseText(text, bounds, true, report, true);
  const message = 'The plan was a text inside a text, and was decoded once more.';
  return { document, repaired: [{ code: 'plan.unwrapped', path: '', message }, ...repaired] };
}

function refuseSize(bounds: PlanBounds, report: Report): void {
  const message = `The plan has more than ${bounds.bytes} bytes: make it smaller, or pass large data as the input of the run.`;
  report.add('size.bytes', '', message, { expected: { atMost: bounds.bytes } });
}

interface Copying {
  readonly bounds: PlanBounds;
  readonly report: Report;
  readonly path: string[];
  units: number;
  /** Set when a bound is broken, to end the walk. */
  ended: boolean;
}

function copyBounded(raw: unknown, bounds: PlanBounds, report: Report): unknown {
  const copying: Copying = { bounds, report, path: [], units: 0, ended: false };
  const copy = copyValue(raw, copying);
  if (copying.ended) return undefined;
  if (copying.units * MOST_BYTES_PER_UNIT > bounds.bytes && isTooLong(copy, bounds)) {
    refuseSize(bounds, report);
    return undefined;
  }
  if (copy === undefined && report.findings.length === 0) {
    report.add('shape.json', '', 'The plan is undefined: give a JSON object or its text.');
  }
  return copy;
}

const isTooLong = (copy: unknown, bounds: PlanBounds): boolean =>
  Buffer.byteLength(JSON.stringify(copy)) > bounds.bytes;

function copyValue(value: unknown, copying: Copying): unknown {
  if (typeof value === 'string') {
    spend(copying, value.length + 2);
    return value;
  }
  if (typeof value === 'object' && value !== null) return copyContainer(value, copying);
  spend(copying, 1);
  if (typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))) {
    return value;
  }
  if (value === undefined) return undefined;
  const message = `${shown(typeof value === 'number' ? value : typeof value)} is not a JSON value: give a string, a finite number, a boolean, null, an array or an object.`;
  copying.report.add('shape.type', pointerOf(copying.path), message);
  return null;
}

function copyContainer(value: object, copying: Copying): unknown {
  if (copying.ended) return undefined;
  if (copying.path.length >= copying.bounds.depth) {
    const message = `The plan is nested deeper than ${copying.bounds.depth} levels (or contains itself): flatten it.`;
    copying.report.add('size.depth', pointerOf(copying.path), message, { expected: { atMost: copying.bounds.depth } });
    copying.ended = true;
    return undefined;
  }
  spend(copying, 2);
  return Array.isArray(value) ? copyArray(value, copying) : copyObject(value, copying);
}

function copyArray(value: readonly unknown[], copying: Copying): unknown[] {
  const copy: unknown[] = [];
  const { length } = value;
  for (let index = 0; index < length && !copying.ended; index += 1) {
    copying.path.push(String(index));
    // As JSON.stringify does: a missing item of an array becomes null.
    copy.push(copyValue(value[index], copying) ?? null);
    copying.path.pop();
  }
  return copy;
}

function copyObject(value: object, copying: Copying): unknown {
  if (ArrayBuffer.isView(value)) return copyValue(Symbol('bytes'), copying);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (copying.ended) break;
    spend(copying, key.length + 3);
    copying.path.push(key);
    if (key === '__proto__') refuseKey(copying);
    else {
      const own = copyValue((value as Record<string, unknown>)[key], copying);
      if (own !== undefined) copy[key] = own;
    }
    copying.path.pop();
  }
  return copy;
}

function refuseKey({ report, path }: Copying): void {
  const message = 'No key of a plan may be "__proto__": rename the key.';
  report.add('shape.unsafe_key', pointerOf(path), message, { got: '__proto__' });
}

function spend(copying: Copying, units: number): void {
  copying.units += units;
  if (copying.units <= copying.bounds.bytes || copying.ended) return;
  copying.ended = true;
  refuseSize(copying.bounds, copying.report);
}
