/**
 * What one evaluation of a condition may read and make. cel-js bounds neither, so every read, and every operand of an
 * operation whose work or result grows with it, passes through a function of this file, which counts it before the operation.
 */
import type { Environment } from '@marcbachmann/cel-js';
import { PolyphonyError } from '../../core/errors.ts';
import { CONDITION_BOUNDS } from '../condition-rules.ts';

/** What is left for the current evaluation: evaluations are synchronous, so there is only one at a time. */
let steps: number = CONDITION_BOUNDS.steps;
let makes: number = CONDITION_BOUNDS.made;

/** A new evaluation begins. */
export function resetWork(): void {
  steps = CONDITION_BOUNDS.steps;
  makes = CONDITION_BOUNDS.made;
}

/** The current evaluation took or made more than it may. */
export const isExhausted = (): boolean => steps < 0 || makes < 0;

/** What is left for the value that is rendered now: that is synchronous too. */
let renderedSteps: number = CONDITION_BOUNDS.renderedSteps;

/** Steps of all evaluations and translations so far, so that whoever renders in parts can tell how long a part was. */
let worked = 0;

/**
 * Another value is rendered, with all the expressions in it.
 *
 * @param left of one that is rendered in parts, what its parts so far have left. @default all of it
 */
export function beginRender(left: number = CONDITION_BOUNDS.renderedSteps): void {
  renderedSteps = left;
}

export const leftToRender = (): number => renderedSteps;

export const workedSteps = (): number => worked;

/** Translating a character of an expression takes about as long as two steps. */
export function countTranslation(characters: number): void {
  worked += 2 * characters;
}

/** Counts the last evaluation for the value that is rendered. @throws limit-exceeded when its expressions took more than they may together */
export function endEvaluation(): void {
  const taken = CONDITION_BOUNDS.steps - steps;
  worked += taken;
  renderedSteps -= taken;
  if (renderedSteps >= 0) return;
  const message = `The expressions of one value take more than ${CONDITION_BOUNDS.renderedSteps} steps together: spread them over several nodes, or have them read less.`;
  throw new PolyphonyError('limit-exceeded', message);
}

export function spend(count: number): void {
  steps -= count;
  if (steps < 0) throw new RangeError(`it takes more than ${CONDITION_BOUNDS.steps} steps`);
}

/** Bytes of texts and lists that the current evaluation has made so far. */
export const madeBytes = (): number => CONDITION_BOUNDS.made - makes;

export function make(bytes: number): void {
  makes -= bytes;
  if (makes < 0) throw new RangeError(`it makes texts and lists of more than ${CONDITION_BOUNDS.made} bytes`);
}

const ITEM = 8;
const CONTAINER = 48;

/** What reading a value costs: a 64th of its length. */
const readCost = (value: unknown): number =>
  typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array ? value.length >> 6 : 0;

export function readOwn(owner: unknown, key: unknown): unknown {
  if (typeof owner !== 'object' || owner === null) return undefined;
  if (owner instanceof Map) return owner.get(fieldName(key));
  if (Array.isArray(owner)) {
    const index = typeof key === 'bigint' ? Number(key) : key;
    return typeof index === 'number' && Number.isInteger(index) ? owner[index] : undefined;
  }
  const name = fieldName(key);
  return name !== undefined && Object.hasOwn(owner, name) ? (owner as Record<string, unknown>)[name] : undefined;
}

/** Keys of a look-up may be written as numbers or bools, and objects have texts: `{1: 'low', 2: 'high'}[input.level]`. */
function fieldName(key: unknown): string | undefined {
  if (typeof key === 'string') return key;
  return typeof key === 'number' || typeof key === 'bigint' || typeof key === 'boolean' ? String(key) : undefined;
}

function read(owner: unknown, key: unknown): unknown {
  const value = readOwn(owner, key) ?? null;
  spend(1 + readCost(value));
  return value;
}

/** @param weight steps of what is done with each item */
function list(value: unknown, weight: unknown = 1): unknown {
  if (value === null) return [];
  if (typeof value !== 'object') return value;
  const length = lengthOf(value);
  if (length > CONDITION_BOUNDS.listItems) {
    throw new RangeError(`a list has ${length} items, but at most ${CONDITION_BOUNDS.listItems} are allowed`);
  }
  spend(length * Number(weight));
  return value;
}

const lengthOf = (value: object): number =>
  Array.isArray(value) ? value.length : value instanceof Map ? value.size : Object.keys(value).length;

/** The list that a function reads, before it makes one that has at most as many items; null is the empty list. */
export function listOf(name: string, value: unknown): readonly unknown[] {
  const items = list(value);
  if (!Array.isArray(items)) throw new TypeError(`${name}() needs a list`);
  make(CONTAINER + ITEM * items.length);
  return items;
}

function bool(value: unknown): unknown {
  if (typeof value === 'boolean') return value;
  if (value === null) return false;
  throw new TypeError(`a bool is needed, but the value has the type ${Array.isArray(value) ? 'list' : typeof value}`);
}

/** The list that `map` or `filter` reads: the one that it makes has at most as many items. */
function source(value: unknown, weight?: unknown): unknown {
  const read = list(value, weight);
  if (typeof read === 'object' && read !== null) make(CONTAINER + ITEM * lengthOf(read));
  return read;
}

