/** When a refused key may be used again because a free endpoint took it: each time twice as long after the last, until it has served. */
import type { Target } from '../../core/model/model.ts';
import type { Provider } from '../../core/model/provider.ts';
import type { GatewayParts } from '../parts.ts';

const FIRST_MS = 30_000;
const LONGEST_MS = 900_000;

interface Revival {
  /** By the monotonic clock. */
  readonly at: number;
  readonly waitMs: number;
}

export interface Revivals {
  isDue(provider: string, label: string | undefined): boolean;
  revive(provider: Provider, label: string | undefined): void;
  /** The key has served. */
  answered(target: Target): void;
}

export function createRevivals({ clock, credentials }: Pick<GatewayParts, 'clock' | 'credentials'>): Revivals {
  const last = new Map<string, Revival>();
  const keyOf = (provider: string, label: string | undefined): string => `${provider}\n${label ?? ''}`;
  return {
    isDue(provider, label) {
      const known = last.get(keyOf(provider, label));
      return known === undefined || clock.monotonic() >= known.at + known.waitMs;
    },
    revive(provider, label) {
      const key = keyOf(provider.id, label);
      const waitMs = Math.min(LONGEST_MS, 2 * (last.get(key)?.waitMs ?? FIRST_MS / 2));
      last.set(key, { at: clock.monotonic(), waitMs });
      credentials.reviveOne(provider, label);
    },
    answered({ provider, credential }) {
      if (last.size > 0) last.delete(keyOf(provider, credential));
    },
  };
}
