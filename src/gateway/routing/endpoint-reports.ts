/**
 * The latest reports of endpoints, per target and credential: rate limits, request ids, and the models that they name.
 *
 * E1. A limit is valid until its window is reset, at most a day; a limit without a reset, for a minute. A later report replaces all limits.
 * E2. A report changes no call: invalid values are ignored, and nothing is thrown at the provider that reports, nor at who
 *     reads the health.
 * E3. At most 4096 targets are kept. Above that, only the half with the latest reports stays.
 */

import type { Clock } from '../../core/clock.ts';
import { boundedDelayMs } from '../../core/errors.ts';
import type { StatedFacts, StatedLimit } from '../../core/gateway.ts';
import type { Target } from '../../core/model/model.ts';
import type { EndpointReport, RateLimit } from '../../core/model/provider.ts';
import { statedText } from '../../core/model/stated-text.ts';
import type { NanoUsd } from '../../core/money/money.ts';

const MAX_TARGETS = 4096;
const WITHOUT_RESET_MS = 60_000;
const MAX_LIMITS = 16;

export interface EndpointReports {
  /**
   * Called by providers while an attempt is running. Stores the report, which is read only on demand; a cost above
   * `mostCost` is not believed.
   */
  record(target: Target, report: EndpointReport, mostCost: () => NanoUsd): void;
  /** The values that are valid now for the target with its credential. */
  of(target: Target): { readonly limits: readonly StatedLimit[]; readonly stated: StatedFacts | null };
}

interface LatestReport {
  at: number;
  limits: readonly RateLimit[];
  limitsAt: number;
  /** The same by the monotonic clock, which says how old they are. */
  limitsHeardMs: number;
  requestId: string | undefined;
  model: string | undefined;
  serviceTier: string | undefined;
  costNanoUsd: number | undefined;
}

const NOTHING = { limits: [], stated: null };

export function createEndpointReports(clock: Pick<Clock, 'now' | 'monotonic'>): EndpointReports {
  let latest = new Map<string, LatestReport>();
  /** The same by the objects of targets, which most calls share: a key costs as much as the rest. */
  let byTarget = new WeakMap<Target, LatestReport>();
  const entryOf = (target: Target): LatestReport => {
    const known = byTarget.get(target);
    if (known !== undefined) return known;
    const key = keyOf(target);
    const entry = latest.get(key) ?? emptyReport();
    if (latest.size >= MAX_TARGETS && !latest.has(key)) {
      latest = latestHalf(latest);
      byTarget = new WeakMap();
    }
    latest.set(key, entry);
    byTarget.set(target, entry);
    return entry;
  };
  return {
    record(target, report, mostCost) {
      try {
        const entry = entryOf(target);
        update(entry, report, clock);
        if (report.costNanoUsd !== undefined) entry.costNanoUsd = costOf(report.costNanoUsd, mostCost());
      } catch {
        // An unreadable report is ignored, because the answer matters more.
      }
    },
    of(target) {
      const known = latest.get(keyOf(target));
      return known === undefined
        ? NOTHING
        : { limits: readableLimits(known, clock.monotonic()), stated: factsOf(known) };
    },
  };
}

const keyOf = ({ provider, model, region = '', credential = '' }: Target): string =>
  `${provider}\n${model}\n${region}\n${credential}`;

const emptyReport = (): LatestReport => ({
  at: 0,
  limits: [],
  limitsAt: 0,
  limitsHeardMs: 0,
  requestId: undefined,
  model: undefined,
  serviceTier: undefined,
  costNanoUsd: undefined,
});

const latestHalf = (reports: ReadonlyMap<string, LatestReport>): Map<string, LatestReport> =>
  new Map([...reports].sort(([, a], [, b]) => b.at - a.at).slice(0, MAX_TARGETS / 2));

function update(entry: LatestReport, report: EndpointReport, clock: Pick<Clock, 'now' | 'monotonic'>): void {
  const { rateLimits, requestId, model, serviceTier } = report;
  const at = clock.now();
  entry.at = at;
  if (rateLimits !== undefined) {
    entry.limits =
      Array.isArray(rateLimits) && rateLimits.length > MAX_LIMITS ? rateLimits.slice(0, MAX_LIMITS) : rateLimits;
    entry.limitsAt = at;
    entry.limitsHeardMs = clock.monotonic();
  }
  if (requestId !== undefined) entry.requestId = requestId;
  if (model !== undefined) entry.model = model;
  if (serviceTier !== undefined) entry.serviceTier = serviceTier;
}

/** Providers are plugins, so their reports are untrusted: one that cannot be read must not hide the health of the others. */
function readableLimits(known: LatestReport, nowMs: number): readonly StatedLimit[] {
  try {
    return limitsOf(known, nowMs);
  } catch {
    return [];
  }
}

function limitsOf({ limits, limitsAt, limitsHeardMs }: LatestReport, nowMs: number): readonly StatedLimit[] {
  if (!Array.isArray(limits)) return [];
  const stated: StatedLimit[] = [];
  for (const limit of limits.slice(0, MAX_LIMITS) as readonly (Partial<RateLimit> | null)[]) {
    if (limit?.kind !== 'requests' && limit?.kind !== 'tokens') continue;
    const resetMs = boundedDelayMs(countOf(limit.resetMs)) ?? null;
    if (nowMs >= limitsHeardMs + (resetMs ?? WITHOUT_RESET_MS)) continue;
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

function factsOf({ requestId, model, serviceTier, costNanoUsd, at }: LatestReport): StatedFacts | null {
  const facts: { -readonly [Field in keyof StatedFacts]: StatedFacts[Field] } = { statedAt: at };
  const [id, name, tier] = [statedText(requestId), statedText(model), statedText(serviceTier)];
  if (id !== undefined) facts.requestId = id;
  if (name !== undefined) facts.model = name;
  if (tier !== undefined) facts.serviceTier = tier;
  if (costNanoUsd !== undefined) facts.costNanoUsd = costNanoUsd;
  return Object.keys(facts).length === 1 ? null : facts;
}

const countOf = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;

/** A whole number of nano-dollars; undefined, which is unknown, for what cannot be a cost of the request. */
function costOf(value: unknown, most: NanoUsd): NanoUsd | undefined {
  const cost = countOf(value);
  return cost === null || cost > most ? undefined : Math.ceil(cost);
}
