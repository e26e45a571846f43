/** What the config keeps ready: connections before the first call, and models that would fall asleep. */

import type { Handler } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { callOf } from '../calls/call.ts';
import { withEachCredential } from '../calls/target.ts';
import type { GatewayParts } from '../parts.ts';
import { openConnections } from './open-connections.ts';
import { createWarmModels } from './warm-models.ts';

export interface Readiness {
  /** A call begins that the gateway does not make for itself. */
  called(): void;
  close(): void;
}

/** Undefined where the config names nothing. Connections are opened at once. */
export function keepReady(parts: GatewayParts, handle: Handler): Readiness | undefined {
  const { connect = [], warm } = parts.config();
  const closeConnections = connect.length === 0 ? undefined : openConnections(connect, parts);
  if (warm === undefined) return closeConnections && { called: () => {}, close: closeConnections };
  const { clock, events, config, runtime } = parts;
  const models = createWarmModels({
    clock,
    events,
    config,
    usedAt: (model) => usedAt(parts, model),
    ask(request, options) {
      const call = callOf(request, options, false, runtime);
      return collect(handle(call), call);
    },
  });
  return {
    called: () => models.called(),
    close() {
      closeConnections?.();
      models.close();
    },
  };
}

/** By the monotonic clock, whatever the credential; -Infinity: never. */
function usedAt({ registry, pacer }: GatewayParts, model: string): number {
  const targets = registry()
    .named(model)
    .flatMap(({ target, provider }) => withEachCredential(target, provider.credentials));
  return Math.max(...targets.map((target) => pacer.laneOf(target).usedAt));
}
