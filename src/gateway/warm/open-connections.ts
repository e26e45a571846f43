/**
 * Opens a connection to providers before the first call, by the free question whether they are available: name, TCP and TLS
 * are then done, and the first call finds the connection open. Waits for nobody; a provider that does not answer is logged.
 */
import { asPolyphonyError } from '../../core/errors.ts';
import type { GatewayParts } from '../parts.ts';

const LONGEST_MS = 10_000;

/** Returns what ends it. */
export function openConnections(
  names: readonly string[],
  { registry, transport, clock, logger }: Pick<GatewayParts, 'registry' | 'transport' | 'clock' | 'logger'>,
): () => void {
  const stop = new AbortController();
  const cancelTimer = clock.schedule(LONGEST_MS, () => stop.abort(), { background: true });
  const context = { transport, clock, report: (): void => {} };
  const asked = names.map(async (name) => {
    const provider = registry().providers.get(name);
    if (provider === undefined)
      logger?.warn({ provider: name }, `"connect" of the config names "${name}", which is no provider here.`);
    try {
      await provider?.probe?.(context, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted)
        logger?.warn(
          { provider: name, code: asPolyphonyError(error).code },
          'No connection could be opened in advance.',
        );
    }
  });
  void Promise.all(asked).then(cancelTimer);
  return () => {
    cancelTimer();
    stop.abort();
  };
}
