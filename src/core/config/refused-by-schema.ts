/** What is wrong with a config, one line for each issue: the field, the rule that it breaks, and the nearest valid name. */
import { z } from 'zod';
import { type Nearest, shown } from '../checked-options.ts';

/** More issues than anybody corrects in one go. */
const MOST_ISSUES = 20;

/** Where a field stands in the text of a config, such as `line 12, column 5`; undefined where the text has no such field. */
export type PlaceOf = (path: readonly PropertyKey[]) => string | undefined;

export interface ConfigWords {
  readonly nearest: Nearest;
  /** @default it is no file */
  readonly placeOf?: PlaceOf | undefined;
  /** What the whole is called. @default 'the config' */
  readonly whole?: string;
}

export function configIssues(schema: z.ZodType, given: unknown, error: z.ZodError, words: ConfigWords): string {
  const lines = inOrder(error.issues.flatMap((issue) => linesOf(schema, given, issue, words)));
  const more = lines.length - MOST_ISSUES;
  const told = more > 0 ? [...lines.slice(0, MOST_ISSUES), `and ${more} more`] : lines;
  return told.map((line) => `- ${line}`).join('\n');
}

/** As they stand in the file, where they have places. */
function inOrder(lines: readonly string[]): readonly string[] {
  const placeOf = (line: string): number => {
    const [, row = 0, column = 0] = /^line (\d+), column (\d+): /.exec(line) ?? [];
    return Number(row) * 1e6 + Number(column);
  };
  return [...lines].sort((one, other) => placeOf(one) - placeOf(other));
}

function linesOf(schema: z.ZodType, given: unknown, issue: z.core.$ZodIssue, words: ConfigWords): readonly string[] {
  const placed = (path: readonly PropertyKey[], line: string): string => {
    const place = words.placeOf?.(path);
    return place === undefined ? line : `${place}: ${line}`;
  };
  if (issue.code !== 'unrecognized_keys') return [placed(issue.path, lineOf(given, issue, words))];
  const known = fieldsAt(schema, issue.path);
  return issue.keys.map((key) => placed([...issue.path, key], unknownField(key, issue.path, known, words)));
}

function lineOf(given: unknown, issue: z.core.$ZodIssue, { whole = 'the config' }: ConfigWords): string {
  const value = valueAt(given, issue.path);
  const name = issue.path.length === 0 ? whole : fieldName(issue.path);
  if (issue.code === 'custom') return `${name}: ${issue.message}`;
  if (issue.code === 'invalid_key') return `${name} cannot be named so: ${issue.issues.map(ruleOf).join(', and ')}`;
  // Whoever writes the secret itself in place of where it is must not find it in a log.
  const isSecret = issue.path.at(-1) === 'secret' && typeof value === 'string';
  const is = value === undefined ? 'is missing' : isSecret ? 'cannot be used' : `is ${shown(value)}`;
  return `${name} ${is}: ${ruleOf(issue)}${shareHint(value, issue)}`;
}

/** Where the largest value is 1 or less, a larger number was meant in percent. */
function shareHint(value: unknown, issue: z.core.$ZodIssue): string {
  if (issue.code !== 'too_big' || issue.origin !== 'number' || issue.maximum > 1) return '';
  const percent = typeof value === 'number' && Number.isInteger(value) && value / 100 <= issue.maximum ? value : 5;
  return `, such as ${percent / 100} for ${percent} %`;
}

function unknownField(
  key: string,
  path: readonly PropertyKey[],
  known: readonly string[],
  { nearest }: ConfigWords,
): string {
  const name = shown(fieldName([...path, key]));
  const near = nearestField(key, known, nearest);
  if (near !== undefined) return `${name} is not a field: did you mean ${fieldName([...path, near])}?`;
  return `${name} is not a field: remove it, or use one of ${known.join(', ')}`;
}

const UNIT = /(?:Ms|NanoUsd|Usd)$/;

/** The field that was meant, also where its unit is missing: `answr` for `answerMs`. */
function nearestField(key: string, known: readonly string[], nearest: Nearest): string | undefined {
  const [near] = nearest(key, known);
  if (near !== undefined) return near;
  const [bare] = nearest(
    key.replace(UNIT, ''),
    known.map((name) => name.replace(UNIT, '')),
  );
  return bare === undefined ? undefined : known.find((name) => name.replace(UNIT, '') === bare);
}

function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `give ${TYPES.get(issue.expected) ?? issue.expected}`;
    case 'invalid_value':
      return `give ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `give ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case 'too_big':
      return `give ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case 'invalid_format':
      return FORMATS.get(issue.format) ?? issue.message;
    default:
      return issue.message;
  }
}

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['date', 'give a date that exists, such as 2027-01-31'],
  ['datetime', 'give a time with its zone, such as 2027-01-31T18:00:00Z'],
  ['url', 'give an address that begins with http:// or https://'],
]);

const TYPES: ReadonlyMap<string, string> = new Map([
  ['int', 'a whole number'],
  ['number', 'a number'],
  ['string', 'a text'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object of fields'],
  ['record', 'an object of names'],
]);

function unitOf(origin: string, count: number | bigint): string {
  if (origin === 'string') return Number(count) === 1 ? ' character' : ' characters';
  if (origin === 'array') return Number(count) === 1 ? ' entry' : ' entries';
  return '';
}

/** As a reader of the file would write it: `budgets[0].scope`. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`))
    .join('');
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (owner, part) =>
      typeof owner === 'object' && owner !== null && Object.hasOwn(owner, part) ? Reflect.get(owner, part) : undefined,
    given,
  );
}

/** The fields that the schema knows at a path. */
function fieldsAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  const inner = unwrapped(schema);
  if (path.length === 0) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  const [first, ...rest] = path;
  const next = partOf(inner, first);
  return next === undefined ? [] : fieldsAt(next, rest);
}

function partOf(schema: z.core.$ZodType, part: PropertyKey | undefined): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(part)];
  if (schema instanceof z.ZodArray) return schema.element;
  return schema instanceof z.ZodRecord ? schema.valueType : undefined;
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional) return unwrapped(schema.unwrap());
  return schema instanceof z.ZodPipe ? unwrapped(schema.out) : schema;
}
