/** Answers a request that was asked before, and asks once when several callers ask the same at the same time. */
import {
  abortError,
  asPolyphonyError,
  type Call,
  collect,
  definePlugin,
  type Handler,
  type ModelEvent,
  type Plugin,
  type PluginContext,
  PolyphonyError,
  replay,
} from 'polyphony/kit';
import { type Flight, startFlight } from './exact-cache/flight.ts';
import { type CacheSharing, cacheKey } from './exact-cache/key.ts';
import { asHit, cacheable, shows, storable, timeSensitive } from './exact-cache/policy.ts';
import { type AnswerStore, createAnswerStore } from './exact-cache/shelf.ts';

export type { CacheSharing } from './exact-cache/key.ts';

export interface ExactCacheOptions {
  /** `plugin`: memory in front of the polyphony's own key-value store. Personal answers stay in memory. @default 'plugin' */
  readonly store?: 'memory' | 'plugin';
  /** Answers in memory. @default 1000 */
  readonly maxEntries?: number;
  /** Bytes of answers in memory. @default 67108864 */
  readonly maxBytes?: number;
  /** How long an answer is served, in milliseconds. @default 86400000 */
  readonly ttlMs?: number;
  /** The same for questions about the present, by their words; 0 never serves them. @default 60000 */
  readonly timeSensitiveMs?: number;
  /** Who may get an answer that was made for somebody else. @default 'tenant' */
  readonly sharing?: CacheSharing;
  /** Cache images, and requests that set a temperature above 0 without a seed. @default false */
  readonly cacheSampled?: boolean;
  /** Cache requests that offer tools, their tool calls included. @default false */
  readonly cacheTools?: boolean;
  /** @deprecated Write `ttlMs`, in milliseconds. */
  readonly ttlSeconds?: number;
  /** @deprecated Write `timeSensitiveMs`, in milliseconds. */
  readonly timeSensitiveSeconds?: number;
}

type CurrentOptions = Required<Omit<ExactCacheOptions, 'ttlSeconds' | 'timeSensitiveSeconds'>>;

export interface CacheStatistics {
  readonly hits: number;
  /** Calls that were answered by another call in flight. */
  readonly coalesced: number;
  readonly misses: number;
  readonly stored: number;
}

export interface ExactCachePlugin extends Plugin {
  /** Of all polyphonies that this object serves; each keeps its own answers. */
  statistics(): CacheStatistics;
}

interface Cache {
  readonly options: CurrentOptions;
  readonly shelf: AnswerStore;
  readonly flights: Map<string, Journey>;
  readonly counts: { -readonly [K in keyof CacheStatistics]: CacheStatistics[K] };
  readonly start: (key: string, call: Call, next: Handler) => Journey;
  /** True when the call's own deadline has passed. */
  readonly late: (call: Call) => boolean;
}

/** A flight, and what became of it. */
interface Journey {
  readonly flight: Flight;
  readonly fate: Fate;
}
interface Fate {
  fromStore: boolean;
  kept: boolean;
}

const DEFAULTS: CurrentOptions = {
  store: 'plugin',
  maxEntries: 1000,
  maxBytes: 64 * 1024 * 1024,
  ttlMs: 86_400_000,
  timeSensitiveMs: 60_000,
  sharing: 'tenant',
  cacheSampled: false,
  cacheTools: false,
};

/** @throws invalid-config when a number is negative or no number, or when a time is given under both of its names */
export function exactCache(options: ExactCacheOptions = {}): ExactCachePlugin {
  const settings = settingsOf(options);
  const counts = { hits: 0, coalesced: 0, misses: 0, stored: 0 };
  return definePlugin({
    name: 'exact-cache',
    setup(context) {
      const cache = openCache(settings, counts, context);
      return {
        request: {
          place: 'cache',
          handle: (call, next) => (cacheable(call, settings) ? serve(cache, call, next) : next(call)),
        },
        close: () => cache.shelf.close(),
      };
    },
    statistics: () => ({ ...counts }),
  });
}

/** The cache of one polyphony. */
function openCache(settings: Cache['options'], counts: Cache['counts'], context: PluginContext): Cache {
  const { clock, logger, store } = context;
  const behind = settings.store === 'plugin' ? store : undefined;
  const { maxEntries, maxBytes } = settings;
  const shelf = createAnswerStore({ clock, logger, maxEntries, maxBytes, store: behind });
  const flights = new Map<string, Journey>();
  const start = (key: string, call: Call, next: Handler): Journey => {
    const fate = { fromStore: false, kept: false };
    const open = (signal: AbortSignal) => embark(shelf, fate, key, call, (leading) => next({ ...leading, signal }));
    const flight: Flight = startFlight(clock, open, () => {
      if (flights.get(key)?.fate === fate) flights.delete(key);
    });
    const journey = { flight, fate };
    flights.set(key, journey);
    return journey;
  };
  const late = ({ deadline }: Call): boolean => deadline !== undefined && clock.now() >= deadline;
  return { options: settings, shelf, flights, counts, start, late };
}

