/**
 * Sorts what the plugins bring into one place for each kind, refuses two of one name, and runs their `setup`, `onEvent`
 * and `close`. Whatever a plugin throws names the plugin.
 */

import { errorRecord, PolyphonyError } from '../core/errors.ts';
import type { Provider } from '../core/model/provider.ts';
import type { Evaluator, Logger, Plugin, PluginContext, Step, Tool } from '../core/plugin.ts';
import type { RunEvent } from '../core/run/engine.ts';
import type { CounterChange, KeyValueStore } from '../core/stores.ts';

export interface PluginParts {
  readonly plugins: readonly Plugin[];
  readonly providers: readonly Provider[];
  readonly tools: ReadonlyMap<string, Tool>;
  readonly steps: ReadonlyMap<string, Step>;
  readonly evaluators: ReadonlyMap<string, Evaluator>;
}

const NAMES = {
  provider: /^[a-z][a-z0-9-]{0,60}$/,
  tool: /^[a-z][a-z0-9_]{0,60}$/,
  step: /^[a-z][a-z0-9_-]{0,60}$/,
  evaluator: /^[a-z][a-z0-9-]{0,60}$/,
} as const;

/** @throws invalid-config when two plugins bring the same name, or a name cannot be used */
export function collectParts(plugins: readonly Plugin[]): PluginParts {
  const providers = new Map<string, Provider>();
  const tools = new Map<string, Tool>();
  const steps = new Map<string, Step>();
  const evaluators = new Map<string, Evaluator>();
  const names = new Set<string>();
  for (const plugin of plugins) {
    // A factory that was not called has a name too, and would register nothing.
    if (typeof plugin !== 'object') {
      throw new PolyphonyError(
        'invalid-config',
        `A plugin is an object, and one of those given is a ${typeof plugin}: call the factory.`,
      );
    }
    if (names.has(plugin.name)) {
      throw new PolyphonyError('invalid-config', `Two plugins are named "${plugin.name}": register it once.`);
    }
    names.add(plugin.name);
    for (const provider of plugin.providers ?? []) add('provider', providers, provider.id, provider, plugin);
    for (const tool of plugin.tools ?? []) add('tool', tools, tool.name, tool, plugin);
    for (const step of plugin.steps ?? []) add('step', steps, step.type.use, step, plugin);
    for (const evaluator of plugin.evaluators ?? [])
      add('evaluator', evaluators, evaluator.name, guard(plugin, evaluator), plugin);
  }
  return { plugins, providers: [...providers.values()], tools, steps, evaluators };
}

function add<T>(kind: keyof typeof NAMES, into: Map<string, T>, name: string, part: T, plugin: Plugin): void {
  if (!NAMES[kind].test(name)) {
    throw new PolyphonyError(
      'invalid-config',
      `The plugin "${plugin.name}" brings a ${kind} named "${name}": names match ${NAMES[kind].source}.`,
    );
  }
  if (into.has(name)) {
    throw new PolyphonyError(
      'invalid-config',
      `Two plugins bring the ${kind} "${name}" (the second is "${plugin.name}"): leave one out.`,
    );
  }
  into.set(name, part);
}

function guard(plugin: Plugin, evaluator: Evaluator): Evaluator {
  return {
    ...evaluator,
    async evaluate(call, response) {
      try {
        return await evaluator.evaluate(call, response);
      } catch (error) {
        throw failed(plugin, `evaluator "${evaluator.name}"`, error);
      }
    },
  };
}

/** Ours as it is; anything else becomes `plugin-failed`, with the plugin named. */
function failed(plugin: Plugin, where: string, error: unknown): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new PolyphonyError('plugin-failed', `The plugin "${plugin.name}" failed in its ${where}: ${message}`, {
    cause: error,
  });
}

/** In order; the plugins that were set up are closed again when a later one throws. */
export async function setUp(
  plugins: readonly Plugin[],
  context: Omit<PluginContext, 'store'> & { readonly store: KeyValueStore },
): Promise<void> {
  const ready: Plugin[] = [];
  for (const plugin of plugins) {
    try {
      await plugin.setup?.({ ...context, store: storeOf(plugin, context.store) });
      ready.push(plugin);
    } catch (error) {
      await closeAll(ready, context.logger);
      throw failed(plugin, 'setup', error);
    }
  }
}

/** In reverse. One that throws is logged and stops no other. */
export async function closeAll(plugins: readonly Plugin[], logger: Logger): Promise<void> {
  for (const plugin of [...plugins].reverse()) {
    try {
      await plugin.close?.();
      for (const provider of plugin.providers ?? []) await provider.close?.();
    } catch (error) {
      logger.warn({ plugin: plugin.name, error: errorRecord(error) }, 'a plugin failed to close');
    }
  }
}

/** Undefined when nobody listens. */
export function eventListener(plugins: readonly Plugin[], logger: Logger): ((event: RunEvent) => void) | undefined {
  const listening = plugins.filter((plugin) => plugin.onEvent !== undefined);
  if (listening.length === 0) return undefined;
  return (event) => {
    for (const plugin of listening) {
      try {
        plugin.onEvent?.(event);
      } catch (error) {
        logger.warn(
          { plugin: plugin.name, event: event.type, error: errorRecord(error) },
          'a plugin failed on an event',
        );
      }
    }
  };
}

/** The same store under a prefix of the plugin's own. */
function storeOf(plugin: Plugin, store: KeyValueStore): KeyValueStore {
  const prefix = `plugin/${plugin.name}/`;
  return {
    get: (key) => store.get(prefix + key),
    set: (key, value, options) => store.set(prefix + key, value, options),
    delete: (key) => store.delete(prefix + key),
    keys: async (start, limit) => (await store.keys(prefix + start, limit)).map((key) => key.slice(prefix.length)),
    change: (changes) =>
      store.change(changes.map((change): CounterChange => ({ ...change, key: prefix + change.key }))),
    close: async () => undefined,
  };
}
