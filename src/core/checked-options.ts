/**
 * What callers in JavaScript can get wrong without being told: ids that a store cannot tell apart, caps that cap nothing,
 * misspelt options, and values that an option cannot have.
 */

import { type ErrorCode, PolyphonyError } from './errors.ts';
import { shown } from './json/cut-text.ts';
import { SCOPE_KINDS, type Scope } from './model/model.ts';

export { shown };

/** Ids that callers give. */
export const MAX_ID_CHARACTERS = 512;
/** Ids that are composed of several, such as that of a node in a nested run. */
const MAX_COMPOSED_CHARACTERS = 8192;

/** @throws invalid-request, naming `what`, when two ids like this one could become the same in a store */
export function assertId(what: string, id: unknown, most: number = MAX_ID_CHARACTERS): void {
  if (!isId(id, most)) throw idError(what, id, most);
}

/** It is sent as a header. */
const REQUEST_ID = /^[\x21-\x7e]{1,512}$/;

export function assertRequestId(of: string, requestId: unknown): void {
  if (typeof requestId === 'string' && REQUEST_ID.test(requestId)) return;
  throw new PolyphonyError(
    'invalid-request',
    `The requestId ${shown(requestId)} of ${of} cannot be sent as a header: give 1 to 512 printable ASCII characters without spaces.`,
  );
}

/** Halves of surrogate pairs are all the same in UTF-8. */
const isId = (id: unknown, most: number): id is string =>
  typeof id === 'string' && id !== '' && id.length <= most && id.isWellFormed() && !hasControl(id);

/** Stores may cut at a control character. A loop, because an expression that knows them costs ten times as much. */
function hasControl(id: string): boolean {
  for (let at = 0; at < id.length; at += 1) {
    const code = id.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true;
  }
  return false;
}

const idError = (what: string, id: unknown, most: number): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    `${what} cannot be ${shown(id)}: give a text of ${Number.isFinite(most) ? `1 to ${most} characters` : '1 or more characters'} without control characters and lone surrogates.`,
  );

/** @throws invalid-request for an unknown kind, an id as above, and a cap that is not a number from 0 on */
export function assertScopes(scopes: readonly Scope[]): void {
  if (!Array.isArray(scopes))
    throw new PolyphonyError('invalid-request', `scopes must be a list, not ${shown(scopes)}.`);
  // What is wrong is put into words only then, because this is asked of every call.
  for (const { kind, id, capNanoUsd, spentNanoUsd } of scopes) {
    if (!SCOPE_KINDS.includes(kind)) {
      const message = `A scope cannot be of the kind ${shown(kind)}: use one of ${SCOPE_KINDS.join(', ')}.`;
      throw new PolyphonyError('invalid-request', message);
    }
    if (!isId(id, MAX_COMPOSED_CHARACTERS)) throw idError(`The id of a scope (${kind})`, id, MAX_COMPOSED_CHARACTERS);
    if (!isAmount(capNanoUsd)) throw amountError(`The cap of ${kind} "${id}"`, capNanoUsd);
    if (!isAmount(spentNanoUsd)) throw amountError(`What ${kind} "${id}" has spent`, spentNanoUsd);
  }
}

/** NaN would compare as "not above the cap" for ever; a fraction is a cap that was written in dollars. Infinity is none. */
const isAmount = (nanoUsd: unknown): boolean =>
  nanoUsd === undefined || nanoUsd === Number.POSITIVE_INFINITY || (Number.isInteger(nanoUsd) && Number(nanoUsd) >= 0);

const amountError = (what: string, nanoUsd: unknown): PolyphonyError =>
  new PolyphonyError(
    'invalid-request',
    `${what} cannot be ${shown(nanoUsd)} nano-dollars: give a whole number from 0 on, such as usdToNano(0.5).`,
  );

/** What a field may hold. Asked of each call, so a rule is one comparison, and words are made for what is wrong. */
export interface ValueRule {
  fits(value: unknown): boolean;
  /** Ends the sentence "… is 5, but it must be". */
  readonly must: string;
  /** Words that are suggested. @default none */
  readonly words?: readonly string[];
}

export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

