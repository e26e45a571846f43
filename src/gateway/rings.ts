/** Puts plugins into a ring: before a layer, in its slot (after the built-in layer) or after the slot. */
import { abortError, asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import { type Call, compose, type Handler, type Middleware, type ModelEvent } from '../core/model/model.ts';
import type { Place } from '../core/plugin.ts';
import { isObserved, observe } from '../kit/streams/observe.ts';
import { failing } from '../kit/streams/stream-head.ts';

/** A slot of a ring; without `handle` it has no built-in layer and only plugins fill it. */
export interface RingSlot<C extends Call> {
  readonly name: string;
  readonly handle?: Middleware<C> | undefined;
}

export interface PluginLayer<C extends Call> {
  readonly plugin: string;
  readonly place: Place<string>;
  readonly handle: Middleware<C>;
}

export interface Ring<C extends Call> {
  /** Outermost first: built-in layers by name, plugins as `plugin:<name>`. */
  readonly names: readonly string[];
  readonly handler: Handler<C>;
}

interface Layer<C extends Call> {
  readonly name: string;
  readonly handle: Middleware<C>;
}

/** Slots that judge or cache answers; calls that layers make themselves skip them. */
const ANSWERS_ONLY: readonly string[] = ['moderation', 'cache', 'escalation'];

/**
 * The ring with every plugin in its place; plugins with the same place keep their order. The last slot is the handler
 * itself: a plugin that names it is put directly before it.
 *
 * @throws invalid-config for a place that does not exist
 */
export function composeRing<C extends Call>(
  slots: readonly RingSlot<C>[],
  plugins: readonly PluginLayer<C>[],
  innermost: { readonly name: string; readonly handler: Handler<C> },
): Ring<C> {
  const names = [...slots.map(({ name }) => name), innermost.name];
  for (const layer of plugins) checkPlace(layer, names, innermost.name);
  const layers = slots.flatMap((slot) => layersOf(slot, plugins));
  for (const layer of plugins) if (slotOf(layer.place) === innermost.name) layers.push(pluginLayer(layer));
  return {
    names: [...layers.map(({ name }) => name), innermost.name],
    handler: compose(
      layers.map(({ handle }) => handle),
      innermost.handler,
    ),
  };
}

/** At that place, or before or after it. */
export const isEscalation = ({ place }: { readonly place: Place<string> }): boolean => slotOf(place) === 'escalation';

function slotOf(place: Place<string>): string {
  if (typeof place === 'string') return place;
  return 'before' in place ? place.before : place.after;
}

function checkPlace<C extends Call>(
  { plugin, place }: PluginLayer<C>,
  names: readonly string[],
  innermost: string,
): void {
  const slot = slotOf(place);
  const behindAll = typeof place === 'object' && 'after' in place && place.after === innermost;
  if (names.includes(slot) && !behindAll) return;
  const why = behindAll ? `no layer comes after "${slot}"` : `there is no layer "${slot}"`;
  const message = `The plugin "${plugin}" cannot be placed in the ring: ${why}. The layers are ${names.join(', ')}.`;
  throw new PolyphonyError('invalid-config', message, { details: { plugin } });
}

function layersOf<C extends Call>({ name, handle }: RingSlot<C>, plugins: readonly PluginLayer<C>[]): Layer<C>[] {
  const at = (test: (place: Place<string>) => boolean): Layer<C>[] =>
    plugins.filter(({ place }) => test(place)).map((layer) => pluginLayer(layer));
  return [
    ...at((place) => typeof place === 'object' && 'before' in place && place.before === name),
    ...(handle === undefined ? [] : [{ name, handle }]),
    ...at((place) => place === name),
    ...at((place) => typeof place === 'object' && 'after' in place && place.after === name),
  ];
}

function pluginLayer<C extends Call>({ plugin, place, handle }: PluginLayer<C>): Layer<C> {
  const guarded = guard(plugin, handle);
  const skips = typeof place === 'string' && ANSWERS_ONLY.includes(place);
  const forAnswers: Middleware<C> = (call, next) =>
    call.purpose === 'answer' || call.purpose === 'planner' ? guarded(call, next) : next(call);
  return { name: `plugin:${plugin}`, handle: skips ? forAnswers : guarded };
}

/** Names the plugin in whatever it throws that is not a PolyphonyError. Costs nothing if it returns `next(call)`. */
function guard<C extends Call>(plugin: string, handle: Middleware<C>): Middleware<C> {
  return (call, next) => {
    let inner: AsyncIterable<ModelEvent> | undefined;
    try {
      const stream = handle(call, (given) => {
        inner = next(given);
        return inner;
      });
      if (stream === inner && inner !== undefined) return stream;
      assertStream(stream);
      return isObserved(stream) ? guardedObserver(stream, plugin, call) : guarded(stream, plugin, call);
    } catch (error) {
      return failing(blamePlugin(error, plugin, call));
    }
  };
}

/** An async function in the place of an async generator is the usual mistake. */
function assertStream(returned: unknown): void {
  if (typeof returned === 'object' && returned !== null && Symbol.asyncIterator in returned) return;
  // Nobody waits for it, but what it rejects with must not end the process.
  if (returned instanceof Promise) returned.catch(() => undefined);
  const what = returned instanceof Promise ? 'a promise' : String(returned === null ? null : typeof returned);
  throw new TypeError(
    `its layer returned ${what} instead of a stream of events: return next(call), or write an async generator.`,
  );
}

/** In hook form, so that an observing plugin is read in one pass with the layers around it, or synchronously. */
function guardedObserver(stream: AsyncIterable<ModelEvent>, plugin: string, call: Call): AsyncIterable<ModelEvent> {
  return observe({
    open: () => stream,
    end: (ending) =>
      ending.kind === 'error' ? { kind: 'error', error: blamePlugin(ending.error, plugin, call) } : ending,
  });
}

function guarded(stream: AsyncIterable<ModelEvent>, plugin: string, call: Call): AsyncIterable<ModelEvent> {
  const rethrow = (error: unknown): never => {
    throw blamePlugin(error, plugin, call);
  };
  return {
    [Symbol.asyncIterator]() {
      const iterator = openedBy(stream, rethrow);
      const close = iterator.return?.bind(iterator);
      return {
        next: () => iterator.next().then(undefined, rethrow),
        return: async () => {
          await close?.().then(undefined, rethrow);
          return { value: undefined, done: true };
        },
      };
    },
  };
}

function openedBy(
  stream: AsyncIterable<ModelEvent>,
  rethrow: (error: unknown) => never,
): AsyncIterator<ModelEvent, unknown> {
  try {
    return stream[Symbol.asyncIterator]();
  } catch (error) {
    return rethrow(error);
  }
}

/** What a plugin throws, with its name. */
export function blamePlugin(error: unknown, plugin: string, call: Call): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  if (call.signal.aborted) return abortError(call.signal);
  const { message } = asPolyphonyError(error);
  return new PolyphonyError('plugin-failed', `The plugin "${plugin}" failed: ${message}`, {
    cause: error,
    details: { plugin },
  });
}
