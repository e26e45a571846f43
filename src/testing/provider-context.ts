/** The context that a gateway gives a provider with each attempt, for tests without a gateway. */
import type { Clock } from '../core/clock.ts';
import type { EndpointReport, ProviderContext, Transport } from '../core/model/provider.ts';
import { systemClock } from '../system/clock.ts';

export interface RecordedContext extends ProviderContext {
  /** Everything that was reported, in order. */
  readonly reports: readonly EndpointReport[];
}

/** `clock` defaults to the system clock, because a real transport waits in real time. */
export function providerContext(transport: Transport, clock: Clock = systemClock): RecordedContext {
  const reports: EndpointReport[] = [];
  return { transport, clock, report: (report) => void reports.push(report), reports };
}
