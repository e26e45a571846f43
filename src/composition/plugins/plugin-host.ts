/**
 * Collects the parts of the plugins by kind, refuses two of the same name, and runs their `setup`, `ready`, `onEvent` and
 * `close`. Every error of a plugin names the plugin.
 */

import { defined } from '../../core/defined.ts';
import { errorRecord, PolyphonyError } from '../../core/errors.ts';
import { copies } from '../../core/json/copy-json.ts';
import type { Provider } from '../../core/model/provider.ts';
import type { Evaluator, Logger, Plugin, PluginContext, PluginParts, Step, Tool } from '../../core/plugin.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import type { CounterChange, KeyValueStore } from '../../core/stores.ts';
import { isThenable } from '../../core/user-code/guarded-listener.ts';
import { thrownText } from '../../core/user-code/thrown-text.ts';
import { closesInTime } from '../../system/clock.ts';
import { copiedEvent } from '../boundary/copied-runs.ts';
import { assertParts, isObject } from './plugin-shape.ts';

/** A plugin as one polyphony holds it: its own parts, or, as a second entry, the parts that its `setup` returned. */
export interface HostedPlugin {
  readonly name: string;
  readonly parts: PluginParts;
  /** Nobody asked for it: its tools, steps and evaluators give way to others of the same names. @default false */
  readonly isDefault?: boolean;
}

export interface CollectedParts {
  readonly providers: readonly Provider[];
  readonly tools: ReadonlyMap<string, Tool>;
  readonly steps: ReadonlyMap<string, Step>;
  readonly evaluators: ReadonlyMap<string, Evaluator>;
}

const NAMES = {
  provider: /^[a-z][a-z0-9-]{0,60}$/,
  // As other systems write them; a wire that refuses some renames them. With `tool:`, a plan has room for this many characters.
  tool: /^[a-zA-Z0-9_][a-zA-Z0-9_.:/-]{0,114}$/,
  step: /^[a-z][a-z0-9_-]{0,60}$/,
  evaluator: /^[a-z][a-z0-9-]{0,60}$/,
} as const;

const defaults = new WeakSet<Plugin>();

/** What the plugins bring gives way to what the caller's plugins bring under the same name. */
export function markDefault(plugins: readonly Plugin[]): void {
  for (const plugin of plugins) defaults.add(plugin);
}

export const isDefault = (plugin: Plugin): boolean => defaults.has(plugin);

export const hostedOf = (plugin: Plugin): HostedPlugin =>
  isDefault(plugin) ? { name: plugin.name, parts: plugin, isDefault: true } : { name: plugin.name, parts: plugin };

/** @throws invalid-config when one is a factory that was not called, or two have the same name */
function assertDistinct(plugins: readonly Plugin[]): void {
  const names = new Set<string>();
  for (const plugin of plugins) {
    // A factory that was not called has a name too, and would register nothing.
    if (typeof plugin !== 'object' || plugin === null) {
      const what = plugin === null || plugin === undefined ? String(plugin) : `a ${typeof plugin}`;
      throw new PolyphonyError(
        'invalid-config',
        `A plugin must be an object, but one of those given is ${what}: call the factory that returns the plugin.`,
      );
    }
    if (typeof plugin.name !== 'string' || plugin.name === '') {
      throw new PolyphonyError('invalid-config', 'A plugin has no name: give it a "name", a text that is not empty.');
    }
    if (names.has(plugin.name)) {
      throw new PolyphonyError('invalid-config', `Two plugins are named "${plugin.name}": give only one of them.`);
    }
    names.add(plugin.name);
  }
}

/**
 * The default plugins and the caller's. A plugin of the caller's with the name of a default one replaces it.
 *
 * @throws invalid-config when two of the caller's have the same name
 */
export function mergePlugins(defaults: readonly Plugin[], given: readonly Plugin[]): readonly Plugin[] {
  assertDistinct(given);
  const byName = new Map(given.map((plugin) => [plugin.name, plugin]));
  const known = new Set(defaults.map(({ name }) => name));
  return [
    ...defaults.map((plugin) => byName.get(plugin.name) ?? plugin),
    ...given.filter(({ name }) => !known.has(name)),
  ];
}

