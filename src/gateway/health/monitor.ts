/** What is found out about the health of providers and workflows: outages, probes, changes. */

import type { ProbeReport } from '../../core/gateway/probe-report.ts';
import type { Handler, Scope } from '../../core/model/model.ts';
import type { AttemptWatcher } from '../calls/attempt-watcher.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Deployment } from '../routing/registry.ts';
import { createChanges } from './changes.ts';
import { createOutages } from './outages.ts';
import { createProbes, type ProbeParts } from './probes.ts';

const ALERT_TAG = 'workflow';

export interface HealthMonitor {
  readonly watchers: readonly AttemptWatcher[];
  isUnwell(deployment: Deployment): boolean;
  /** A score of an answer was reported. */
  scored(scopes: readonly Scope[], score: number): void;
  /** The config is another one. */
  configured(): void;
  probe(): Promise<readonly ProbeReport[]>;
  close(): Promise<unknown>;
}

export function createHealthMonitor(
  parts: ProbeParts & { readonly events: GatewayEvents },
  router: () => Handler,
): HealthMonitor {
  const { clock, events, config } = parts;
  const outages = createOutages(clock, events);
  const probes = createProbes(parts, outages, router);
  const changes = createChanges(clock, events);
  const workflowOf = (scopes: readonly Scope[]): string => {
    const prefix = `${config().health?.alertTag ?? ALERT_TAG}=`;
    return scopes.find(({ kind, id }) => kind === 'tag' && id.startsWith(prefix))?.id.slice(prefix.length) ?? '';
  };
  const figures: AttemptWatcher = {
    ended({ scopes, purpose }, { outcome, error, finish, totalMs }) {
      if (config().health?.alerts !== true || purpose !== 'answer') return;
      const workflow = workflowOf(scopes);
      // Some providers refuse by an error, before there is an answer.
      if (error?.code === 'content-policy') changes.take(workflow, 'refusals', 1);
      if (outcome !== 'ok' || finish === undefined) return;
      changes.take(workflow, 'latency', totalMs);
      const isRefusal = finish.refusal !== undefined || finish.reason === 'content-filter';
      changes.take(workflow, 'refusals', isRefusal ? 1 : 0);
    },
  };
  return {
    watchers: [outages, probes, figures],
    isUnwell: ({ target }) => outages.isAvoided(target),
    scored(scopes, score) {
      if (config().health?.alerts === true) changes.take(workflowOf(scopes), 'quality', score);
    },
    configured: probes.begin,
    probe: probes.all,
    close: probes.close,
  };
}
