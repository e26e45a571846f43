/**
 * A session stays with the target (and credential) that served it, because prompt caches live there.
 *
 * A1. A session is bound only on success, to the target that served it. A fallback takes the session with it.
 * A2. A binding moves a target to the front if it is a candidate. It never brings back an excluded target.
 * A3. A binding ends when it was not used for its time to live.
 * A4. A store that fails loses the binding, never the call.
 * A5. A session in steady use reads the store only occasionally, not on each call: a binding that this process wrote is
 *     cached for five seconds, or a quarter of the time to live. Another process's binding is seen that much later.
 * A6. A second target that was asked beside a slow one, and spoke first, does not take the session with it.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Call, Middleware, Target } from '../../core/model/model.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import { observe } from '../../kit/streams/observe.ts';
import type { Background } from '../calls/background.ts';
import { callStateOf } from '../calls/call-state.ts';

const DEFAULT_TTL_MS = 3_600_000;
const CACHED_MS = 5000;
const MAX_CACHED = 10_000;

export interface AffinityParts {
  readonly clock: Clock;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
  readonly config: () => Config;
  readonly background: Background;
}

/** A binding that this process wrote, and when (epoch milliseconds). */
interface CachedBinding {
  readonly target: Target;
  readonly at: number;
}

export function affinity(parts: AffinityParts): Middleware {
  const cache = new Map<string, CachedBinding>();
  return (call, next) => {
    const { session } = call;
    if (session === undefined || (call.purpose !== 'answer' && call.purpose !== 'planner')) return next(call);
    // A planner is chosen for planning: its session says nothing of the calls that its plan makes.
    const key = `affinity:${call.purpose === 'planner' ? 'planner' : call.request.operation}:${session}`;
    const fresh = freshOf(cache.get(key), parts);
    let served: Target | undefined;
    return observe({
      start: () => {
        const state = callStateOf(call);
        if (fresh === undefined) {
          const bound = parts.background.orAborted(bindingOf(parts, key), call.signal);
          return bound.then((target) => state.prefer(call.id, target));
        }
        state.prefer(call.id, fresh);
        return undefined;
      },
      open: () => next(call),
      event(event) {
        if (event.type === 'route') served = event.target;
        return event;
      },
      end(ending) {
        if (ending.kind !== 'done' || served === undefined || isSame(served, fresh) || strayed(call)) return ending;
        return parts.background.untilAborted(bind(parts, cache, key, served), call.signal).then(() => ending);
      },
    });
  };
}

/** A target that was slow once is still where the session's prompt cache is. */
function strayed(call: Call): boolean {
  const state = callStateOf(call);
  return state.lanes(call.id)?.winner === 'second' && state.preferred(call.id) !== undefined;
}

function freshOf(known: CachedBinding | undefined, { clock, config }: AffinityParts): Target | undefined {
  if (known === undefined) return undefined;
  const cachedMs = Math.min(CACHED_MS, (config().affinity?.ttlMs ?? DEFAULT_TTL_MS) / 4);
  return clock.now() - known.at < cachedMs ? known.target : undefined;
}

const isSame = (a: Target, b: Target | undefined): boolean =>
  b !== undefined &&
  a.provider === b.provider &&
  a.model === b.model &&
  a.region === b.region &&
  a.credential === b.credential;

async function bindingOf({ keyValue, logger }: AffinityParts, key: string): Promise<Target | undefined> {
  try {
    const value = await keyValue.get(key);
    return isTarget(value) ? value : undefined;
  } catch (error) {
    logger?.warn({ key }, `The target of a session could not be read: ${asPolyphonyError(error).message}`);
    return undefined;
  }
}

async function bind(
  { keyValue, logger, config, clock }: AffinityParts,
  cache: Map<string, CachedBinding>,
  key: string,
  target: Target,
): Promise<void> {
  const ttlMs = config().affinity?.ttlMs ?? DEFAULT_TTL_MS;
  try {
    await keyValue.set(key, target, { ttlMs });
    cache.delete(key);
    cache.set(key, { target, at: clock.now() });
    const oldest = cache.size > MAX_CACHED ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
  } catch (error) {
    logger?.warn({ key }, `The target of a session could not be saved: ${asPolyphonyError(error).message}`);
  }
}

function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null && 'provider' in value && 'model' in value;
}
