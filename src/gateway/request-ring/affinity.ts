/**
 * A session stays with the target (and credential) that served it, because prompt caches live there.
 *
 * A1. A session is bound only on success, to the target that served it. A fallback takes the session with it.
 * A2. A binding moves a target to the front if it is a candidate. It never brings back an excluded target.
 * A3. A binding ends when it was not used for its time to live.
 * A4. A store that fails loses the binding, never the call.
 * A5. A session in steady use reads the store only occasionally, not on each call: a binding that this process wrote is
 *     cached for five seconds, or a quarter of the time to live. Another process's binding is seen that much later.
 * A6. A binding to a version that the target has moved away from is void, because the prompt cache went with it.
 * A7. A second target that was asked beside a slow one, and spoke first, does not take the session with it.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Call, Handler, Middleware, ModelEvent, Target } from '../../core/model/model.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import { hooksOf, observeBy, type StreamEnding, type StreamObserver } from '../../kit/streams/observe.ts';
import type { Background } from '../calls/background.ts';
import { callStateOf } from '../calls/call-state.ts';
import type { Lifecycle } from '../lifecycle/lifecycle.ts';
import type { Stated } from '../lifecycle/versions.ts';

const DEFAULT_TTL_MS = 3_600_000;
const CACHED_MS = 5000;
const MAX_CACHED = 10_000;
const UNSTATED: Stated = {};

export interface AffinityParts {
  readonly clock: Clock;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
  readonly config: () => Config;
  readonly background: Background;
  readonly lifecycle: Pick<Lifecycle, 'versions'>;
}

/** A target, and the version of it that answered, as its endpoint stated it. */
interface Binding {
  readonly target: Target;
  readonly stated: Stated;
}

/** A binding that this process wrote, and when, by the monotonic clock. */
interface CachedBinding extends Binding {
  readonly at: number;
}

type Bindings = Map<string, CachedBinding>;

export function affinity(parts: AffinityParts): Middleware {
  const cache: Bindings = new Map();
  return (call, next) => {
    const { session } = call;
    if (session === undefined || (call.purpose !== 'answer' && call.purpose !== 'planner')) return next(call);
    return observeBy(HOOKS, new SessionWatcher(parts, cache, session, call, next));
  };
}

/** A class because there is one per call: closures would cost time, methods do not. */
class SessionWatcher implements StreamObserver {
  readonly #parts: AffinityParts;
  readonly #cache: Bindings;
  readonly #key: string;
  readonly #call: Call;
  readonly #next: Handler;
  readonly #fresh: Target | undefined;
  #served: Target | undefined;
  #stated = UNSTATED;

  constructor(parts: AffinityParts, cache: Bindings, session: string, call: Call, next: Handler) {
    this.#parts = parts;
    this.#cache = cache;
    // A planner is chosen for planning: its session says nothing of the calls that its plan makes.
    this.#key = `affinity:${call.purpose === 'planner' ? 'planner' : call.request.operation}:${session}`;
    this.#call = call;
    this.#next = next;
    this.#fresh = freshOf(cache.get(this.#key), parts);
  }

  start(): Promise<void> | undefined {
    const { id, signal } = this.#call;
    const state = callStateOf(this.#call);
    if (this.#fresh === undefined) {
      const bound = this.#parts.background.orAborted(bindingOf(this.#parts, this.#key), signal);
      return bound.then((target) => state.prefer(id, target));
    }
    state.prefer(id, this.#fresh);
    return undefined;
  }

  open(): AsyncIterable<ModelEvent> {
    return this.#next(this.#call);
  }

  event(event: ModelEvent): ModelEvent {
    if (event.type === 'route') this.#served = event.target;
    else if (event.type === 'finish') this.#stated = event;
    return event;
  }

  end(ending: StreamEnding): StreamEnding | Promise<StreamEnding> {
    const served = this.#served;
    if (ending.kind !== 'done' || served === undefined || isSame(served, this.#fresh) || strayed(this.#call))
      return ending;
    const { model, fingerprint } = this.#stated;
    const binding: Binding = { target: served, stated: defined({ model, fingerprint }) };
    const bound = bind(this.#parts, this.#cache, this.#key, binding);
    return this.#parts.background.untilAborted(bound, this.#call.signal).then(() => ending);
  }
}

const HOOKS = hooksOf(SessionWatcher.prototype, false);

/** A target that was slow once is still where the session's prompt cache is. */
function strayed(call: Call): boolean {
  const state = callStateOf(call);
  return state.lanes(call.id)?.winner === 'second' && state.preferred(call.id) !== undefined;
}

function freshOf(known: CachedBinding | undefined, { clock, config, lifecycle }: AffinityParts): Target | undefined {
  if (known === undefined || !lifecycle.versions.isCurrent(known.target, known.stated)) return undefined;
  const cachedMs = Math.min(CACHED_MS, (config().affinity?.ttlMs ?? DEFAULT_TTL_MS) / 4);
  return clock.monotonic() - known.at < cachedMs ? known.target : undefined;
}

const isSame = (a: Target, b: Target | undefined): boolean =>
  b !== undefined &&
  a.provider === b.provider &&
  a.model === b.model &&
  a.region === b.region &&
  a.credential === b.credential;

async function bindingOf({ keyValue, logger, lifecycle }: AffinityParts, key: string): Promise<Target | undefined> {
  try {
    const value = await keyValue.get(key);
    if (!isTarget(value)) return undefined;
    const { stated = UNSTATED, ...target } = value;
    return lifecycle.versions.isCurrent(target, stated) ? target : undefined;
  } catch (error) {
    logger?.warn({ key }, `The target of a session could not be read: ${asPolyphonyError(error).message}`);
    return undefined;
  }
}

async function bind(
  { keyValue, logger, config, clock }: AffinityParts,
  cache: Bindings,
  key: string,
  binding: Binding,
): Promise<void> {
  const ttlMs = config().affinity?.ttlMs ?? DEFAULT_TTL_MS;
  try {
    await keyValue.set(key, { ...binding.target, stated: binding.stated }, { ttlMs });
    cache.delete(key);
    cache.set(key, { ...binding, at: clock.monotonic() });
    const oldest = cache.size > MAX_CACHED ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
  } catch (error) {
    logger?.warn({ key }, `The target of a session could not be saved: ${asPolyphonyError(error).message}`);
  }
}

/** An older binding has no version. */
function isTarget(value: unknown): value is Target & { readonly stated?: Stated } {
  return typeof value === 'object' && value !== null && 'provider' in value && 'model' in value;
}
