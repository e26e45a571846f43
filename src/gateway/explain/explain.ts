/** Says how a request would be routed now, and why. Sends nothing and changes nothing. */

import type { ExplainedTime } from '../../core/gateway/explained-route.ts';
import type { CallOptions, Candidate, ExplainedRoute, Explanation } from '../../core/gateway.ts';
import type { Call, ModelRequest } from '../../core/model/model.ts';
import { callOf } from '../calls/call.ts';
import { nameOf } from '../calls/target.ts';
import type { GatewayParts } from '../parts.ts';
import { explainedHedge } from '../request-ring/hedge/rule.ts';
import { explainedOptions } from '../route-options.ts';
import { speaks } from '../routing/arrangement/objections.ts';
import { correctedFigures, latencyOf } from '../routing/figures/posterior.ts';
import { candidateOf, type Ranker } from '../routing/rank.ts';
import type { Deployment } from '../routing/registry.ts';
import { decide, type RouteOptions, rejections } from '../routing/route.ts';
import type { Scored } from '../routing/score.ts';
import { tierWarning } from '../routing/tier.ts';
import { explainedChanges } from './explained-changes.ts';
import { paceOf } from './pace.ts';

interface Rings {
  readonly requests: { readonly names: readonly string[] };
  readonly attempts: { readonly names: readonly string[] };
  readonly network: { readonly names: readonly string[] } | undefined;
  readonly rankers: readonly Ranker[] | undefined;
}

/** A fixed id, so that a question takes no id from the runtime. */
const EXPLAINED: CallOptions = { id: 'explain' };

export function explain(
  asked: ModelRequest,
  given: CallOptions | undefined,
  { requests, attempts, network, rankers }: Rings,
  parts: GatewayParts,
): Explanation {
  const { lifecycle } = parts;
  const made = callOf(asked, { ...EXPLAINED, ...given }, true, parts.runtime);
  const { call, routed: route } = parts.routes.explained(made);
  const options = explainedOptions(parts, rankers, call);
  const { config, nowMs } = options;
  const decision = decide(options);
  const { scored, rankedBy } = decision;
  const routed = scored.map(({ deployment }) => deployment);
  const [first] = routed;
  const warning = tierWarning(options, first) ?? (first && lifecycle.explained.warning(first, nowMs));
  const hedge = explainedHedge(call, routed, config, nowMs);
  return {
    requestRing: requests.names,
    attemptRing: network === undefined ? attempts.names : [...attempts.names, ...network.names],
    candidates: scored.map((one) => explained(one, first, call, options, parts)),
    ...(rankedBy.length === 0 ? {} : { rankedBy }),
    ...(options.shifted === undefined ? {} : { shifted: [...options.shifted] }),
    rejected: rejections(options, decision),
    ...(route === undefined ? {} : { routed: withTimes(route, routed, parts) }),
    ...(call.request.limits === undefined || call.request.limits === asked.limits
      ? {}
      : { limits: call.request.limits }),
    ...(call.urgency === undefined ? {} : { batched: batchedOf(parts.batches.placeOf(call)) }),
    ...(hedge === undefined ? {} : { hedge }),
    ...(warning === undefined ? {} : { warnings: [warning] }),
  };
}

/** What was observed of the candidates of a route that limits their time, and of models that may be asked in their place. */
function withTimes(route: ExplainedRoute, candidates: readonly Deployment[], parts: GatewayParts): ExplainedRoute {
  const { routes, config } = parts;
  const { route: name } = route;
  if (name === null || config().routes?.[name]?.p95Ms === undefined) return route;
  const times: ExplainedTime[] = candidates.map(({ target }) => routes.slow.observed(name, target));
  const known = new Set(candidates.map(({ target }) => nameOf(target)));
  for (const deployment of candidates) {
    for (const { target } of standInsOf(deployment, parts)) {
      if (known.has(nameOf(target))) continue;
      known.add(nameOf(target));
      times.push({ ...routes.slow.observed(name, target), inPlaceOf: deployment.target });
    }
  }
  return { ...route, times };
}

/** The successor of a model that ends, and the candidate that is tried in its place. */
function standInsOf(deployment: Deployment, { lifecycle, candidates, registry, clock }: GatewayParts): Deployment[] {
  const isEnding = lifecycle.explained.isEnding(deployment, clock.now());
  const names = [isEnding ? lifecycle.explained.replacementOf(deployment) : undefined, candidates.besideOf(deployment)];
  return names.flatMap((name) => (name === undefined ? [] : registry().named(name)));
}

const batchedOf = (place: Deployment | { readonly live: string }): NonNullable<Explanation['batched']> =>
  'live' in place ? place : { target: place.target };

function explained(
  one: Scored,
  first: Deployment | undefined,
  call: Call,
  options: RouteOptions,
  parts: GatewayParts,
): Candidate {
  const { deployment } = one;
  const { needs, registry, config, nowMs, language, isSlow } = options;
  const notes = [
    ...parts.lifecycle.explained.notes(deployment, nowMs),
    ...parts.candidates.notes(deployment),
    ...waitNotes(deployment, options),
    ...(isSlow?.(deployment.target) === true ? ['is too slow for the route, so others come before it'] : []),
    ...(language !== undefined && !speaks(deployment, language)
      ? [`does not claim support for ${language}, which the text seems to be in`]
      : []),
  ];
  return {
    ...candidateOf(one),
    figures: correctedFigures(deployment, registry.columns, needs.choice.strengths, nowMs),
    ...explainedChanges(call.request, deployment, first, config, nowMs),
    pace: paceOf(parts, call, deployment),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** What it would wait for: of both waits the longer one counts. */
function waitNotes(deployment: Deployment, { waits, registry, nowMs }: RouteOptions): readonly string[] {
  if (waits === undefined) return [];
  const limitsMs = waits.limitsMs(deployment);
  const answers = waits.answersBefore(deployment);
  const slotMs = answers === 0 ? 0 : answers * latencyOf(deployment, registry.columns.latencies(), nowMs);
  const notes: string[] = [];
  if (slotMs > limitsMs)
    notes.push(`waits about ${Math.ceil(slotMs)} ms for a slot, all of which are taken, which counts as latency`);
  else if (limitsMs > 0)
    notes.push(`can send nothing for ${Math.ceil(limitsMs)} ms by the limits of its endpoint, which count as latency`);
  if (Number.isNaN(slotMs))
    notes.push(
      'waits for a slot, all of which are taken; how long is unknown, as its latency is, so it counts for nothing',
    );
  return notes;
}
