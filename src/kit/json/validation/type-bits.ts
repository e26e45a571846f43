/** The types of JSON as bits: the types that a schema allows are one number. */
import type { JsonSchema } from '../../../core/model/model.ts';

const NULL = 1;
const BOOLEAN = 2;
export const INTEGER = 4;
/** A number that is not whole. */
export const FRACTION = 8;
export const TEXT = 16;
export const ARRAY = 32;
export const OBJECT = 64;
/** Undefined, a function, NaN: only a schema without types allows it. */
const NO_JSON = 128;
const ALL = 255;

const BITS: ReadonlyMap<unknown, number> = new Map([
  ['null', NULL],
  ['boolean', BOOLEAN],
  ['integer', INTEGER],
  ['number', INTEGER | FRACTION],
  ['string', TEXT],
  ['array', ARRAY],
  ['object', OBJECT],
]);

export function typeBit(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return TEXT;
    case 'number':
      return Number.isInteger(value) ? INTEGER : Number.isFinite(value) ? FRACTION : NO_JSON;
    case 'boolean':
      return BOOLEAN;
    case 'object':
      return value === null ? NULL : Array.isArray(value) ? ARRAY : OBJECT;
    default:
      return NO_JSON;
  }
}

/** The bits of the types that a schema allows. */
export function typeBits({ type, nullable }: JsonSchema): number {
  if (type === undefined) return ALL;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.reduce<number>((bits, name) => bits | (BITS.get(name) ?? 0), nullable === true ? NULL : 0);
}
