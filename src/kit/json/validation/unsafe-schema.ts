/** Why a schema cannot be used: found by reading it, before any value is there and before anything is paid. */
import { beginningOf, shownText } from '../../../language/shown.ts';
import { REFERENCES } from './keywords.ts';
import { expandedSize, inPlaceFacts } from './schema-graph.ts';
import { type ReadSchema, readParts, type SchemaBounds, type SchemaIssue, type SchemaPart } from './schema-parts.ts';

/** What a schema of a plan, of a model or of somebody else may have. */
const UNTRUSTED = { levels: 64, parts: 4000, height: 100, expanded: 10_000, choices: 10_000, reference: 1000 } as const;
/** A program's own schemas are bounded by what the stack takes. */
const TRUSTED: SchemaBounds = { levels: 200, parts: 100_000 };
const TRUSTED_HEIGHT = 500;

/** Reads a program's own schema. */
export function readTrusted(schema: unknown): ReadSchema {
  const read = readParts(schema, TRUSTED);
  return read.issues.length > 0 ? read : { ...read, issues: endlessIssues(read.parts, TRUSTED_HEIGHT) };
}

/** Reads a schema that somebody else wrote. */
export function readUntrusted(schema: unknown): ReadSchema {
  const read = readParts(schema, UNTRUSTED);
  const unsafe = read.parts.flatMap(unsafeKeywords);
  const places = new Set(unsafe.map(({ path }) => path));
  const issues = [...unsafe, ...read.issues.filter(({ path }) => !places.has(path))];
  if (issues.length === 0) issues.push(...endlessIssues(read.parts, UNTRUSTED.height));
  if (issues.length === 0 && expandedSize(read.parts) > UNTRUSTED.expanded) {
    const message = `The references of the schema expand to more than ${UNTRUSTED.expanded} parts: use fewer $ref.`;
    issues.push({ code: 'schema.unsafe', path: '', message });
  }
  return { ...read, issues };
}

/** Why an untrusted schema must not be used; empty if it is safe. Never throws. */
export const refuseUnsafeSchema = (schema: unknown): readonly SchemaIssue[] => readUntrusted(schema).issues;

function endlessIssues(parts: readonly SchemaPart[], most: number): SchemaIssue[] {
  const { endless, height } = inPlaceFacts(parts);
  if (endless !== undefined) {
    const message =
      'The schema refers to itself endlessly, without a property or an item between: remove that reference.';
    return [{ code: 'schema.unsafe', path: endless.path, message }];
  }
  if (height <= most) return [];
  return [
    {
      code: 'schema.unsafe',
      path: '',
      message: `More than ${most} schemas apply to one value, one inside the other: use fewer $ref.`,
    },
  ];
}

const REGEX_KEYWORDS = ['pattern', 'patternProperties'] as const;

function unsafeKeywords({ schema, path }: SchemaPart): SchemaIssue[] {
  if (typeof schema === 'boolean') return [];
  const issues: SchemaIssue[] = [];
  for (const keyword of REGEX_KEYWORDS) {
    if (schema[keyword] === undefined) continue;
    issues.push({
      code: 'schema.unsafe',
      path,
      message: `A schema from a plan must not have ${keyword}: use enum, or remove it.`,
    });
  }
  for (const keyword of REFERENCES) {
    const value = schema[keyword];
    if (
      typeof value !== 'string' ||
      (keyword === '$ref' && value.startsWith('#') && value.length <= UNTRUSTED.reference)
    )
      continue;
    const message = `${keyword} ${shownText(value)} points outside the schema: refer only to "#/…".`;
    issues.push({ code: 'schema.unsafe', path, message });
  }
  if (path !== '' && typeof schema.$id === 'string') {
    const message = `$id ${shownText(schema.$id)} changes what references in it mean: remove it.`;
    issues.push({ code: 'schema.unsafe', path, message });
  }
  if (Array.isArray(schema.enum) && schema.enum.length > UNTRUSTED.choices) {
    const message = `An enum can have at most ${UNTRUSTED.choices} values, and this has ${schema.enum.length}: use a text.`;
    issues.push({ code: 'schema.unsafe', path: `${beginningOf(path, 400)}/enum`, message });
  }
  return issues;
}
