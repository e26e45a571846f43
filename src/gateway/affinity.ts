/**
 * A session stays with the target (and credential) that served it, because prompt caches live there.
 *
 * A1. Bound on success only, to whoever served: a fallback takes the session with it.
 * A2. A binding moves a target to the front where it is a candidate; it never brings back one that is excluded.
 * A3. It ends when it was not used for its time to live.
 * A4. A store that fails costs the binding, never the call.
 */
import type { Config } from '../core/config.ts';
import { asPolyphonyError } from '../core/errors.ts';
import type { Call, Middleware, Target } from '../core/model.ts';
import type { Logger } from '../core/plugin.ts';
import type { KeyValueStore } from '../core/stores.ts';
import { watch } from './watch.ts';

/** What failover reads: the target that served the session before. */
export interface BoundCall extends Call {
  readonly preferred?: Target;
}

const DEFAULT_TTL_SECONDS = 3600;

export interface AffinityParts {
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
  readonly config: () => Config;
}

export function affinity(parts: AffinityParts): Middleware {
  return (call, next) => {
    const { session } = call;
    if (session === undefined || (call.purpose !== 'answer' && call.purpose !== 'planner')) return next(call);
    const key = `affinity:${call.request.operation}:${session}`;
    let bound: BoundCall = call;
    let served: Target | undefined;
    return watch({
      start: () =>
        bindingOf(parts, key).then((preferred) => {
          if (preferred !== undefined) bound = { preferred, ...call };
        }),
      open: () => next(bound),
      event(event) {
        if (event.type === 'route') served = event.target;
        return event;
      },
      end: (ending) =>
        ending.kind === 'done' && served !== undefined ? bind(parts, key, served).then(() => ending) : ending,
    });
  };
}

async function bindingOf({ keyValue, logger }: AffinityParts, key: string): Promise<Target | undefined> {
  try {
    const value = await keyValue.get(key);
    return isTarget(value) ? value : undefined;
  } catch (error) {
    logger?.warn({ key }, `A session's binding could not be read: ${asPolyphonyError(error).message}`);
    return undefined;
  }
}

async function bind({ keyValue, logger, config }: AffinityParts, key: string, target: Target): Promise<void> {
  const ttlMs = (config().affinity?.ttlSeconds ?? DEFAULT_TTL_SECONDS) * 1000;
  try {
    await keyValue.set(key, target, { ttlMs });
  } catch (error) {
    logger?.warn({ key }, `A session could not be bound: ${asPolyphonyError(error).message}`);
  }
}

function isTarget(value: unknown): value is Target {
  return typeof value === 'object' && value !== null && 'provider' in value && 'model' in value;
}
