/** Answers repeated requests from a store, and sends one request when several callers ask the same at the same time. */
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
  timeLeftMs,
} from 'polyphony/kit';
import { type AnswerStore, createAnswerStore } from './exact-cache/answer-store.ts';
import { type Flight, startFlight } from './exact-cache/flight.ts';
import { type CacheSharing, cacheKey } from './exact-cache/key.ts';
import { asHit, cacheable, shows, storable, timeSensitive } from './exact-cache/policy.ts';

export type { CacheSharing } from './exact-cache/key.ts';

export interface ExactCacheOptions {
  /** `plugin`: memory in front of the polyphony's key-value store. Personal answers stay in memory. @default 'plugin' */
  readonly store?: 'memory' | 'plugin';
  /** Limit of answers in memory. @default 1000 */
  readonly maxEntries?: number;
  /** Limit of answers in memory, in bytes. @default 67108864 */
  readonly maxBytes?: number;
  /** How long an answer is served, in milliseconds. @default 86400000 */
  readonly ttlMs?: number;
  /** The same for questions about the present, recognised by their words; 0 never stores them. @default 60000 */
  readonly timeSensitiveMs?: number;
  /** Who may get an answer that was made for another caller. @default 'tenant' */
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
  /** Calls answered by another call that was in flight. */
  readonly coalesced: number;
  readonly misses: number;
  readonly stored: number;
}

export interface ExactCachePlugin extends Plugin {
  /** Statistics over all polyphonies that use this object; each keeps its own answers. */
  statistics(): CacheStatistics;
}

interface Cache {
  readonly options: CurrentOptions;
  readonly answers: AnswerStore;
  readonly flights: Map<string, SharedAnswer>;
  readonly counts: { -readonly [K in keyof CacheStatistics]: CacheStatistics[K] };
  readonly start: (key: string, call: Call, next: Handler) => SharedAnswer;
  /** True when the call's own deadline has passed. */
  readonly isLate: (call: Call) => boolean;
}

/** A flight and its outcome. */
interface SharedAnswer {
  readonly flight: Flight;
  readonly outcome: Outcome;
}
interface Outcome {
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

/** @throws invalid-config when a number is invalid, or when a time is given under both of its names */
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
        close: () => cache.answers.close(),
      };
    },
    statistics: () => ({ ...counts }),
  });
}

/** The cache of one polyphony. */
function openCache(settings: Cache['options'], counts: Cache['counts'], context: PluginContext): Cache {
  const { clock, logger, store, gateway } = context;
  const backing = settings.store === 'plugin' ? store : undefined;
  const { maxEntries, maxBytes } = settings;
  const answers = createAnswerStore({
    clock,
    logger,
    maxEntries,
    maxBytes,
    store: backing,
    isCurrent: (response) => gateway.isCurrent?.(response) ?? true,
  });
  const flights = new Map<string, SharedAnswer>();
  const start = (key: string, call: Call, next: Handler): SharedAnswer => {
    const outcome = { fromStore: false, kept: false };
    const open = (signal: AbortSignal) =>
      answerEvents(answers, outcome, key, call, (leading) => next({ ...leading, signal }));
    const flight: Flight = startFlight(clock, open, () => {
      if (flights.get(key)?.outcome === outcome) flights.delete(key);
    });
    const shared = { flight, outcome };
    flights.set(key, shared);
    return shared;
  };
  const isLate = (call: Call): boolean => timeLeftMs(call, clock) <= 0;
  return { options: settings, answers, flights, counts, start, isLate };
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

/** A time given under its older name, in seconds. */
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

/** The events of a flight: the stored answer, else that of the model. */
async function* answerEvents(
  answers: AnswerStore,
  outcome: Outcome,
  key: string,
  call: Call,
  next: Handler,
): AsyncGenerator<ModelEvent> {
  const stored = call.request.cache === 'refresh' ? undefined : await answers.fetch(key);
  outcome.fromStore = stored !== undefined;
  yield* stored === undefined ? next(call) : replay(stored);
}

async function* serve(cache: Cache, call: Call, next: Handler): AsyncGenerator<ModelEvent> {
  const { counts, answers, flights } = cache;
  const key = cacheKey(call, cache.options.sharing);
  const fresh = call.request.cache === 'refresh';
  const known = fresh ? undefined : answers.recall(key);
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
  const shared = cache.start(key, call, next);
  // The layers below enforce this call's own deadline, with a better message.
  const { deadline: _deadline, ...leader } = call;
  for await (const event of shared.flight.read(leader)) yield shared.outcome.fromStore ? asHit(event) : event;
  if (shared.outcome.fromStore) counts.hits += 1;
  else counts.misses += 1;
  await accept(cache, key, shared, call);
}

/**
 * Reads another call's flight. False when that call failed for reasons of its own (its budget, its deadline, its
 * caller) before anything was emitted: the first follower to notice then leads the next flight.
 */
async function* follow(
  cache: Cache,
  key: string,
  shared: SharedAnswer,
  call: Call,
): AsyncGenerator<ModelEvent, boolean> {
  let shown = false;
  try {
    for await (const event of shared.flight.read(call)) {
      shown ||= shows(event);
      yield asHit(event);
    }
  } catch (error) {
    const { code } = asPolyphonyError(error);
    const ofLeader = code === 'budget-exceeded' || code === 'timeout' || code === 'cancelled';
    const ownEnd = call.signal.aborted || cache.isLate(call);
    if (!ofLeader || shown || ownEnd) throw error;
    return false;
  }
  cache.counts[shared.outcome.fromStore ? 'hits' : 'coalesced'] += 1;
  await accept(cache, key, shared, call);
  return true;
}

/**
 * Stores an answer that a reader read to its end. A layer that blocks an answer stops at `finish` or before, so that a
 * blocked answer is never stored; a reader that stops early has the same effect.
 */
async function accept(cache: Cache, key: string, shared: SharedAnswer, call: Call): Promise<void> {
  if (shared.outcome.fromStore || shared.outcome.kept) return;
  shared.outcome.kept = true;
  const response = await collect(streamOf(shared.flight.events), { trace: { attempts: [] }, signal: call.signal });
  const { options, answers, counts } = cache;
  const ttlMs = timeSensitive(call) ? Math.min(options.timeSensitiveMs, options.ttlMs) : options.ttlMs;
  if (ttlMs === 0 || !storable(response, options)) return;
  answers.keep(key, response, ttlMs, call.request.sensitivity === 'personal');
  counts.stored += 1;
}

async function* streamOf(events: readonly ModelEvent[]): AsyncGenerator<ModelEvent> {
  yield* events;
}
