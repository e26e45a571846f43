/** What the gateway takes of plugins: their providers, layers of both rings, network of an attempt, and order of candidates. */
import type { Attempt, Call } from '../core/model/model.ts';
import type { Provider, Transport } from '../core/model/provider.ts';
import type { Plugin } from '../core/plugin.ts';
import { blamePlugin, type PluginLayer } from './rings.ts';
import type { Ranker } from './routing/rank.ts';

export type GatewayPlugin = Pick<Plugin, 'name' | 'providers' | 'request' | 'attempt' | 'transport' | 'rank'>;

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

/** The network as the plugins let an attempt see it, and their names, the nearest to the provider last. */
export interface PluginNetwork {
  readonly names: readonly string[];
  readonly transportOf: (inner: Transport, attempt: Attempt) => Transport;
}

/** Undefined when no plugin has `transport`: attempts then use the network itself. */
export function networkOf(plugins: readonly GatewayPlugin[]): PluginNetwork | undefined {
  const wrapping = plugins.filter(({ transport }) => transport !== undefined);
  if (wrapping.length === 0) return undefined;
  return {
    names: wrapping.map(({ name }) => `network:${name}`).reverse(),
    transportOf: (inner, attempt) => wrapping.reduce((network, plugin) => wrapped(plugin, network, attempt), inner),
  };
}

function wrapped(plugin: GatewayPlugin, inner: Transport, attempt: Attempt): Transport {
  try {
    const network: unknown = plugin.transport?.(inner, attempt);
    if (isTransport(network)) return network;
  } catch (error) {
    throw blamePlugin(error, plugin.name, attempt);
  }
  const problem = new TypeError(
    'its "transport" returned no transport: return the inner one, or an object with request and close.',
  );
  throw blamePlugin(problem, plugin.name, attempt);
}

const isTransport = (value: unknown): value is Transport =>
  typeof value === 'object' && value !== null && 'request' in value && typeof value.request === 'function';
