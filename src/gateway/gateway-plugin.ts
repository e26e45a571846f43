/** What the gateway takes of plugins: their providers, their layers of both rings, and their order of candidates. */
import type { Attempt, Call } from '../core/model/model.ts';
import type { Provider } from '../core/model/provider.ts';
import type { Plugin } from '../core/plugin.ts';
import type { PluginLayer } from './rings.ts';
import type { Ranker } from './routing/rank.ts';

export type GatewayPlugin = Pick<Plugin, 'name' | 'providers' | 'request' | 'attempt' | 'rank'>;

export const pluginProviders = (plugins: readonly GatewayPlugin[]): readonly Provider[] =>
  plugins.flatMap(({ providers }) => providers ?? []);

export const requestLayersOf = (plugins: readonly GatewayPlugin[]): PluginLayer<Call>[] =>
  plugins.flatMap(({ name, request }) => listOf(request).map((layer) => layerOf(name, layer)));

export const attemptLayersOf = (plugins: readonly GatewayPlugin[]): PluginLayer<Attempt>[] =>
  plugins.flatMap(({ name, attempt }) => listOf(attempt).map((layer) => layerOf(name, layer)));

/** A layer may be of a class: no copy of its own fields, and its `handle` keeps its `this`. */
const layerOf = <C extends Call>(plugin: string, layer: Omit<PluginLayer<C>, 'plugin'>): PluginLayer<C> => ({
  plugin,
  place: layer.place,
  handle: layer.handle.bind(layer),
});

/** A plugin has one layer, several or none. */
function listOf<L extends object>(layers: L | readonly L[] | undefined): readonly L[] {
  if (layers === undefined) return [];
  return isList(layers) ? layers : [layers];
}

const isList = <L extends object>(layers: L | readonly L[]): layers is readonly L[] => Array.isArray(layers);

export function rankersOf(plugins: readonly GatewayPlugin[]): readonly Ranker[] | undefined {
  const rankers = plugins.flatMap((plugin): Ranker[] =>
    plugin.rank === undefined
      ? []
      : [
          {
            plugin: plugin.name,
            rank: (candidates, call) => (plugin.rank === undefined ? candidates : plugin.rank(candidates, call)),
          },
        ],
  );
  return rankers.length === 0 ? undefined : rankers;
}