/** Whether a plugin has a layer where calls are escalated, or beside it. */
export function escalatesWith({ request }: PluginParts): boolean {
  const layers = request === undefined ? [] : [request].flat();
  return layers.some(({ place }) =>
    typeof place === 'string' ? place === 'escalation' : Object.values(place).includes('escalation'),
  );
}

/** @throws invalid-config when two plugins, none of them a default one, bring the same name, or a name cannot be used */
export function collectParts(hosted: readonly HostedPlugin[]): CollectedParts {
  const providers = kind<Provider>('provider');
  const tools = kind<Tool>('tool');
  const steps = kind<Step>('step');
  const evaluators = kind<Evaluator>('evaluator');
  for (const plugin of hosted) {
    const { name, parts } = plugin;
    assertParts(name, parts);
    for (const provider of parts.providers ?? []) providers.add({ name, parts }, provider.id, provider);
    for (const tool of parts.tools ?? []) tools.add(plugin, tool.name, tool);
    for (const step of parts.steps ?? []) steps.add(plugin, step.type.use, step);
    for (const evaluator of parts.evaluators ?? []) evaluators.add(plugin, evaluator.name, guard(name, evaluator));
  }
  return {
    providers: [...providers.parts.values()],
    tools: tools.parts,
    steps: steps.parts,
    evaluators: evaluators.parts,
  };
}

interface Kind<T> {
  readonly parts: ReadonlyMap<string, T>;
  add(plugin: HostedPlugin, name: string, part: T): void;
}

function kind<T>(label: keyof typeof NAMES): Kind<T> {
  const parts = new Map<string, T>();
  const owners = new Map<string, HostedPlugin>();
  return {
    parts,
    add(plugin, name, part) {
      if (!NAMES[label].test(name)) {
        const message = `The plugin "${plugin.name}" brings a ${label} named "${name}", but the name must match ${NAMES[label].source}: rename it.`;
        throw new PolyphonyError('invalid-config', message);
      }
      const owner = owners.get(name);
      if (owner !== undefined && owner.isDefault === plugin.isDefault)
        throw taken(label, name, owner.name, plugin.name);
      if (owner !== undefined && plugin.isDefault === true) return;
      owners.set(name, plugin);
      parts.set(name, part);
    },
  };
}

function taken(label: string, name: string, owner: string, plugin: string): PolyphonyError {
  const message =
    owner === plugin
      ? `The plugin "${plugin}" brings the ${label} "${name}" twice: leave one out.`
      : `Two plugins bring the ${label} "${name}", "${owner}" and "${plugin}": leave one out, or rename one. To replace a default plugin, name yours "${owner}".`;
  return new PolyphonyError('invalid-config', message);
}

function guard(plugin: string, evaluator: Evaluator): Evaluator {
  const { name, callsModels } = evaluator;
  return {
    ...evaluator,
    // Named, because they may be getters of a class.
    name,
    ...defined({ callsModels }),
    async evaluate(call, response) {
      try {
        return await evaluator.evaluate(call, response);
      } catch (error) {
        throw failed(plugin, `evaluator "${name}"`, error);
      }
    },
  };
}

/** A PolyphonyError stays as it is; any other error becomes `plugin-failed`, with the plugin named. */
function failed(plugin: string, where: string, error: unknown): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  return new PolyphonyError('plugin-failed', `The plugin "${plugin}" failed in its ${where}: ${thrownText(error)}`, {
    cause: error,
  });
}

/**
 * Sets the plugins up in order, then calls `ready` on each. When one throws, those that were set up are closed.
 *
 * @throws plugin-failed with the plugin's name, and what `collectParts` throws for the parts that `setup` returned
 */
export async function setUp(
  plugins: readonly Plugin[],
  context: Omit<PluginContext, 'evaluators'>,
): Promise<readonly HostedPlugin[]> {
  const hosted: HostedPlugin[] = [];
  // One map for all plugins, filled during setup: a plugin reads it when it evaluates an answer.
  const evaluators = new Map(collectParts(plugins.map(hostedOf)).evaluators);
  try {
    for (const [index, plugin] of plugins.entries()) {
      const made = await madeBy(plugin, { ...context, store: storeOf(plugin, context.store), evaluators });
      hosted.push(hostedOf(plugin));
      if (made === undefined) continue;
      hosted.push({ ...hostedOf(plugin), parts: made });
      const all = [...hosted, ...plugins.slice(index + 1).map(hostedOf)];
      for (const [name, evaluator] of collectParts(all).evaluators) evaluators.set(name, evaluator);
    }
    for (const { name, parts } of hosted) await announce(name, parts);
    return hosted;
  } catch (error) {
    await closeAll(hosted, context);
    await closeMade(plugins, hosted, context);
    throw error;
  }
}

