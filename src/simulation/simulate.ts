/** Many runs of a plan on a virtual clock, without a call: how long they take, what they cost and what decides it. */
import { PolyphonyError } from '../core/errors.ts';
import { type NanoUsd, usdToNano } from '../core/money/money.ts';
import type { ForecastPlan, SimulatedNode, SimulateOptions, Simulation } from '../core/run/simulation.ts';
import { MOST_RUNS, MOST_UNITS, TRIED_NODES, TRIED_RUNS } from './assumed.ts';
import { assumptionsOf } from './assumptions-text.ts';
import { mixed } from './draws.ts';
import { simulateOnce } from './machine.ts';
import { type PreparedPlan, preparer } from './prepared.ts';
import type { ObservedOf } from './samplers.ts';
import { shareAbove, spreadOf, wholeSpread } from './spread.ts';
import type { MakeQueue } from './state.ts';
import { addOutcome, createTally, type Tally } from './tally.ts';

export interface SimulationParts {
  /** The queue of the scheduler. */
  readonly makeQueue: MakeQueue;
  readonly observedOf: ObservedOf;
  /** Steps at the same time where the options say nothing. */
  readonly concurrency: number;
  /** Nodes, items and rounds of all runs together. @default MOST_UNITS */
  readonly mostUnits?: number;
  /** The caps of the plan itself. */
  readonly budget?: { readonly usd?: number; readonly seconds?: number } | undefined;
}

/**
 * Simulates the plan. The same plan, figures and seed give the same report.
 *
 * @throws invalid-request for an option out of its bounds; limit-exceeded when one run starts too many units
 */
export function simulate(plan: ForecastPlan, parts: SimulationParts, options: SimulateOptions = {}): Simulation {
  const { runs = 1000, seed = 1, concurrency = parts.concurrency } = options;
  assertWhole('runs', runs, 1, MOST_RUNS);
  assertWhole('seed', seed, 0, 0xffffffff);
  assertWhole('concurrency', concurrency, 1, 1_000_000);
  assertPositive('usd', options.usd);
  assertPositive('seconds', options.seconds);
  const prepared = preparer(parts.observedOf)(plan);
  const { makeQueue, mostUnits = MOST_UNITS } = parts;
  const running = { makeQueue, mostUnits, seed, concurrency };
  const all = runAll(prepared, runs, running);
  const caps = { usd: options.usd ?? parts.budget?.usd, seconds: options.seconds ?? parts.budget?.seconds };
  const spread = spreadOf(all.ms.slice());
  const saved = savedOf(prepared, running, all);
  const nodes = plan.nodes.map(({ id, limitMs }, place) =>
    nodeOf(id, limitMs !== undefined, all, place, saved.get(place) ?? null),
  );
  const isPriced = !all.nanoUsd.some(Number.isNaN);
  return {
    seed,
    concurrency,
    runs: all.runs,
    ms: spread,
    nanoUsd: isPriced ? wholeSpread(spreadOf(all.nanoUsd.slice())) : null,
    unpriced: nodes.filter(({ meanNanoUsd }) => meanNanoUsd === null).map(({ id }) => id),
    overBudget: isPriced ? overBudget(all.nanoUsd, caps.usd) : null,
    overDeadline:
      caps.seconds === undefined ? null : { ms: caps.seconds * 1000, share: shareAbove(all.ms, caps.seconds * 1000) },
    criticalPath: usualPath(all, plan),
    nodes,
    assumptions: assumptionsOf(plan, parts.observedOf, all.runs < runs ? runs : undefined),
  };
}

interface Running {
  readonly makeQueue: MakeQueue;
  readonly mostUnits: number;
  readonly seed: number;
  readonly concurrency: number;
}

interface All {
  /** Runs that were simulated. */
  readonly runs: number;
  readonly ms: Float64Array;
  /** NaN: a price is unknown. */
  readonly nanoUsd: Float64Array;
  readonly tally: Tally;
  readonly units: number;
}

function runAll(plan: PreparedPlan, runs: number, { makeQueue, mostUnits, seed, concurrency }: Running): All {
  const ms = new Float64Array(runs);
  const nanoUsd = new Float64Array(runs);
  const tally = createTally(plan.nodes.length);
  let done = 0;
  let units = 0;
  while (done < runs && units < mostUnits) {
    const outcome = simulateOnce(plan, makeQueue, { seed: mixed(seed, done), concurrency, mostUnits });
    ms[done] = outcome.ms;
    nanoUsd[done] = addOutcome(tally, outcome);
    units += outcome.units;
    done += 1;
  }
  return { runs: done, ms: ms.subarray(0, done), nanoUsd: nanoUsd.subarray(0, done), tally, units };
}

/** What each node that is often critical saves at twice its speed: the same runs again, with the same draws. */
function savedOf(
  plan: PreparedPlan,
  { makeQueue, mostUnits, seed, concurrency }: Running,
  { tally, ms, runs, units }: All,
): Map<number, number> {
  const perRun = Math.max(1, units / runs);
  const tried = Math.max(1, Math.min(runs, TRIED_RUNS, Math.floor(mostUnits / (TRIED_NODES * perRun))));
  const places = tally.nodes
    .map(({ critical, ms: total }, place) => ({ place, critical, total }))
    .filter(({ critical }) => critical > 0)
    .sort((a, b) => b.critical * b.total - a.critical * a.total || a.place - b.place)
    .slice(0, TRIED_NODES);
  const saved = new Map<number, number>();
  for (const { place } of places) {
    let sum = 0;
    for (let run = 0; run < tried; run += 1) {
      const options = { seed: mixed(seed, run), concurrency, mostUnits, sped: { place, factor: 0.5 } };
      sum += (ms[run] ?? 0) - simulateOnce(plan, makeQueue, options).ms;
    }
    saved.set(place, sum / tried);
  }
  return saved;
}

function nodeOf(id: string, isLimited: boolean, all: All, place: number, savedMs: number | null): SimulatedNode {
  const { ran = 0, ms = 0, nanoUsd = 0, critical = 0, overLimit = 0 } = all.tally.nodes[place] ?? {};
  return {
    id,
    ran: ran / all.runs,
    meanMs: ran === 0 ? 0 : ms / ran,
    meanNanoUsd: Number.isNaN(nanoUsd) ? null : Math.round(nanoUsd / all.runs),
    critical: critical / all.runs,
    savedMs,
    overLimit: isLimited ? overLimit / all.runs : null,
  };
}

function overBudget(nanoUsd: Float64Array, usd: number | undefined): Simulation['overBudget'] {
  if (usd === undefined) return null;
  const cap: NanoUsd = usdToNano(Math.min(usd, 9_000_000));
  return { nanoUsd: cap, share: shareAbove(nanoUsd, cap) };
}

function usualPath({ tally, runs }: All, plan: ForecastPlan): Simulation['criticalPath'] {
  let best: { places: readonly number[]; count: number } = { places: [], count: 0 };
  for (const path of tally.paths.values()) if (path.count > best.count) best = path;
  return { nodes: best.places.map((place) => plan.nodes[place]?.id ?? ''), share: best.count / runs };
}

function assertWhole(name: string, value: unknown, least: number, most: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return;
  const message = `${name} is a whole number from ${least} to ${most}, not ${String(value)}: change it.`;
  throw new PolyphonyError('invalid-request', message);
}

function assertPositive(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)) return;
  throw new PolyphonyError('invalid-request', `${name} is a number of at least 0, not ${String(value)}: change it.`);
}
