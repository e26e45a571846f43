/**
 * The keywords of JSON Schema 2020-12 and of draft-07: what each holds. A schema is judged by the position of its parts, so
 * that a property called `properties` is a property, and a property called `pattern` is no pattern.
 */
import { isPlainObject } from '../../../language/shorthand.ts';

export type KeywordKind = 'schema' | 'list' | 'map';

/** Keywords whose schemas apply to the same value as the schema that holds them. */
export const IN_PLACE: ReadonlyMap<string, KeywordKind> = new Map([
  ['allOf', 'list'],
  ['anyOf', 'list'],
  ['oneOf', 'list'],
  ['not', 'schema'],
  ['if', 'schema'],
  ['then', 'schema'],
  ['else', 'schema'],
  ['dependentSchemas', 'map'],
  ['dependencies', 'map'],
]);

/** Keywords whose schemas apply to a part of the value. */
export const INNER: ReadonlyMap<string, KeywordKind> = new Map([
  ['properties', 'map'],
  ['patternProperties', 'map'],
  ['additionalProperties', 'schema'],
  ['propertyNames', 'schema'],
  ['items', 'schema'],
  ['prefixItems', 'list'],
  ['additionalItems', 'schema'],
  ['contains', 'schema'],
  ['unevaluatedProperties', 'schema'],
  ['unevaluatedItems', 'schema'],
]);

/** Schemas that apply only where something refers to them. */
export const DEFINITIONS: ReadonlySet<string> = new Set(['$defs', 'definitions']);

/** Keywords that refer to another schema. */
export const REFERENCES = ['$ref', '$dynamicRef', '$recursiveRef'] as const;

export const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((name) => typeof name === 'string');
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isType = (value: unknown): boolean => TYPES.some((name) => name === value);

interface Shape {
  readonly fits: (value: unknown) => boolean;
  readonly rule: string;
}

const COUNT: Shape = { fits: isCount, rule: 'a whole number, 0 or more' };
const NUMBER: Shape = { fits: isNumber, rule: 'a number' };
const TEXT: Shape = { fits: (value) => typeof value === 'string', rule: 'a text' };

/** What the value of a keyword has to be. */
export const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  [
    'type',
    {
      fits: (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
      rule: `one of ${TYPES.join(', ')}, or a list of them`,
    },
  ],
  ['enum', { fits: (value) => Array.isArray(value) && value.length > 0, rule: 'a list of values' }],
  ['required', { fits: isTexts, rule: 'a list of names' }],
  [
    'dependentRequired',
    { fits: (value) => isPlainObject(value) && Object.values(value).every(isTexts), rule: 'a map of lists of names' },
  ],
  ['uniqueItems', { fits: (value) => typeof value === 'boolean', rule: 'true or false' }],
  ['multipleOf', { fits: (value) => isNumber(value) && (value as number) > 0, rule: 'a number above 0' }],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].map((name) => [name, NUMBER] as const),
  ...['minLength', 'maxLength', 'minItems', 'maxItems'].map((name) => [name, COUNT] as const),
  ...['minProperties', 'maxProperties', 'minContains', 'maxContains'].map((name) => [name, COUNT] as const),
  ...['pattern', '$id', '$anchor', '$dynamicAnchor', ...REFERENCES].map((name) => [name, TEXT] as const),
]);