/** The plugin as the gateway takes it: the plugin itself, or what its `setup` returned under its name. */
export const gatewayPluginOf = ({ name, parts }: HostedPlugin): Plugin =>
  isItself(parts, name)
    ? parts
    : {
        // Not a copy of its own fields: it may be of a class.
        name,
        ...defined({ providers: parts.providers, request: parts.request, attempt: parts.attempt }),
        ...defined({ transport: parts.transport?.bind(parts), rank: parts.rank?.bind(parts) }),
        ...defined({ tokenizers: parts.tokenizers }),
      };

/** What closing needs. */
type Closing = Pick<PluginContext, 'logger' | 'clock'>;

/** The providers that `setup` returned, where no gateway has heard of them that would close them. */
export async function closeMade(
  plugins: readonly Plugin[],
  hosted: readonly HostedPlugin[],
  closing: Closing,
): Promise<void> {
  const own = new Set<PluginParts>(plugins);
  const made = hosted.filter(({ parts }) => !own.has(parts));
  for (const { name, parts } of made) {
    // What is no list of providers is the reason why it is closed.
    const providers = Array.isArray(parts.providers) ? parts.providers : [];
    await closeAll(
      providers.filter(isObject).map((provider) => ({ name, parts: provider })),
      closing,
    );
  }
}

const isItself = (parts: PluginParts, name: string): parts is Plugin => 'name' in parts && parts.name === name;

async function madeBy(plugin: Plugin, context: PluginContext): Promise<PluginParts | undefined> {
  let made: unknown;
  try {
    made = await plugin.setup?.(context);
  } catch (error) {
    throw failed(plugin.name, 'setup', error);
  }
  // A plugin that returns itself brings nothing more.
  if (made === undefined || made === plugin) return undefined;
  if (typeof made === 'object' && made !== null) return made;
  const message = `The setup of the plugin "${plugin.name}" returned ${made === null ? 'null' : `a ${typeof made}`}: return an object with the parts that it brings, or nothing.`;
  throw new PolyphonyError('plugin-failed', message);
}

async function announce(name: string, parts: PluginParts): Promise<void> {
  try {
    await parts.ready?.();
  } catch (error) {
    throw failed(name, 'ready', error);
  }
}

/** Closes the plugins in reverse order. One that fails, or takes longer than 5 seconds, is logged, and the others are still closed. The gateway closes providers. */
export async function closeAll(hosted: readonly HostedPlugin[], { logger, clock }: Closing): Promise<void> {
  for (const { name, parts } of [...hosted].reverse()) {
    try {
      await closesInTime(clock, async () => parts.close?.());
    } catch (error) {
      logger.warn({ plugin: name, error: errorRecord(error) }, 'a plugin failed to close');
    }
  }
}

/** Calls `onEvent` of each plugin. Undefined when no plugin has one. */
export function eventListener(
  hosted: readonly HostedPlugin[],
  logger: Logger,
): ((event: RunEvent) => void) | undefined {
  const listening = hosted.filter(({ parts }) => parts.onEvent !== undefined);
  if (listening.length === 0) return undefined;
  const listeners = listening.map(({ name, parts }) => listenerOf(name, parts, logger));
  return (event) => {
    for (const listener of listeners) listener(event);
  };
}

/** What a listener does to an event must not reach the run or another listener. */
function listenerOf(plugin: string, parts: PluginParts, logger: Logger): (event: RunEvent) => void {
  const warn = ({ runId, type }: RunEvent, error: unknown): void =>
    logger.warn({ plugin, runId, event: type, error: errorRecord(error) }, 'a plugin failed to handle an event');
  const own = copies();
  return (event) => {
    try {
      const returned: unknown = parts.onEvent?.(copiedEvent(event, own));
      // Nothing waits for an async listener, but its rejection must not end the process.
      if (isThenable(returned)) void Promise.resolve(returned).then(undefined, (error: unknown) => warn(event, error));
    } catch (error) {
      warn(event, error);
    }
  };
}

/** The same store, with a key prefix per plugin. */
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
