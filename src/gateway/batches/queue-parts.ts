/** What batches need of the gateway. */
import type { Runtime } from '../../core/clock.ts';
import type { KeyValueStore, UsageLedger } from '../../core/stores.ts';
import type { Credentials } from '../attempt-ring/credentials.ts';
import type { ProviderParts } from '../attempt-ring/provider.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { AttemptLine } from '../lines/attempt-line.ts';
import type { ReservationParts } from '../money/reserve-worst-case.ts';

export interface QueueParts extends ProviderParts, ReservationParts {
  readonly runtime: Runtime;
  readonly keyValue: KeyValueStore;
  readonly ledger: UsageLedger | undefined;
  readonly events: GatewayEvents;
  readonly credentials: Credentials;
  /** Writes the line of an attempt. @default nobody listens */
  readonly line?: AttemptLine | undefined;
}
