/** Which plugins a polyphony has: the caller's, and those that are there by default. */
import type { Provider } from '../../core/model/provider.ts';
import type { Plugin } from '../../core/plugin.ts';
import { isDefault, mergePlugins } from './plugin-host.ts';

/** What decides about them; see `PolyphonyOptions`. */
export interface PluginChoice {
  readonly providers?: readonly Provider[] | undefined;
  readonly plugins?: readonly Plugin[] | undefined;
  readonly defaults?: boolean | undefined;
  readonly environment?: boolean | undefined;
}

/** What brings those that are there by default. */
export interface DefaultPlugins {
  readonly all: (withProviders: boolean) => Promise<readonly Plugin[]>;
  readonly fromEnvironment: () => Promise<readonly Plugin[]>;
}

/** The default plugins unless they are switched off, the caller's, and the caller's providers as a plugin. */
export async function chosenPlugins(options: PluginChoice, byDefault: DefaultPlugins): Promise<readonly Plugin[]> {
  const { providers, plugins: given = [], defaults = options.plugins?.length !== 0 } = options;
  const own = mergePlugins([], [...withoutReplaced(given), ...providerPlugin(providers ?? [])]);
  const isBrought = providers !== undefined || given.some((plugin) => (plugin.providers ?? []).length > 0);
  const environment = options.environment ?? (defaults && !isBrought);
  if (defaults) return mergePlugins(await byDefault.all(environment), own);
  return mergePlugins(environment ? await byDefault.fromEnvironment() : [], own);
}

/** Those that `defaultPlugins` returned give way beside a plugin of the same name, as they do where nobody lists them. */
function withoutReplaced(given: readonly Plugin[]): readonly Plugin[] {
  const isListed = (plugin: unknown): boolean =>
    typeof plugin === 'object' && plugin !== null && isDefault(plugin as Plugin);
  if (!given.some(isListed)) return given;
  const names = new Map(given.map((plugin, at) => [plugin?.name, at]));
  const own = new Set(given.filter((plugin) => !isListed(plugin)).map((plugin) => plugin?.name));
  return given.filter(
    (plugin, at) => !isListed(plugin) || (!own.has(plugin.name) && (names.get(plugin.name) ?? at) <= at),
  );
}

const providerPlugin = (providers: readonly Provider[]): readonly Plugin[] =>
  providers.length === 0 ? [] : [{ name: 'providers', providers }];
