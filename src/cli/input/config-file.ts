/** Finds and reads the configuration: YAML or JSON, named by --config or in the working folder. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { configIssues } from '../../composition/config/config-issues.ts';
import { ConfigSchema, ModelsSchema, PricesSchema } from '../../core/config/config-schema.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Plugin } from '../../core/plugin.ts';
import { scrubText } from '../../core/scrub.ts';
import { readable } from './read-file.ts';

export const CONFIG_FILES = ['polyphony.yaml', 'polyphony.yml', 'polyphony.json'] as const;
const LARGEST_CONFIG = 1024 * 1024;
const PricesFileSchema = z.strictObject({ prices: PricesSchema });
const ModelsFileSchema = z.strictObject({ models: ModelsSchema });

export interface LoadedConfig {
  /** Undefined: no file was found, and the defaults apply. */
  readonly path: string | undefined;
  readonly config: Config;
}

/** @throws invalid-config naming the file, the field, the rule and the value */
export async function loadConfig(folder: string, named?: string): Promise<LoadedConfig> {
  const path = named ?? CONFIG_FILES.map((name) => resolve(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return { path: undefined, config: {} };
  const text = await readable(path, LARGEST_CONFIG, 'a config file');
  const loaded = checked(path, ConfigSchema, await parse(path, text));
  return { path, config: withPromptFolder(path, await withModels(path, await withPrices(path, loaded))) };
}

/** The folder of prompts is relative to the config. */
function withPromptFolder(config: string, loaded: Config): Config {
  const { prompts } = loaded;
  return prompts === undefined
    ? loaded
    : { ...loaded, prompts: { ...prompts, folder: resolve(config, '..', prompts.folder) } };
}

/** Prices in the config take precedence over those in its `pricesFile`. */
async function withPrices(config: string, loaded: Config): Promise<Config> {
  if (loaded.pricesFile === undefined) return loaded;
  const path = resolve(config, '..', loaded.pricesFile);
  const text = await readable(path, LARGEST_CONFIG, 'a file of prices');
  const { prices } = checked(path, PricesFileSchema, await parse(path, text));
  return { ...loaded, prices: { ...prices, ...loaded.prices } };
}

/** Models in the config take precedence over those in its `modelsFile`. */
async function withModels(config: string, loaded: Config): Promise<Config> {
  if (loaded.modelsFile === undefined) return loaded;
  const path = resolve(config, '..', loaded.modelsFile);
  const text = await readable(path, LARGEST_CONFIG, 'a file of models');
  const { models } = checked(path, ModelsFileSchema, await parse(path, text));
  return { ...loaded, models: { ...models, ...loaded.models } };
}

async function parse(path: string, text: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(text);
    const { parse: parseYaml } = await import('yaml');
    // A few lines of YAML aliases can expand without limit (the billion laughs), so their number is bounded.
    return parseYaml(text, { maxAliasCount: 50 }) ?? {};
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PolyphonyError(
      'invalid-config',
      `${path} cannot be read as ${path.endsWith('.json') ? 'JSON' : 'YAML'}: ${reason}`,
    );
  }
}

function checked<T>(path: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const message = `${path} cannot be used:\n${configIssues(schema, value, parsed.error)}`;
  throw new PolyphonyError('invalid-config', message);
}

/** Whether a module's default export looks like a plugin; the host checks the rest. */
function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string';
}

/**
 * Loads the modules that the config names: packages, or files relative to the config. Their default export is a plugin or a
 * function that returns one.
 */
export async function loadPlugins(loaded: LoadedConfig): Promise<readonly Plugin[]> {
  const plugins: Plugin[] = [];
  for (const name of loaded.config.plugins ?? []) {
    const specifier = specifierOf(name, resolve(loaded.path ?? '.'));
    plugins.push(await loadPlugin(name, specifier));
  }
  return plugins;
}

/** Packages resolve from the project of the config; those that it does not have resolve from polyphony itself. */
function specifierOf(name: string, config: string): string {
  if (name.startsWith('.') || isAbsolute(name)) return pathToFileURL(resolve(config, '..', name)).href;
  try {
    return pathToFileURL(createRequire(config).resolve(name)).href;
  } catch {
    return name;
  }
}

async function loadPlugin(name: string, specifier: string): Promise<Plugin> {
  let module: unknown;
  try {
    module = await import(specifier);
  } catch (error) {
    throw notLoaded(name, error);
  }
  const exported: unknown =
    typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
  const plugin = await made(name, exported);
  if (isPlugin(plugin)) return plugin;
  throw new PolyphonyError(
    'invalid-config',
    `The plugin "${name}" must have a default export that is a plugin or a function that returns one: see docs/how-to/add-a-provider.md for the shape.`,
  );
}

async function made(name: string, exported: unknown): Promise<unknown> {
  try {
    return typeof exported === 'function' ? await exported() : exported;
  } catch (error) {
    throw notLoaded(name, error);
  }
}

function notLoaded(name: string, error: unknown): PolyphonyError {
  const reason = error instanceof Error ? error.message.replace(/ imported from .*$/s, '') : String(error);
  const remedy = 'name an installed package, or a file by a path that starts with "./" and is relative to the config';
  const message = `The plugin "${name}" of the config cannot be loaded (${scrubText(reason)}): ${remedy}.`;
  return new PolyphonyError('invalid-config', message, { cause: error });
}
