/**
 * How many requests an endpoint gets at the same time, adapted by additive increase and multiplicative decrease (Chiu and
 * Jain 1989).
 *
 * A1. Too many requests, an overload or a missing answer halves what is in use where that is more than the least, and not below it. What was sent before
 *     counts only once: it met the same overload.
 * A2. Each full round of successes adds one, up to the configured number.
 * A3. After five minutes without a further overload the configured number is back.
 * A4. An endpoint that was never overloaded costs one comparison.
 */
const FORGOTTEN_MS = 300_000;

export interface AdaptiveSlots {
  /** What may be in use now, of so many that are configured. */
  of(configured: number, now: number): number;
  /** Returns the new number where it fell, else undefined. */
  overloaded(
    state: { readonly used: number; readonly configured: number; readonly least: number; readonly sentAt: number },
    now: number,
  ): number | undefined;
  succeeded(): void;
}

export function adaptiveSlots(): AdaptiveSlots {
  let slots = Number.POSITIVE_INFINITY;
  let cutAt = Number.NEGATIVE_INFINITY;
  return {
    of(configured, now) {
      if (slots >= configured) return configured;
      if (now - cutAt < FORGOTTEN_MS) return Math.floor(slots);
      slots = Number.POSITIVE_INFINITY;
      return configured;
    },
    overloaded({ used, configured, least, sentAt }, now) {
      if (sentAt <= cutAt || used <= least) return undefined;
      cutAt = now;
      const before = Math.min(slots, configured);
      slots = Math.max(least, Math.floor(Math.min(before, used) / 2));
      return slots < before ? slots : undefined;
    },
    succeeded() {
      slots += 1 / slots;
    },
  };
}
