/** The reference pages say what the code does: `npx vitest run test/cli/reference.test.ts -u` writes the command's page anew. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { EXIT } from '../../src/cli/input/exit-code.ts';
import { ConfigSchema, PriceSchema } from '../../src/core/config/config-schema.ts';
import { call } from './call.ts';

const docs = resolve(import.meta.dirname, '../../docs');

const COMMANDS = [
  'run',
  'plan',
  'validate',
  'estimate',
  'simulate',
  'graph',
  'runs',
  'runs list',
  'runs show',
  'runs watch',
  'runs resume',
  'runs answer',
  'runs event',
  'runs fork',
  'runs cancel',
  'runs replay',
  'threads',
  'threads list',
  'threads show',
  'threads delete',
  'batches',
  'batches list',
  'batches show',
  'batches wait',
  'batches cancel',
  'workflows',
  'prompts',
  'prompts list',
  'prompts show',
  'prompts check',
  'schedule',
  'steps',
  'models',
  'route',
  'health',
  'spend',
  'mcp',
  'config',
  'config check',
  'config diff',
  'config schema',
  'store',
  'store indexes',
  'store prune',
  'doctor',
  'init',
];

const HEAD = `# The command

The output of \`polyphony help <command>\`, word for word: a test compares this page with it. Tasks are on the page
[the command line](../how-to/command-line.md).
`;

/** The options of the program stand once, at the top. */
const ownPart = (help: string): string => help.replace(/\nGlobal Options:\n(?: .*\n)+/, '');

describe('docs/reference/command-line.md', () => {
  it('is what the command says of itself', async () => {
    const block = (text: string): string => `\`\`\`text\n${text.trim()}\n\`\`\`\n`;
    const parts = [HEAD, block((await call('--help')).out)];
    for (const name of COMMANDS)
      parts.push(`## ${name}\n`, block(ownPart((await call(...name.split(' '), '--help')).out)));
    await expect(parts.join('\n')).toMatchFileSnapshot(join(docs, 'reference/command-line.md'));
  });

  it('leaves out no command', async () => {
    const listed = ({ out }: { out: string }): string[] =>
      [...(out.split('Commands:')[1]?.split('\n\n')[0] ?? '').matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
    const top = listed(await call('--help'));
    const below: string[] = [];
    for (const group of ['runs', 'threads', 'batches', 'prompts', 'config', 'store']) {
      below.push(...listed(await call(group, '--help')).map((name) => `${group} ${name}`));
    }
    expect([...top, ...below].filter((name) => !name.endsWith('help')).sort()).toEqual([...COMMANDS].sort());
  });
});

type JsonSchema = {
  readonly properties?: Record<string, JsonSchema>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
};

/** `retry.retries`, `routes.<name>.chain`, `budgets[].usd`: every field that holds no further ones. */
function fieldsOf({ properties, items, additionalProperties }: JsonSchema, path: string): string[] {
  if (properties !== undefined) {
    return Object.entries(properties).flatMap(([name, field]) =>
      fieldsOf(field, path === '' ? name : `${path}.${name}`),
    );
  }
  if (items?.properties !== undefined) return fieldsOf(items, `${path}[]`);
  if (typeof additionalProperties === 'object') return fieldsOf(additionalProperties, `${path}.<name>`);
  return [path];
}

describe('docs/reference/configuration.md', () => {
  const page = readFileSync(join(docs, 'reference/configuration.md'), 'utf8');

  it('has one row for each field of the schema, and none for others', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, field = '']) => field);
    const fields = fieldsOf(z.toJSONSchema(ConfigSchema) as JsonSchema, '');
    // What a price is made of has a page of its own.
    const own = fields.filter((field) => !field.startsWith('prices.<name>.'));
    expect([...rows].sort()).toEqual([...own, 'prices.<name>'].sort());
  });

  it('shows a config that is valid', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(ConfigSchema.safeParse(parse(text)).error).toBeUndefined();
    expect(text.length).toBeGreaterThan(100);
  });
});

describe('docs/reference/prices.md', () => {
  const page = readFileSync(join(docs, 'reference/prices.md'), 'utf8');

  it('has one row for each field of a price, and none for others', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, field = '']) => field);
    const fields = fieldsOf(z.toJSONSchema(PriceSchema) as JsonSchema, '');
    const rates = fields.filter((field) => /^\w+$/.test(field));
    // A rate may stand in every part of a price, and is explained once.
    const nested = fields.filter((field) => !rates.includes(field.replace(/^.*\./, '')));
    const parts = nested.filter((field) => !/^(changes|windows|serviceTiers).*tiers\[\]/.test(field));
    expect([...rows].sort()).toEqual([...rates, ...parts].sort());
  });

  it('shows a price that is valid', () => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    expect(ConfigSchema.safeParse(parse(text)).error).toBeUndefined();
  });
});

describe('docs/how-to/command-line.md', () => {
  it('has a row for each exit code', () => {
    const page = readFileSync(join(docs, 'how-to/command-line.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(rows).toEqual(Object.values(EXIT));
  });
});
