/**
 * Reads a configuration from its file: YAML or JSON, or a module of JavaScript or TypeScript, which is run. Secrets do not stand in
 * it: fields that need one take `env:NAME` or `file:PATH`.
 */
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ConfigSchema, ModelsSchema, PricesSchema } from '../../core/config/config-schema.ts';
import { configIssues } from '../../core/config/refused-by-schema.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { scrubText } from '../../core/scrub.ts';
import { nearest } from '../../language/suggest.ts';
import { type ReadingRules, readText } from '../../system/read-text.ts';
import { placesIn } from './config-places.ts';

const LARGEST_CONFIG = 1024 * 1024;
const MODULES: readonly string[] = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];
const PricesFileSchema = z.strictObject({ prices: PricesSchema });
const ModelsFileSchema = z.strictObject({ models: ModelsSchema });

const refuse = (message: string): PolyphonyError => new PolyphonyError('invalid-config', message);

/** A module cannot be read again, so it is not followed. */
export const isModule = (path: string): boolean => MODULES.includes(extname(path));

/** The files that a config is made of: its own, and those of its prices and models. */
export const filesOf = (path: string, { pricesFile, modelsFile }: Config): readonly string[] => [
  resolve(path),
  ...[pricesFile, modelsFile].flatMap((file) => (file === undefined ? [] : [resolve(path, '..', file)])),
];

/**
 * The config in a file, with the prices and models of the files that it names, and with the folder of its prompts as a whole path.
 *
 * @param unreadable makes the error for a file that cannot be read. @default invalid-config
 * @throws invalid-config naming the file, the line, the field, the rule and the value
 */
export async function loadConfigFile(path: string, unreadable: ReadingRules['refuse'] = refuse): Promise<Config> {
  const rules = { largest: LARGEST_CONFIG, refuse: unreadable };
  const loaded = isModule(path)
    ? await checked(path, ConfigSchema, await exported(path))
    : await read(path, ConfigSchema, { ...rules, what: 'a config file' });
  const { pricesFile, modelsFile, prompts } = loaded;
  const beside = (name: string): string => resolve(path, '..', name);
  const prices =
    pricesFile && (await read(beside(pricesFile), PricesFileSchema, { ...rules, what: 'a file of prices' }));
  const models =
    modelsFile && (await read(beside(modelsFile), ModelsFileSchema, { ...rules, what: 'a file of models' }));
  return {
    ...loaded,
    // What the config itself says takes precedence.
    ...(prices ? { prices: { ...prices.prices, ...loaded.prices } } : {}),
    ...(models ? { models: { ...models.models, ...loaded.models } } : {}),
    ...(prompts === undefined ? {} : { prompts: { ...prompts, folder: beside(prompts.folder) } }),
  };
}

async function read<T>(path: string, schema: z.ZodType<T>, rules: ReadingRules): Promise<T> {
  const text = await readText(path, rules);
  return checked(path, schema, path.endsWith('.json') ? jsonIn(path, text) : await yamlIn(path, text), text);
}

function jsonIn(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const at = /position (\d+)/.exec(reason)?.[1];
    const before = text.slice(0, Number(at ?? 0)).split('\n');
    const place = at === undefined ? '' : ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
    throw refuse(`${path} cannot be read as JSON${place}: ${reason}`);
  }
}

async function yamlIn(path: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    // A few lines of YAML aliases can expand without limit (the billion laughs), so their number is bounded.
    return parse(text, { maxAliasCount: 50 }) ?? {};
  } catch (error) {
    throw refuse(`${path} cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function exported(path: string): Promise<unknown> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    const found = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
    return typeof found === 'function' ? await found() : (found ?? {});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = path.endsWith('ts') ? ', with a Node that runs TypeScript (22.18 or newer), or through tsx' : '';
    throw refuse(`${path} cannot be run (${scrubText(reason)}): export the config as its default${hint}.`);
  }
}

/** @param text what the value was read from, where that has lines */
async function checked<T>(path: string, schema: z.ZodType<T>, value: unknown, text?: string): Promise<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const placeOf = text === undefined ? undefined : placesIn(text, await import('yaml'));
  throw refuse(`${path} cannot be used:\n${configIssues(schema, value, parsed.error, { nearest, placeOf })}`);
}