/** For configs that load the plugin by its path. */
export default (options?: ExactCacheOptions) => exactCache(options);

function settingsOf({ ttlSeconds, timeSensitiveSeconds, ...options }: ExactCacheOptions): CurrentOptions {
  return checked({
    ...DEFAULTS,
    ...options,
    ...current('ttl', ttlSeconds, options.ttlMs),
    ...current('timeSensitive', timeSensitiveSeconds, options.timeSensitiveMs),
  });
}

/** A time that was given by its older name, in seconds. */
function current(stem: 'ttl' | 'timeSensitive', seconds: number | undefined, ms: number | undefined): object {
  if (seconds === undefined) return {};
  if (ms === undefined) return { [`${stem}Ms`]: seconds * 1000 };
  const message = `exactCache: "${stem}Seconds" is the older name of "${stem}Ms", and both are given: leave out "${stem}Seconds".`;
  throw new PolyphonyError('invalid-config', message);
}

function checked(options: CurrentOptions): CurrentOptions {
  for (const name of ['maxEntries', 'maxBytes', 'ttlMs', 'timeSensitiveMs'] as const) {
    const value = options[name];
    const least = name === 'maxEntries' || name === 'maxBytes' ? 1 : 0;
    if (Number.isFinite(value) && value >= least) continue;
    throw new PolyphonyError('invalid-config', `exactCache: ${name} is ${value}; give a number of at least ${least}.`);
  }
  return options;
}

/** What a flight streams: the stored answer, else the model's. */
async function* embark(
  shelf: AnswerStore,
  fate: Fate,
  key: string,
  call: Call,
  next: Handler,
): AsyncGenerator<ModelEvent> {
  const stored = call.request.cache === 'refresh' ? undefined : await shelf.fetch(key);
  fate.fromStore = stored !== undefined;
  yield* stored === undefined ? next(call) : replay(stored);
}

async function* serve(cache: Cache, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const { counts, shelf, flights } = cache;
  const key = cacheKey(call, cache.options.sharing);
  const fresh = call.request.cache === 'refresh';
  const known = fresh ? undefined : shelf.recall(key);
  if (known !== undefined) {
    counts.hits += 1;
    for await (const event of replay(known)) yield asHit(event);
    return;
  }
  for (let joined = fresh ? undefined : flights.get(key); joined !== undefined; joined = flights.get(key)) {
    const answered = yield* follow(cache, key, joined, call);
    if (answered) return;
  }
  if (call.signal.aborted) throw abortError(call.signal);
  const journey = cache.start(key, call, next);
  // Its own deadline is kept by the layers below, with a better message.
  const { deadline: _deadline, ...leader } = call;
  for await (const event of journey.flight.read(leader)) yield journey.fate.fromStore ? asHit(event) : event;
  if (journey.fate.fromStore) counts.hits += 1;
  else counts.misses += 1;
  await accept(cache, key, journey, call);
}

/**
 * Reads another call's flight. False when that call failed for reasons of its own (its budget, its deadline, its
 * caller) before anything was shown: then whoever notices first leads the next flight.
 */
async function* follow(cache: Cache, key: string, journey: Journey, call: Call): AsyncGenerator<ModelEvent, boolean> {
  let shown = false;
  try {
    for await (const event of journey.flight.read(call)) {
      shown ||= shows(event);
      yield asHit(event);
    }
  } catch (error) {
    const { code } = asPolyphonyError(error);
    const ofLeader = code === 'budget-exceeded' || code === 'timeout' || code === 'cancelled';
    const ownEnd = call.signal.aborted || cache.late(call);
    if (!ofLeader || shown || ownEnd) throw error;
    return false;
  }
  cache.counts[journey.fate.fromStore ? 'hits' : 'coalesced'] += 1;
  await accept(cache, key, journey, call);
  return true;
}

/**
 * Keeps what a reader took to its very end. A layer that blocks an answer leaves at `finish` or before, so that nothing
 * blocked is ever stored; so does a reader who stops early.
 */
async function accept(cache: Cache, key: string, journey: Journey, call: Call): Promise<void> {
  if (journey.fate.fromStore || journey.fate.kept) return;
  journey.fate.kept = true;
  const response = await collect(streamOf(journey.flight.events), { trace: { attempts: [] }, signal: call.signal });
  const { options, shelf, counts } = cache;
  const ttlMs = timeSensitive(call) ? Math.min(options.timeSensitiveMs, options.ttlMs) : options.ttlMs;
  if (ttlMs === 0 || !storable(response, options)) return;
  shelf.keep(key, response, ttlMs, call.request.sensitivity === 'personal');
  counts.stored += 1;
}

async function* streamOf(events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