/** The list of `in`: its items are compared, and these may be lists. */
function members(value: unknown): unknown {
  const read = list(value);
  return compared(read);
}

/** An operand of `==`: comparing lists and objects takes as many steps as they have values. */
export function compared(value: unknown): unknown {
  const stack: unknown[] = [value];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    spend(1 + (typeof next === 'string' ? readCost(next) : 0));
    if (typeof next !== 'object' || next === null) continue;
    const children = next instanceof Map ? next.values() : Array.isArray(next) ? next : Object.values(next);
    for (const child of children) {
      if (typeof child === 'string' || (typeof child === 'object' && child !== null)) stack.push(child);
      else spend(1);
    }
  }
  return value;
}

/** An operand of `+`: lists and bytes are copied, texts are joined. */
function part(value: unknown): unknown {
  if (typeof value === 'string') make(value.length);
  return sum(value);
}

/** An operand of `+` that is a sum itself: its text was counted with its own operands. */
function sum(value: unknown): unknown {
  if (Array.isArray(value)) {
    spend(value.length);
    make(CONTAINER + ITEM * value.length);
  } else if (value instanceof Uint8Array) make(value.length);
  return value;
}

/** A list or a map that is written in the condition. */
function literal(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) make(CONTAINER + 2 * ITEM * lengthOf(value));
  return value;
}

/** What is passed to a function that makes `bytes` of each character. */
function argument(value: unknown, bytes: unknown): unknown {
  spend(1 + readCost(value));
  if (typeof value === 'string' || value instanceof Uint8Array) make(Number(bytes) * value.length);
  return value;
}

/** A time zone: to compute with one takes as long as a thousand reads. */
function zone(value: unknown): unknown {
  spend(1000);
  return value;
}

/** The text of a duration: reading a long one takes work in the square of its length. */
function duration(value: unknown): unknown {
  spend(10);
  if (typeof value !== 'string' || value.length <= 100) return value;
  throw new RangeError(`a duration has ${value.length} characters, but at most 100 are allowed`);
}

// ---------------------------------------------------------------------------------------------------- functions of texts

function searched(name: string, text: unknown, pattern: unknown): { readonly text: string; readonly pattern: string } {
  if (typeof text !== 'string' || typeof pattern !== 'string') throw new TypeError(`${name}() needs two texts`);
  // At worst a search compares the pattern at every place.
  spend(1 + Math.ceil(readCost(text) + (text.length * pattern.length) / 65_536));
  return { text, pattern };
}

function contains(value: unknown, search: unknown): boolean {
  if (value === null && typeof search === 'string') return false;
  const { text, pattern } = searched('contains', value, search);
  return text.includes(pattern);
}

function place(name: 'indexOf' | 'lastIndexOf'): (value: unknown, search: unknown, from?: unknown) => bigint {
  return (value, search, from) => {
    const { text, pattern } = searched(name, value, search);
    if (from === undefined) return BigInt(text[name](pattern));
    const start = Number(from);
    if (pattern === '') return BigInt(start);
    if (start >= 0 && start < text.length) return BigInt(text[name](pattern, start));
    throw new RangeError(`the place ${start} of ${name}() is not within the text`);
  };
}

function join(value: unknown, separator: unknown = ''): string {
  if (value === null) return '';
  if (!Array.isArray(value) || typeof separator !== 'string') throw new TypeError('join() needs a list of texts');
  spend(value.length);
  let length = separator.length * Math.max(0, value.length - 1);
  for (const text of value) {
    if (typeof text !== 'string') throw new TypeError('join() needs a list that contains only texts');
    length += text.length;
  }
  make(length);
  return value.join(separator);
}

/** The functions that `emitCondition` calls. */
export function registerWork(environment: Environment): void {
  const handlers: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
    '_read(dyn, dyn): dyn': read,
    '_has(dyn, string): bool': (owner, key) => readOwn(owner, key) !== undefined,
    '_list(dyn): dyn': (value) => list(value),
    '_list(dyn, int): dyn': list,
    '_bool(dyn): bool': bool,
    '_source(dyn): dyn': (value) => source(value),
    '_source(dyn, int): dyn': source,
    '_members(dyn): dyn': members,
    '_compared(dyn): dyn': compared,
    '_part(dyn): dyn': part,
    '_sum(dyn): dyn': sum,
    '_literal(dyn): dyn': literal,
    '_argument(dyn, int): dyn': argument,
    '_zone(dyn): dyn': zone,
    '_duration(dyn): dyn': duration,
    '_contains(dyn, dyn): bool': contains,
    '_indexOf(dyn, dyn): int': place('indexOf'),
    '_indexOf(dyn, dyn, dyn): int': place('indexOf'),
    '_lastIndexOf(dyn, dyn): int': place('lastIndexOf'),
    '_lastIndexOf(dyn, dyn, dyn): int': place('lastIndexOf'),
    '_join(dyn): string': (value) => join(value),
    '_join(dyn, dyn): string': (value, separator) => join(value, separator),
  };
  for (const [signature, handler] of Object.entries(handlers)) {
    environment.registerFunction(signature, handler, { async: false });
  }
}
