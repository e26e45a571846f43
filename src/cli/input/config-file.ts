/** Finds and reads the configuration: YAML or JSON, named by --config or in the working folder. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Plugin } from '../../core/plugin.ts';
import { scrubText } from '../../core/scrub.ts';
import { UsageError } from './exit-code.ts';

export const CONFIG_FILES = ['polyphony.yaml', 'polyphony.yml', 'polyphony.json'] as const;

export interface LoadedConfig {
  /** Undefined: no file was found, and the defaults apply. */
  readonly path: string | undefined;
  readonly config: Config;
}

/** @throws invalid-config naming the file, the field, the rule and the value */
export async function loadConfig(folder: string, named?: string): Promise<LoadedConfig> {
  const path = named ?? CONFIG_FILES.map((name) => resolve(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return { path: undefined, config: {} };
  // The schema of the config takes longer to load than most commands take.
  const { loadConfigFile } = await import('../../composition/config/config-file.ts');
  return { path, config: await loadConfigFile(path, (message) => new UsageError(message)) };
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
