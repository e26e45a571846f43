/**
 * Models that their provider does not know (`model-not-found`, as by 404 or 410). Each is asked after all others for a while:
 * a lone target is still tried, and an answer ends it at once. Where the provider has several credentials, all of them must
 * have been told so, because another account may have the model.
 */
import type { Clock } from '../../core/clock.ts';
import type { Config } from '../../core/config.ts';
import type { Target } from '../../core/model/model.ts';
import { nameOf } from '../calls/target.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Deployment } from '../routing/registry.ts';

const RETIRE_MS = 900_000;
const MAX_TARGETS = 4096;

interface Missing {
  /** Credentials that were told so. */
  readonly told: Set<string | undefined>;
  /** By the monotonic clock; -Infinity until all credentials were told so. */
  until: number;
}

export interface Retired {
  /** Any is asked last now, or was told once that it is not there. */
  readonly isEmpty: boolean;
  /** It is asked last now. */
  isOut(target: Target): boolean;
  notFound(deployment: Deployment, credential: string | undefined): void;
  answered(target: Target): void;
}

export function createRetired(config: () => Config, events: GatewayEvents, clock: Clock): Retired {
  const missing = new Map<string, Missing>();
  return {
    get isEmpty() {
      return missing.size === 0;
    },
    isOut(target) {
      const known = missing.get(nameOf(target));
      return known !== undefined && known.until > clock.monotonic();
    },
    notFound({ target, provider }, credential) {
      const forMs = config().lifecycle?.retireMs ?? RETIRE_MS;
      if (forMs === 0) return;
      const what = nameOf(target);
      const entry = entryOf(missing, what);
      entry.told.add(credential);
      if (!(provider.credentials ?? []).every((label) => entry.told.has(label))) return;
      const isNew = entry.until <= clock.monotonic();
      entry.until = clock.monotonic() + forMs;
      entry.told.clear();
      if (!isNew) return;
      events.tell({ type: 'model-retired', level: 'warn', what, until: clock.now() + forMs, message: gone(what) });
    },
    answered(target) {
      const what = nameOf(target);
      const entry = missing.get(what);
      if (entry === undefined) return;
      missing.delete(what);
      const message = `${what} answers: it is asked in its place again.`;
      if (Number.isFinite(entry.until)) events.tell({ type: 'model-restored', level: 'info', what, message });
    },
  };
}

const gone = (what: string): string =>
  `${what} is not known to its provider, so it is asked after all others for a while: correct its name, or remove it.`;

function entryOf(missing: Map<string, Missing>, what: string): Missing {
  const known = missing.get(what);
  if (known !== undefined) return known;
  const [oldest] = missing.keys();
  if (missing.size >= MAX_TARGETS && oldest !== undefined) missing.delete(oldest);
  const made: Missing = { told: new Set(), until: Number.NEGATIVE_INFINITY };
  missing.set(what, made);
  return made;
}
