/**
 * What endpoints stated last, per target and credential: their limits, ids of requests, the models that they report.
 *
 * E1. A limit holds until its window is reset, one without a reset for a minute. A later statement replaces all of them.
 * E2. A report changes no call: what cannot be read is left out, and nothing is thrown at the provider that reports.
 * E3. At most 4096 targets are kept; above that, the half that was heard of last.
 */
import type { Clock } from '../../core/clock.ts';
import type { StatedFacts, StatedLimit } from '../../core/gateway.ts';
import type { Target } from '../../core/model/model.ts';
import type { EndpointReport, RateLimit } from '../../core/model/provider.ts';
import { scrubText } from '../../system/scrub.ts';

const MAX_TARGETS = 4096;
const WITHOUT_RESET_MS = 60_000;
/** Longer texts are no ids and no names. */
const MAX_CHARACTERS = 200;
const MAX_LIMITS = 16;

export interface EndpointReports {
  /** Called by providers while an attempt is under way: keeps what was said and reads it when it is asked for. */
  hear(target: Target, report: EndpointReport): void;
  /** What holds now for the target, its credential included. */
  of(target: Target): { readonly limits: readonly StatedLimit[]; readonly stated: StatedFacts | null };
}

interface Heard {
  at: number;
  limits: readonly RateLimit[];
  limitsAt: number;
  requestId: string | undefined;
  model: string | undefined;
  serviceTier: string | undefined;
  costNanoUsd: number | undefined;
}

const NOTHING = { limits: [], stated: null };

export function createEndpointReports(clock: Pick<Clock, 'now'>): EndpointReports {
  let heard = new Map<string, Heard>();
  const entryOf = (target: Target): Heard => {
    const key = keyOf(target);
    const known = heard.get(key);
    if (known !== undefined) return known;
    if (heard.size >= MAX_TARGETS) heard = lastHeard(heard);
    const made = newHeard();
    heard.set(key, made);
    return made;
  };
  return {
    hear(target, report) {
      try {
        note(entryOf(target), report, clock.now());
      } catch {
        // A report that cannot be read is none: the answer beside it counts.
      }
    },
    of(target) {
      const known = heard.get(keyOf(target));
      return known === undefined ? NOTHING : { limits: limitsOf(known, clock.now()), stated: factsOf(known) };
    },
  };
}

const keyOf = ({ provider, model, region = '', credential = '' }: Target): string =>
  `${provider}\n${model}\n${region}\n${credential}`;

const newHeard = (): Heard => ({
  at: 0,
  limits: [],
  limitsAt: 0,
  requestId: undefined,
  model: undefined,
  serviceTier: undefined,
  costNanoUsd: undefined,
});

const lastHeard = (heard: ReadonlyMap<string, Heard>): Map<string, Heard> =>
  new Map([...heard].sort(([, a], [, b]) => b.at - a.at).slice(0, MAX_TARGETS / 2));

function note(
  entry: Heard,
  { rateLimits, requestId, model, serviceTier, costNanoUsd }: EndpointReport,
  at: number,
): void {
  entry.at = at;
  if (rateLimits !== undefined) {
    entry.limits = rateLimits;
    entry.limitsAt = at;
  }
  if (requestId !== undefined) entry.requestId = requestId;
  if (model !== undefined) entry.model = model;
  if (serviceTier !== undefined) entry.serviceTier = serviceTier;
  if (costNanoUsd !== undefined) entry.costNanoUsd = costNanoUsd;
}

/** Providers are plugins: what they report is read as untrusted. */
function limitsOf({ limits, limitsAt }: Heard, nowMs: number): readonly StatedLimit[] {
  if (!Array.isArray(limits)) return [];
  const stated: StatedLimit[] = [];
  for (const limit of limits.slice(0, MAX_LIMITS) as readonly (Partial<RateLimit> | null)[]) {
    if (limit?.kind !== 'requests' && limit?.kind !== 'tokens') continue;
    const resetMs = countOf(limit.resetMs);
    if (nowMs >= limitsAt + (resetMs ?? WITHOUT_RESET_MS)) continue;
    stated.push({
      kind: limit.kind,
      limit: countOf(limit.limit),
      remaining: countOf(limit.remaining),
      resetsAt: resetMs === null ? null : limitsAt + resetMs,
      statedAt: limitsAt,
    });
  }
  return stated;
}

function factsOf({ requestId, model, serviceTier, costNanoUsd, at }: Heard): StatedFacts | null {
  const facts: { -readonly [Field in keyof StatedFacts]: StatedFacts[Field] } = { statedAt: at };
  const [id, name, tier, cost] = [textOf(requestId), textOf(model), textOf(serviceTier), countOf(costNanoUsd)];
  if (id !== undefined) facts.requestId = id;
  if (name !== undefined) facts.model = name;
  if (tier !== undefined) facts.serviceTier = tier;
  if (cost !== null) facts.costNanoUsd = cost;
  return Object.keys(facts).length === 1 ? null : facts;
}

const countOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? scrubText(value).slice(0, MAX_CHARACTERS) : undefined;
