/** What decides where a call goes: the call itself, and the providers, the config and the time of now. */
import type { Config } from '../core/config.ts';
import type { Call, Target } from '../core/model/model.ts';
import { callStateOf } from './calls/call-state.ts';
import { withLimits } from './calls/request-limits.ts';
import type { GatewayParts } from './parts.ts';
import type { Arrangement, Trial } from './routing/arrangement/arrange.ts';
import { excludedCredentials } from './routing/arrangement/exclude.ts';
import { latencyOf } from './routing/figures/posterior.ts';
import { waitAt } from './routing/negotiation.ts';
import type { Ranker } from './routing/rank.ts';
import type { Registry } from './routing/registry.ts';
import type { RouteOptions } from './routing/route.ts';

type Rankers = readonly Ranker[] | undefined;

export const routeOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  new CallRouting(
    parts,
    rankers,
    call,
    parts.lifecycle.arrangement,
    parts.candidates.trialOf(call),
    parts.routes.slow.isLeft,
  );

/** The same for a question: nothing is told or counted because of it. */
export const explainedOptions = (parts: GatewayParts, rankers: Rankers, call: Call): RouteOptions =>
  new CallRouting(
    parts,
    rankers,
    call,
    parts.lifecycle.explained,
    parts.candidates.explainedOf(call),
    (route, target) => parts.routes.slow.observed(route, target).isLeft,
  );

/** A session goes elsewhere for a call that would wait longer: reading its prompt anew elsewhere takes seconds. */
const LONGEST_SESSION_WAIT_MS = 10_000;

/** A class: see docs/decisions/objects-of-a-call.md. */
class CallRouting implements RouteOptions {
  readonly request: RouteOptions['request'];
  readonly needs: RouteOptions['needs'];
  readonly preferred: RouteOptions['preferred'];
  readonly exclude: RouteOptions['exclude'];
  readonly order: RouteOptions['order'];
  readonly shifted: RouteOptions['shifted'];
  readonly ranking: RouteOptions['ranking'];
  readonly arrangement: Arrangement;
  readonly trial: Trial | undefined;
  readonly asked: Call;
  readonly language: RouteOptions['language'];
  readonly isSlow: RouteOptions['isSlow'];
  readonly registry: RouteOptions['registry'];
  readonly config: Config;
  readonly committed: RouteOptions['committed'];
  readonly waits: RouteOptions['waits'];
  readonly nowMs: number;
  /** Set in a copy for a request that is adapted: a copy with one more field has a form of its own each time (Node 20). */
  readonly relaxed: RouteOptions['relaxed'] = undefined;

  constructor(
    parts: GatewayParts,
    rankers: Rankers,
    call: Call,
    arrangement: Arrangement,
    trial: Trial | undefined,
    isLeft: (route: string, target: Target) => boolean,
  ) {
    const { registry, config, clock, spending, commitments } = parts;
    const state = callStateOf(call);
    const routed = state.routed(call.id);
    this.config = config();
    this.nowMs = clock.now();
    // A layer may have set a limit by its older name, or an intent.
    this.request = withLimits(call.request);
    this.needs = state.needs(call.request);
    this.registry = registry();
    this.waits = waitsFor(parts, call, this.request, this.nowMs);
    this.preferred = unlessLate(state.preferred(call.id), this.registry, this.waits, this.nowMs);
    this.exclude = call.exclude;
    this.order = call.order;
    this.shifted = spending.shifted(call);
    this.ranking = rankers && { rankers, call };
    this.arrangement = arrangement;
    this.trial = trial;
    this.asked = call;
    this.language = routed?.language;
    this.isSlow = slowFor(routed?.route, this.config, isLeft);
    this.committed = commitments.rates(this.nowMs);
  }
}

/** Undefined where nothing is known that a call would have to wait for. */
function waitsFor({ pacer, credentials }: GatewayParts, call: Call, request: Call['request'], nowMs: number) {
  const resting = credentials.resting(nowMs);
  // Asked in any case: it also forgets what is whole again.
  const mayWait = pacer.mayWait();
  if (resting === undefined && !mayWait) return undefined;
  return pacer.waits({
    call,
    request,
    resting,
    waysOf({ provider, target }) {
      const excluded = excludedCredentials(call.exclude, target);
      return credentials.states(provider, target.model, nowMs).flatMap(({ label, state, until }) => {
        if (state === 'refused' || (label !== null && excluded?.has(label) === true)) return [];
        return [{ label: label ?? undefined, restMs: until === null ? 0 : until - nowMs }];
      });
    },
  });
}

function unlessLate(
  preferred: Target | undefined,
  registry: Registry,
  waits: RouteOptions['waits'],
  nowMs: number,
): Target | undefined {
  if (preferred === undefined || waits === undefined) return preferred;
  const bound = registry.find(preferred);
  if (bound === undefined) return preferred;
  const waitMs = waitAt(waits, bound, latencyOf(bound, registry.columns.latencies(), nowMs));
  return waitMs > LONGEST_SESSION_WAIT_MS ? undefined : preferred;
}

/** Nothing is asked for a call without a route, or whose route has no limit of time. */
function slowFor(
  route: string | undefined,
  { routes }: Config,
  isLeft: (route: string, target: Target) => boolean,
): RouteOptions['isSlow'] {
  if (route === undefined || routes?.[route]?.p95Ms === undefined) return undefined;
  return (target) => isLeft(route, target);
}
