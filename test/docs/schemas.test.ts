/** The published JSON Schemas say what the code takes: `npm run schemas` writes them anew. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { publishedSchemas } from '../../scripts/schemas/published-schemas.ts';
import { ConfigSchema } from '../../src/core/config/config-schema.ts';
import { OLDER_CONFIG_NAMES } from '../../src/core/config/older-names.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const blocksOf = (page: string, kind: string): readonly string[] =>
  [...read(page).matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

type Schema = Readonly<Record<string, unknown>> & { readonly properties?: Readonly<Record<string, Schema>> };

const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, validateFormats: false });
const compiled = new Map(
  Object.keys(publishedSchemas()).map((file) => [file, ajv.compile(JSON.parse(read(`schemas/${file}`)) as Schema)]),
);

/** What is wrong with a document, as an editor would say it. */
function problems(file: string, document: unknown): readonly string[] {
  const check = compiled.get(file);
  expect(check, file).toBeDefined();
  check?.(document);
  return (check?.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Every schema of a field, with its path. */
function fieldsOf(schema: unknown, path = ''): readonly (readonly [string, Schema])[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key !== 'properties') return fieldsOf(value, path);
    return Object.entries(value as Readonly<Record<string, Schema>>).flatMap(([name, field]) => [
      [`${path}/${name}`, field] as const,
      ...fieldsOf(field, `${path}/${name}`),
    ]);
  });
}

describe.each(Object.entries(publishedSchemas()))('schemas/%s', (file, schema) => {
  it('is up to date', () => {
    expect(readdirSync(join(root, 'schemas'))).toContain(file);
    expect(read(`schemas/${file}`), 'run `npm run schemas`').toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  it('has an id, and a sentence for every field', () => {
    expect(schema.$id).toMatch(/^urn:polyphony:schemas:(?:config|plan)$/);
    const fields = fieldsOf(schema);
    expect(fields.length).toBeGreaterThan(20);
    expect(fields.flatMap(([path, { description }]) => (/^[A-Z`].*\.$/.test(String(description)) ? [] : path))).toEqual(
      [],
    );
  });
});

describe('the schema of the config', () => {
  const file = 'config.schema.json';

  it('takes the configs of the pages, with a line for the editor', () => {
    const configs = ['configuration', 'prices'].flatMap((page) => blocksOf(`docs/reference/${page}.md`, 'yaml'));
    expect(configs.length).toBeGreaterThan(1);
    for (const text of configs) {
      const config = { $schema: './config.schema.json', ...(parse(text) as object) };
      expect(problems(file, config)).toEqual([]);
      expect(ConfigSchema.parse(config)).not.toHaveProperty('$schema');
    }
  });

  it.each([
    ['an unknown field', { bugdets: [] }],
    ['an unknown field within', { timeouts: { firstTokens: 1 } }],
    ['a value out of range', { retry: { retries: 11 } }],
    ['a missing field', { budgets: [{ scope: 'user' }] }],
    ['a $schema that is no text', { $schema: 1 }],
  ])('refuses %s, as reading does', (_, config) => {
    expect(problems(file, config)).not.toEqual([]);
    expect(ConfigSchema.safeParse(config).success).toBe(false);
  });

  it('takes the older names, marked as such', () => {
    const { properties = {} } = publishedSchemas()[file] ?? {};
    for (const [part, names] of Object.entries(OLDER_CONFIG_NAMES)) {
      for (const { older, name } of names) {
        expect(problems(file, { [part]: { [older]: 5 } })).toEqual([]);
        expect(properties[part]?.properties?.[older]).toMatchObject({ deprecated: true });
        expect(properties[part]?.properties?.[older]?.description).toContain(`\`${name}\``);
      }
    }
  });
});

describe('the schema of the plan', () => {
  const file = 'plan.schema.json';
  const plans = readdirSync(join(root, 'workflows')).filter((name) => name.endsWith('.plan.json'));

  test.each(plans)('takes workflows/%s', (name) => {
    expect(problems(file, { $schema: './plan.schema.json', ...JSON.parse(read(`workflows/${name}`)) })).toEqual([]);
  });

  it('takes the plan of its page', () => {
    const [text = ''] = blocksOf('docs/reference/plan-format.md', 'json');
    expect(problems(file, JSON.parse(text))).toEqual([]);
  });

  it.each([
    ['no nodes', { version: 1, nodes: [] }],
    ['an unknown field', { version: 1, nodes: [{ id: 'a', use: 'llm', inputs: {} }] }],
    ['an id that is none', { version: 1, nodes: [{ id: 'A', use: 'llm' }] }],
  ])('refuses %s', (_, plan) => expect(problems(file, plan)).not.toEqual([]));
});
