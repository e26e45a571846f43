/** What the stores of passages share: checks of names, bounds, and the join of two rankings. */
import { PolyphonyError } from '../core/errors.ts';
import { PASSAGE_NAME_LENGTH, type PassageBounds } from '../core/stores/passages.ts';
import { assertKey } from './counters.ts';

/** @throws invalid-request */
export function assertName(name: string, what: string): void {
  assertKey(name);
  if (name !== '' && name.length <= PASSAGE_NAME_LENGTH) return;
  const message = `The ${what} has ${name.length} characters: give it 1 to ${PASSAGE_NAME_LENGTH}.`;
  throw new PolyphonyError('invalid-request', message);
}

/** @throws invalid-config when a bound is not a positive whole number */
export function boundsOf(defaults: PassageBounds, given: Partial<PassageBounds> = {}): PassageBounds {
  const bounds = { ...defaults };
  for (const name of Object.keys(defaults) as (keyof PassageBounds)[]) {
    const value = given[name] ?? defaults[name];
    if (!Number.isSafeInteger(value) || value <= 0) {
      throw new PolyphonyError('invalid-config', `passages.${name} is ${value}: give a positive whole number.`);
    }
    bounds[name] = value;
  }
  return bounds;
}

export function tooLarge(index: string, what: string, bound: number, name: keyof PassageBounds): PolyphonyError {
  const message = `The index ${JSON.stringify(index)} would have ${what}, but the store holds at most ${bound}: index fewer files, or raise "passages.${name}" of the stores.`;
  return new PolyphonyError('limit-exceeded', message, { details: { index, bound: name, limit: bound } });
}

export function noIndex(index: string): PolyphonyError {
  const message = `There is no index ${JSON.stringify(index)} in the store: make it first with the tool "index", or check its name with polyphony store indexes.`;
  return new PolyphonyError('invalid-request', message);
}

export function otherLength(index: string, model: string, given: number, kept: number): PolyphonyError {
  const message = `The vector of the query has ${given} numbers, but those of ${JSON.stringify(model)} in the index ${JSON.stringify(index)} have ${kept}: embed both with one model and the same dimensions.`;
  return new PolyphonyError('invalid-request', message);
}

/** The most vectors that are kept, used or not. */
export const mostVectors = ({ passages }: PassageBounds): number => passages * 2;
/** What a vector takes. */
export const vectorBytes = (length: number): number => length * 4;
/** How far down a ranking counts. */
export const MAX_RANKED = 1000;
/** An index counts as used again after this time, so that a search seldom writes. */
export const USED_MS = 3_600_000;
