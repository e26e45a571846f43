/**
 * Makes JSON of what code outside gives, in one walk. The copy shares nothing with it, and is what its text in JSON would be
 * read as: `toJSON` is asked, fields that are undefined are left out, an undefined item is null, a class instance is its own
 * fields, minus zero is zero. What would be lost in that text (NaN, a bigint, a Map, bytes, a function) is refused, or left for a
 * check of the value to name.
 */
import { PolyphonyError } from '../errors.ts';
import { firstOf } from '../json/cut-text.ts';
import { ignorePromises } from '../user-code/ignored-promises.ts';
import { thrownText } from '../user-code/thrown-text.ts';
import { type Fault, formOf, keepingWalk, refusingWalk } from './json-walk.ts';

/** What the value is called in messages, and with which error it is refused. */
export interface PlainJsonName {
  /** Such as `The result of step "load" in node a`. */
  readonly noun: string;
  readonly code: 'invalid-output' | 'invalid-request';
  readonly details?: Readonly<Record<string, unknown>>;
}

const PATH_CHARACTERS = 200;

/**
 * @returns a copy; texts, finite numbers, booleans and null as they are; null for undefined
 * @throws the error of `name`, which says what was found and where, as a JSON pointer
 */
export function plainJson(value: unknown, name: () => PlainJsonName): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined)
    return value ?? null;
  const walk = refusingWalk();
  const copy = formOf(value, '', 0, walk);
  if (walk.fault !== undefined) throw faulty(value, walk.fault, walk.path.reverse(), name());
  return copy === undefined ? null : copy;
}

/**
 * A copy as `plainJson` makes it, in which what JSON does not have, and what contains itself, stays as it is. What is at several
 * places is copied once. Throws what the value's own code throws.
 */
export const jsonForm = (value: unknown): unknown => formOf(value, '', 0, keepingWalk(true));

/** As `jsonForm`, but what is JSON already is not copied: for values that nobody else changes. */
export const sharedJsonForm = (value: unknown): unknown => formOf(value, '', 0, keepingWalk(false));

// ---------------------------------------------------------------------------------------------------- errors

function faulty(value: unknown, fault: Fault, path: readonly (string | number)[], name: PlainJsonName): PolyphonyError {
  const { noun, code, details } = name;
  ignorePromises(value);
  const cycle = fault.type === 'bound' ? firstCycle(value, path) : undefined;
  const place = pointer(cycle ?? path);
  const more = details === undefined ? {} : { details };
  if (fault.type === 'thrown') {
    const message = `${noun} could not be read${place}, because it threw: ${thrownText(fault.error)}. Give plain values.`;
    return new PolyphonyError(code, message, { cause: fault.error, ...more });
  }
  if (fault.type === 'kind' || cycle !== undefined) {
    const kind = fault.type === 'kind' ? fault.kind : 'a list or an object that contains itself';
    const advice = fault.type === 'kind' ? fault.advice : 'give each part once, or its id';
    return new PolyphonyError(code, `${noun} holds ${kind}${place}, which JSON does not have: ${advice}.`, more);
  }
  return new PolyphonyError(
    'limit-exceeded',
    `${noun} ${fault.rule}, which is the most that is kept: give less.`,
    more,
  );
}

/** Where the value contains itself, on the way of the path. */
function firstCycle(value: unknown, path: readonly (string | number)[]): readonly (string | number)[] | undefined {
  const above = new Set<unknown>([value]);
  let current = value;
  for (const [index, key] of path.entries()) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[key];
    if (above.has(current)) return path.slice(0, index + 1);
    above.add(current);
  }
  return undefined;
}

function pointer(path: readonly (string | number)[]): string {
  if (path.length === 0) return '';
  let text = '';
  for (const key of path) {
    text += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (text.length > PATH_CHARACTERS) break;
  }
  return ` at ${text.length > PATH_CHARACTERS ? `${firstOf(text, PATH_CHARACTERS)}…` : text}`;
}
