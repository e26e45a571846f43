/**
 * What callers in JavaScript can get wrong without being told: ids that a store cannot tell apart, caps that cap nothing, and
 * misspelt options.
 */

import { PolyphonyError } from './errors.ts';
import { firstOf } from './json/cut-text.ts';
import { SCOPE_KINDS, type Scope } from './model/model.ts';

/** Ids that callers give. */
export const MAX_ID_CHARACTERS = 512;
/** Ids that are composed of several, such as that of a node in a nested run. */
const MAX_COMPOSED_CHARACTERS = 8192;

const SHOWN_CHARACTERS = 60;

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

/** `known` has a key per field, so that the compiler can hold it against a type. */
export type KnownFields<T> = Readonly<Record<keyof T, true>>;

/** The names that are most like one, best first. */
export type Nearest = (name: string, names: Iterable<string>) => readonly string[];

/**
 * An option that is not known may be a cap that is misspelt, so it is refused, not ignored.
 *
 * @throws invalid-request naming the first unknown field, the one that is nearest, and those that exist
 */
export function assertKnownFields<T extends object>(
  what: string,
  given: T,
  known: KnownFields<T>,
  nearest?: Nearest,
): void {
  for (const name in given) {
    if (Object.hasOwn(known, name) || given[name] === undefined) continue;
    throw unknownField(what, name, Object.keys(known), nearest);
  }
}

/** The error for a field that does not exist. */
export function unknownField(what: string, name: string, names: readonly string[], nearest?: Nearest): PolyphonyError {
  const near = nearest?.(name, names)[0];
  const meant = near === undefined ? '' : `did you mean "${near}"? `;
  const message = `${what} has no field ${shown(name)}: ${meant}${meant === '' ? 'it' : 'It'} may have ${names.join(', ')}.`;
  return new PolyphonyError('invalid-request', message);
}

/** A value that is wrong, as messages show it. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') {
    if (Array.isArray(value)) return 'a list';
    return typeof value === 'object' && value !== null ? 'an object' : String(value);
  }
  return `${JSON.stringify(firstOf(value, SHOWN_CHARACTERS))}${value.length > SHOWN_CHARACTERS ? '…' : ''}`;
}
