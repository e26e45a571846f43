/**
 * Asks all hosted models again and again, such as weekly, in a process that stays up.
 *
 * W4. A sweep is due so long after the last one, of whatever process that shares the store; without one, so long after the first
 *     process that would have made one.
 * W5. There is a timer only where the config has `health.sweep`, from the first call of the process on, or from the start with
 *     `health.probe: true`. None keeps a process alive, none is left at `close`, and what is under way is cancelled.
 * W6. A process that has just begun asks no model: most processes end before all have answered.
 */
import { errorRecord } from '../../core/errors.ts';
import type { SweepConfig } from '../../core/settings/health-config.ts';
import type { GatewayParts } from '../parts.ts';
import { type SweepParts, sweep } from './sweep.ts';

const WEEK_MS = 604_800_000;
const LEAST_UP_MS = 600_000;
const KEY = 'gateway:sweep';

export interface Sweeps {
  /** A call of the process begins. */
  called(): void;
  close(): void;
}

export function createSweeps(
  parts: SweepParts & Pick<GatewayParts, 'clock'>,
  { everyMs = WEEK_MS, usd }: SweepConfig,
): Sweeps {
  const { clock, keyValue, logger } = parts;
  const stop = new AbortController();
  const { signal } = stop;
  let isBegun = false;
  let cancel: (() => void) | undefined;
  /** Epoch milliseconds of the last sweep; a clock that was set back makes it no later than now. */
  const lastAt = async (): Promise<number> => {
    const kept = await keyValue.get(KEY);
    if (typeof kept === 'number') return Math.min(kept, clock.now());
    const now = clock.now();
    await keyValue.set(KEY, now);
    return now;
  };
  const tick = async (): Promise<void> => {
    const last = await lastAt();
    if (signal.aborted || last + everyMs > clock.now()) return;
    // Written before the first question, so that no other process asks the same; those that read it before share the money.
    await keyValue.set(KEY, clock.now());
    await sweep(parts, { usd, id: `health-sweep:${last}`, signal });
  };
  const schedule = async (): Promise<void> => {
    const waitMs = (await lastAt()) + everyMs - clock.now();
    if (signal.aborted) return;
    cancel = clock.schedule(Math.max(LEAST_UP_MS, waitMs), () => void round(tick), { background: true });
  };
  const round = async (work?: () => Promise<void>): Promise<void> => {
    try {
      await work?.();
      await schedule();
    } catch (error) {
      if (signal.aborted) return;
      logger?.warn({ error: errorRecord(error) }, 'Hosted models could not be asked, which is tried again.');
      cancel = clock.schedule(LEAST_UP_MS, () => void round(tick), { background: true });
    }
  };
  return {
    called() {
      if (isBegun) return;
      isBegun = true;
      void round();
    },
    close() {
      stop.abort();
      cancel?.();
    },
  };
}
