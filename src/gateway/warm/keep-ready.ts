/** What the config keeps ready: connections before the first call, models that would fall asleep, and what is known of all models. */

import type { Handler } from '../../core/model/model.ts';
import { collect } from '../../core/model/response.ts';
import { callOf } from '../calls/call.ts';
import { withEachCredential } from '../calls/target.ts';
import { createSweeps } from '../health/sweeps.ts';
import type { GatewayParts } from '../parts.ts';
import { openConnections } from './open-connections.ts';
import { createWarmModels, type WarmModels } from './warm-models.ts';

export interface Readiness {
  /** A call begins that the gateway does not make for itself. */
  called(): void;
  close(): void;
}

/** Undefined where the config names nothing. Connections are opened at once. */
export function keepReady(parts: GatewayParts, handle: Handler): Readiness | undefined {
  const { connect = [], warm, health } = parts.config();
  const closeConnections = connect.length === 0 ? undefined : openConnections(connect, parts);
  const models = warm && warmModels(parts, handle);
  const { clock, events, keyValue, logger, registry, runtime } = parts;
  const sweeping = { clock, events, keyValue, logger, registry, runtime, handle };
  const sweeps = health?.sweep && createSweeps(sweeping, health.sweep);
  if (health?.probe === true) sweeps?.called();
  if (closeConnections === undefined && models === undefined && sweeps === undefined) return undefined;
  return {
    called() {
      models?.called();
      sweeps?.called();
    },
    close() {
      closeConnections?.();
      models?.close();
      sweeps?.close();
    },
  };
}

function warmModels(parts: GatewayParts, handle: Handler): WarmModels {
  const { clock, events, config, runtime } = parts;
  return createWarmModels({
    clock,
    events,
    config,
    usedAt: (model) => usedAt(parts, model),
    ask(request, options) {
      const call = callOf(request, options, false, runtime);
      return collect(handle(call), call);
    },
  });
}

/** By the monotonic clock, whatever the credential; -Infinity: never. */
function usedAt({ registry, pacer }: GatewayParts, model: string): number {
  const targets = registry()
    .named(model)
    .flatMap(({ target, provider }) => withEachCredential(target, provider.credentials));
  return Math.max(...targets.map((target) => pacer.laneOf(target).usedAt));
}
