/** The batches of the config, which a store without them cannot have. */
import type { Batches } from '../../../core/gateway.ts';
import type { Polyphony } from '../../../polyphony.ts';
import { UsageError } from '../../input/exit-code.ts';

/** @throws UsageError where the config has none */
export function batchesOf({ gateway }: Polyphony): Batches {
  if (gateway.batches !== undefined) return gateway.batches;
  throw new UsageError(
    'the config has no "batches", so no call waits for one: add it, or name the config with --config',
  );
}
