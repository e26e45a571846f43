/**
 * The JSON Schemas that editors read: shapes from zod, descriptions and defaults from the comments of the interfaces. A
 * field without a sentence is an error.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { CurrentConfigSchema } from '../../src/core/config/config-schema.ts';
import { OLDER_CONFIG_NAMES } from '../../src/core/config/older-names.ts';
import type { OlderName } from '../../src/core/older-names.ts';
import { PlanSchema } from '../../src/core/plan/plan-schema.ts';
import { type FieldDoc, type InterfaceDoc, interfaceDocs } from './interface-docs.ts';

const root = resolve(import.meta.dirname, '../..');
const core = resolve(root, 'src/core');
const configParts = (): readonly string[] =>
  readdirSync(resolve(core, 'settings'))
    .sort()
    .map((name) => `settings/${name}`);
const SOURCES = [
  'config.ts',
  ...configParts(),
  'config/config-input.ts',
  'money/token-price.ts',
  'plan/plan-document.ts',
  'plan/approval.ts',
  'model/request.ts',
];

interface Schema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
}
type Docs = ReadonlyMap<string, InterfaceDoc>;

const EDITOR_KEY: Schema = {
  type: 'string',
  description: 'Where an editor finds this schema. It is dropped on reading.',
};

/** The schemas, by the name of their file in schemas/. */
export function publishedSchemas(): Readonly<Record<string, Schema>> {
  const docs = interfaceDocs(SOURCES.map((file) => readFileSync(resolve(core, file), 'utf8')));
  return {
    'config.schema.json': published('config', withOlderNames(described(CurrentConfigSchema, 'Config', docs))),
    'plan.schema.json': published('plan', described(PlanSchema, 'Plan', docs)),
  };
}

function published(kind: string, { $schema, description, properties, ...rest }: Schema): Schema {
  return {
    $schema,
    $id: `urn:polyphony:schemas:${kind}`,
    title: `polyphony ${kind}`,
    description,
    ...rest,
    properties: { $schema: EDITOR_KEY, ...properties },
  };
}

/** Draft 7, because editors support it better than any later one. */
function described(schema: z.ZodType, name: string, docs: Docs): Schema {
  const shape: unknown = z.toJSONSchema(schema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => {
      // The bounds of every JavaScript integer are no information about the field.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const text = docs.get(name)?.text;
  if (text === undefined || text === '')
    throw new Error(`The interface ${name} has no comment: describe it in a sentence.`);
  return { description: text, ...withFields(shape as Schema, name, docs) };
}

/** The schema of an object, with what the interface says of each field. */
function withFields(schema: Schema, name: string, docs: Docs): Schema {
  const fields = docs.get(name)?.fields;
  const properties = Object.entries(schema.properties ?? {}).map(([field, inner]) => {
    const doc = fields?.get(field);
    if (doc === undefined || doc.text === '') {
      throw new Error(`${name}.${field} has no comment: describe it in a sentence, with its unit.`);
    }
    return [field, { ...descriptionOf(doc), ...withParts(inner, doc, docs) }] as const;
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** The objects that a field holds: itself, its items, its values, or one of several. */
function withParts(schema: Schema, doc: FieldDoc, docs: Docs): Schema {
  if (schema.properties !== undefined) return withFields(schema, interfaceOf(schema, doc, docs), docs);
  if (schema.items?.properties !== undefined) return { ...schema, items: withParts(schema.items, doc, docs) };
  const { additionalProperties: values, anyOf } = schema;
  if (typeof values === 'object' && values.properties !== undefined) {
    return { ...schema, additionalProperties: withParts(values, doc, docs) };
  }
  return anyOf === undefined ? schema : { ...schema, anyOf: anyOf.map((one) => withParts(one, doc, docs)) };
}

/** The interface, among those that the field's type names, that has the fields of the object. */
function interfaceOf(schema: Schema, { type, text }: FieldDoc, docs: Docs): string {
  const names = [...type.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name);
  const own = Object.keys(schema.properties ?? {});
  const found = names.find((name) => own.every((field) => docs.get(name)?.fields.has(field)));
  if (found === undefined) throw new Error(`No interface of "${type}" (${text}) has the fields ${own.join(', ')}.`);
  return found;
}

function descriptionOf({ text, preset }: FieldDoc): Schema {
  if (preset === undefined) return { description: text };
  const value = presetOf(preset);
  return { description: `${text} Default: ${preset}.`, ...(value === undefined ? {} : { default: value }) };
}

/** A default that is a value, not a sentence. */
function presetOf(preset: string): unknown {
  if (/^'[^']*'$/.test(preset)) return preset.slice(1, -1);
  return /^(?:-?\d+(?:\.\d+)?|true|false)$/.test(preset) ? JSON.parse(preset) : undefined;
}

function withOlderNames(schema: Schema): Schema {
  const properties: Record<string, Schema> = { ...schema.properties };
  for (const [part, names] of Object.entries<readonly OlderName[]>(OLDER_CONFIG_NAMES)) {
    const own = properties[part];
    const older = names.map((name) => [name.older, olderSchema(name, own?.properties?.[name.name] ?? {})] as const);
    properties[part] = { ...own, properties: { ...own?.properties, ...Object.fromEntries(older) } };
  }
  return { ...schema, properties };
}

function olderSchema({ name, times }: OlderName, { description: _, default: __, ...shape }: Schema): Schema {
  const unit = times === undefined ? '' : `, which is ${times} times this`;
  return { description: `The older name of \`${name}\`${unit}.`, deprecated: true, ...shape };
}
