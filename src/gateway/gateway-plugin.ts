/** What the gateway takes of plugins: their providers, layers of both rings, network of an attempt, and order of candidates. */
import type { Attempt, Call } from '../core/model/model.ts';
import type { Provider, Transport } from '../core/model/provider.ts';
import type { Logger, Plugin } from '../core/plugin.ts';
import { TokenCounter } from './calls/size.ts';
import { blamePlugin, type PluginLayer } from './rings.ts';
import type { Ranker } from './routing/rank.ts';

export type GatewayPlugin = Pick<
  Plugin,
  'name' | 'providers' | 'request' | 'attempt' | 'transport' | 'rank' | 'tokenizers'
>;

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

export type FindCounter = (provider: string, model: string) => TokenCounter | undefined;

type Tokenizer = NonNullable<Plugin['tokenizers']>[string];
/** Those that were made before: each tells once that it fails. */
export type MadeCounters = WeakMap<Tokenizer, TokenCounter>;

/** Undefined when no plugin has `tokenizers`. Of several names that fit a model the longest counts, of equal ones the last. */
export function countersOf(
  plugins: readonly GatewayPlugin[],
  logger: Logger | undefined,
  made: MadeCounters,
): FindCounter | undefined {
  const counterOf = (plugin: string, name: string, count: Tokenizer): TokenCounter => {
    const counter =
      made.get(count) ??
      new TokenCounter(count, (problem) => {
        const message = `The tokenizer "${name}" of the plugin "${plugin}" ${problem}, so estimates count instead.`;
        logger?.warn({ plugin, tokenizer: name }, message);
      });
    made.set(count, counter);
    return counter;
  };
  const known = plugins.flatMap(({ name: plugin, tokenizers = {} }) =>
    Object.entries(tokenizers).map(([name, count]) => ({
      name,
      parts: name.split('*'),
      counter: counterOf(plugin, name, count),
    })),
  );
  if (known.length === 0) return undefined;
  known.sort((one, other) => one.name.length - other.name.length);
  return (provider, model) =>
    known.findLast(({ parts }) => fits(parts, model) || fits(parts, `${provider}/${model}`))?.counter;
}

/** Whether the name consists of these parts with anything between them. In one pass: a RegExp tries every way to place them. */
function fits(parts: readonly string[], name: string): boolean {
  const [first = '', ...more] = parts;
  const last = more.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of more) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at + last.length <= name.length;
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
