/**
 * Applies `retention` of the config: soon after the start, and then once a day for as long as the polyphony lives. Processes
 * over one store take turns, because the store keeps when it was last applied.
 */
import type { Config } from '../../core/config.ts';
import { errorRecord } from '../../core/errors.ts';
import { DAY_MS } from '../../core/money/calendar.ts';
import type { Logger } from '../../core/plugin.ts';
import type { PruneParts, PruneReport, PruneRequest, PruneTimes } from './prune.ts';

export interface RetentionParts extends PruneParts {
  readonly logger: Logger;
}

export interface Retention {
  prune(request: PruneRequest): Promise<PruneReport>;
  /** Call it when the config has been replaced. */
  refresh(): void;
  /** Waits for the part that is being removed. */
  close(): Promise<void>;
}

/** Not at once, so that a short command or the first calls of a server need not wait for it. */
const START_MS = 1000;
const CHECK_MS = 3_600_000;
const APPLIED_KEY = 'retention';

export function keepRetention(parts: RetentionParts): Retention {
  const { clock, config, logger } = parts;
  const end = new AbortController();
  let cancelTimer: (() => void) | undefined;
  let passing: Promise<void> | undefined;
  const schedule = (delayMs: number): void => {
    if (end.signal.aborted || config().retention === undefined) return;
    cancelTimer ??= clock.schedule(delayMs, begin, { background: true });
  };
  function begin(): void {
    cancelTimer = undefined;
    passing = pass(parts, end.signal)
      .catch((error: unknown) => {
        logger.warn(
          { error: errorRecord(error) },
          'what is older than the retention of the config could not be removed',
        );
      })
      .finally(() => {
        passing = undefined;
        schedule(CHECK_MS);
      });
  }
  const refresh = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (passing === undefined) schedule(START_MS);
  };
  refresh();
  return {
    prune: (request) => prune(parts, request),
    refresh,
    async close() {
      end.abort();
      cancelTimer?.();
      await passing;
    },
  };
}

async function prune(parts: PruneParts, request: PruneRequest): Promise<PruneReport> {
  const { pruneStores } = await import('./prune.ts');
  return pruneStores(parts, request);
}

async function pass(parts: RetentionParts, signal: AbortSignal): Promise<void> {
  const { retention } = parts.config();
  const { keyValue } = parts.stores;
  if (retention === undefined) return;
  const applied = JSON.stringify(retention);
  if ((await keyValue.get(APPLIED_KEY)) === applied || signal.aborted) return;
  await prune(parts, { before: timesOf(retention, parts.clock.now()), signal });
  if (!signal.aborted) await keyValue.set(APPLIED_KEY, applied, { ttlMs: DAY_MS });
}

function timesOf(
  { runsDays, ledgerDays, valuesDays, threadsDays, indexesDays }: NonNullable<Config['retention']>,
  nowMs: number,
): PruneTimes {
  const before = (days: number): number => nowMs - days * DAY_MS;
  return {
    ...(runsDays === undefined ? {} : { runs: before(runsDays) }),
    ...(ledgerDays === undefined ? {} : { ledger: before(ledgerDays) }),
    ...(valuesDays === undefined ? {} : { values: before(valuesDays) }),
    ...(threadsDays === undefined ? {} : { threads: before(threadsDays) }),
    ...(indexesDays === undefined ? {} : { indexes: before(indexesDays) }),
  };
}