export const oneOf = (...words: readonly string[]): ValueRule => ({
  fits: (value) => words.includes(value as string),
  must: words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`,
  words,
});
export const numberFrom = (least: number, most: number, must: string): ValueRule => ({
  fits: (value) => typeof value === 'number' && value >= least && value <= most,
  must,
});
export const wholeFrom = (least: number): ValueRule => ({
  fits: (value) => Number.isInteger(value) && Number(value) >= least,
  must: least === Number.MIN_SAFE_INTEGER ? 'a whole number' : `a whole number of at least ${least}`,
});
/** An object with these methods; a function may have methods too. */
export const objectWith = (what: string, ...methods: readonly string[]): ValueRule => ({
  fits: (value) =>
    (isFields(value) || (typeof value === 'function' && methods.length > 0)) &&
    methods.every((name) => typeof Reflect.get(value, name) === 'function'),
  must: methods.length === 0 ? what : `${what}, with ${methods.join(', ')}`,
});
export const BOOLEAN: ValueRule = { fits: (value) => typeof value === 'boolean', must: 'true or false' };
export const TEXT: ValueRule = { fits: isText, must: 'a text' };
export const TEXTS: ValueRule = { fits: isTexts, must: 'a list of texts' };
export const CALLBACK: ValueRule = { fits: (value) => typeof value === 'function', must: 'a function' };
export const OBJECT: ValueRule = objectWith('an object');
/** By what it can do: a signal may come from another realm. */
export const SIGNAL: ValueRule = {
  ...objectWith('an AbortSignal', 'addEventListener', 'removeEventListener'),
  must: 'an AbortSignal, such as that of an AbortController',
};

export const CLOCK: ValueRule = objectWith('a clock', 'now', 'monotonic', 'schedule');
export const COUNT: ValueRule = numberFrom(0, Number.POSITIVE_INFINITY, 'a number from 0 on');

/** Of a list nothing is a field. */
export const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * `known` has a key per field, so that the compiler can hold it against a type, and says what it may hold: a field that is `true` holds
 * anything, or is checked where it is read.
 */
export type KnownFields<T> = Readonly<Record<keyof T, true | ValueRule>>;

/** The names that are most like one, best first. */
export type Nearest = (name: string, names: Iterable<string>) => readonly string[];

/**
 * An option that is not known may be a cap that is misspelt, and one that nobody understands would be no rule at all, so both are
 * refused, not ignored.
 *
 * @throws invalid-request, or `code`, naming the first field that is unknown or cannot have its value, what it may be, and the nearest
 */
export function assertKnownFields<T extends object>(
  what: string,
  given: T,
  known: KnownFields<T>,
  nearest: Nearest,
  code: ErrorCode = 'invalid-request',
): void {
  if (!isFields(given))
    throw new PolyphonyError(code, `${what} cannot have ${shown(given)} for its fields: give an object.`);
  for (const name in given) {
    const value = given[name];
    if (value === undefined) continue;
    if (!Object.hasOwn(known, name)) throw unknownField(what, name, Object.keys(known), nearest, code);
    const rule = known[name as keyof T];
    if (rule !== true && !rule.fits(value)) throw wrongValue(placeOf(what, name), value, rule, nearest, code);
  }
}

/** `limits.usd`, but `A call: signal`. */
const placeOf = (what: string, name: string): string => `${what}${what.includes(' ') ? ': ' : '.'}${name}`;

/** @throws invalid-request naming what is given, its value and what it must be */
export function assertFits(what: string, value: unknown, rule: ValueRule, nearest: Nearest): void {
  if (!rule.fits(value)) throw wrongValue(what, value, rule, nearest);
}

/** The error for a field that does not exist. */
export function unknownField(
  what: string,
  name: string,
  names: readonly string[],
  nearest: Nearest,
  code: ErrorCode = 'invalid-request',
): PolyphonyError {
  const near = nearest(name, names)[0];
  const meant = near === undefined ? '' : `did you mean "${near}"? `;
  const message = `${what} has no field ${shown(name)}: ${meant}${meant === '' ? 'it' : 'It'} may have ${names.join(', ')}.`;
  return new PolyphonyError(code, message);
}

/** The error for a value that a field cannot have. */
export function wrongValue(
  field: string,
  value: unknown,
  { must, words = [] }: ValueRule,
  nearest: Nearest,
  code: ErrorCode = 'invalid-request',
): PolyphonyError {
  const wrong = isTexts(value) ? value.find((word) => !words.includes(word)) : value;
  const near = words.length > 1 && isText(wrong) ? nearest(wrong, words)[0] : undefined;
  const meant = near === undefined ? '' : ` Did you mean "${near}"?`;
  const is = isTexts(value) && words.length > 0 ? `has ${shown(wrong)}` : `is ${shown(value)}`;
  return new PolyphonyError(code, `${field} ${is}, but it must be ${must}.${meant}`);
}
