/** The parts from which the layers are built; each layer takes only what it needs. */
import type { Clock, Runtime } from '../core/clock.ts';
import type { Config } from '../core/config.ts';
import type { Call } from '../core/model/model.ts';
import type { Transport } from '../core/model/provider.ts';
import type { Logger } from '../core/plugin.ts';
import type { AttemptBook, KeyValueStore, UsageLedger } from '../core/stores.ts';
import type { Circuits } from './attempt-ring/breaker/circuits.ts';
import type { Credentials } from './attempt-ring/credentials.ts';
import type { Pacer } from './attempt-ring/limiter/pacer.ts';
import type { BatchQueue } from './batches/batches.ts';
import type { AttemptWatcher } from './calls/attempt-watcher.ts';
import type { Background } from './calls/background.ts';
import type { Candidates } from './candidates/candidates.ts';
import type { GatewayEvents } from './gateway-events.ts';
import type { Lifecycle } from './lifecycle/lifecycle.ts';
import type { AttemptLine } from './lines/attempt-line.ts';
import type { Commitments } from './money/commitments.ts';
import type { Spending } from './money/spending.ts';
import type { Routes } from './routes/routes.ts';
import type { EndpointReports } from './routing/endpoint-reports.ts';
import type { Registry } from './routing/registry.ts';
import type { RouteOptions } from './routing/route.ts';
import type { Statistics } from './routing/statistics.ts';

export interface GatewayParts {
  readonly runtime: Runtime;
  /** The clock of the runtime. */
  readonly clock: Clock;
  readonly keyValue: KeyValueStore;
  readonly ledger: UsageLedger | undefined;
  /** The book of attempts of these two stores. */
  readonly attempts: AttemptBook | undefined;
  /** No plugin stands between `budget` and `provider`. */
  readonly sendsAtOnce: () => boolean;
  readonly logger: Logger | undefined;
  /** Writes the line of an attempt. */
  readonly line: AttemptLine | undefined;
  readonly events: GatewayEvents;
  readonly transport: Transport;
  readonly statistics: Statistics;
  readonly credentials: Credentials;
  readonly background: Background;
  readonly batches: BatchQueue;
  readonly circuits: Circuits;
  readonly pacer: Pacer;
  readonly spending: Spending;
  readonly routes: Routes;
  readonly commitments: Commitments;
  readonly endpointReports: EndpointReports;
  readonly lifecycle: Lifecycle;
  readonly candidates: Candidates;
  /** They are told of each attempt that has ended. */
  readonly watchers: readonly AttemptWatcher[];
  /** The current values: both are replaced as a whole while calls are running. */
  readonly config: () => Config;
  readonly registry: () => Registry;
  /** What decides where a call goes now. */
  readonly routing: (call: Call) => RouteOptions;
}
