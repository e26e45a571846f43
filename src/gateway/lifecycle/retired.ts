/**
 * Models that their provider does not know (`model-not-found`, as by 404 or 410). Each is asked after all others for a while:
 * a lone target is still tried, and an answer ends it at once. Where the provider has several credentials, all of them must
 * have been told so, because another account may have the model.
 */
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
  /** Epoch milliseconds; 0 until all credentials were told so. */
  until: number;
}

export interface Retired {
  /** Any is asked last now, or was told once that it is not there. */
  readonly isEmpty: boolean;
  /** Epoch milliseconds until which it is asked last; undefined where it is asked in its place. */
  until(target: Target, nowMs: number): number | undefined;
  notFound(deployment: Deployment, credential: string | undefined, nowMs: number): void;
  answered(target: Target): void;
}

export function createRetired(config: () => Config, events: GatewayEvents): Retired {
  const missing = new Map<string, Missing>();
  return {
    get isEmpty() {
      return missing.size === 0;
    },
    until(target, nowMs) {
      const until = missing.get(nameOf(target))?.until ?? 0;
      return until > nowMs ? until : undefined;
    },
    notFound({ target, provider }, credential, nowMs) {
      const forMs = config().lifecycle?.retireMs ?? RETIRE_MS;
      if (forMs === 0) return;
      const what = nameOf(target);
      const entry = entryOf(missing, what);
      entry.told.add(credential);
      if (!(provider.credentials ?? []).every((label) => entry.told.has(label))) return;
      const isNew = entry.until <= nowMs;
      entry.until = nowMs + forMs;
      entry.told.clear();
      if (isNew) events.tell({ type: 'model-retired', level: 'warn', what, until: entry.until, message: gone(what) });
    },
    answered(target) {
      const what = nameOf(target);
      const entry = missing.get(what);
      if (entry === undefined) return;
      missing.delete(what);
      const message = `${what} answers: it is asked in its place again.`;
      if (entry.until > 0) events.tell({ type: 'model-restored', level: 'info', what, message });
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
  const made: Missing = { told: new Set(), until: 0 };
  missing.set(what, made);
  return made;
}
