/**
 * What is known of a plan before it runs, as a simulation draws from it, and what the simulation reports. Times are milliseconds,
 * money is nano-dollars; null is money that nobody knows.
 */
import type { Target } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';

/** The plan as the scheduler sees it. Nodes are named by their place in `nodes`. */
export interface ForecastPlan {
  readonly nodes: readonly ForecastNode[];
}

export interface ForecastNode {
  readonly id: string;
  readonly index: number;
  readonly priority: number;
  /** Places of the nodes that it waits for. */
  readonly dependencies: readonly number[];
  /** Those of them that its references name. */
  readonly data: readonly number[];
  readonly hasFallback: boolean;
  /** Successes that it waits for; 0: all. */
  readonly quorum: number;
  /** The output of the plan reads it. */
  readonly inOutput: boolean;
  readonly finish: boolean;
  /** Undefined: it has no condition. */
  readonly when: ForecastCondition | undefined;
  /** Items of its `each`; undefined: it runs once. */
  readonly items: ForecastRange | undefined;
  /** Place of the node that it has as many items as: its own, unless it runs over the results of another `each`. */
  readonly itemsLike: number;
  /** Items at the same time, at most. */
  readonly concurrency: number;
  /** Rounds of its `repeat` at most; 1: none. */
  readonly mostRounds: number;
  /** It waits for what is outside, and takes no place among what runs at the same time. */
  readonly isOutside: boolean;
  /** `limits.seconds`; undefined: none. */
  readonly limitMs: number | undefined;
  readonly work: ForecastWork;
}

/** Nodes that ask the same question are decided together: of answers that exclude each other, one is drawn. */
export interface ForecastCondition {
  /** Names the question; each has one answer in a run. */
  readonly question: string;
  /** How many answers there are, all alike likely. */
  readonly count: number;
  /** Numbers of the answers for which the condition holds. */
  readonly answers: readonly number[];
  /** It holds for all the others instead. */
  readonly isNegated: boolean;
}

export interface ForecastRange {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

export type ForecastWork =
  /** Takes its time and costs nothing. */
  | { readonly type: 'step'; readonly ms: number; readonly isCertain: boolean }
  /** Asks models: the first, and while the score is too low the next one. */
  | { readonly type: 'models'; readonly rungs: readonly ForecastRung[]; readonly extra: ForecastExtra | undefined }
  | { readonly type: 'workflow'; readonly plan: ForecastPlan };

/** What comes on top once, such as a workflow that the model calls. */
export interface ForecastExtra {
  readonly ms: number;
  readonly nanoUsd: NanoUsd | null;
}

/** The calls at one model. */
export interface ForecastRung {
  /** Undefined: no registered model can serve it. */
  readonly target: Target | undefined;
  /** Mean time of one call, where nothing was observed. */
  readonly ms: number;
  /** Whether `ms` is a figure of the card; otherwise it is assumed for every model. */
  readonly isStated: boolean;
  /** Of the part of a call that does not depend on the length of its answer. */
  readonly fixedNanoUsd: NanoUsd | null;
  /** Of an answer of the expected length. */
  readonly answerNanoUsd: NanoUsd | null;
  /** An answer is at most this many times as long as expected. */
  readonly longest: number;
  /** Calls that are expected, and that there are at most. */
  readonly calls: number;
  readonly mostCalls: number;
}

/** What was observed of a target. */
export interface ObservedTarget {
  /** Weighted number of successful attempts. */
  readonly attempts: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Share of the attempts that failed, 0 to 1. */
  readonly errorRate: number;
}

export interface SimulateOptions {
  /** Simulated runs, 1 to 100,000. @default 1000 */
  readonly runs?: number;
  /** The same seed, plan and figures give the same report; a whole number from 0 to 4,294,967,295. @default 1 */
  readonly seed?: number;
  /** Steps at the same time, as in `run`. @default 64 */
  readonly concurrency?: number;
  /** The budget that may break, in US dollars. @default that of the plan */
  readonly usd?: number;
  /** The deadline that may break, in seconds. @default that of the plan */
  readonly seconds?: number;
}

/** How a figure is spread over the runs. */
export interface Spread {
  readonly mean: number;
  readonly least: number;
  readonly p5: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
}

export interface SimulatedNode {
  readonly id: string;
  /** Share of the runs in which it ran. */
  readonly ran: number;
  /** From its start to its end, on average of the runs in which it ran. */
  readonly meanMs: number;
  /** On average of all runs; null: a price is unknown. */
  readonly meanNanoUsd: NanoUsd | null;
  /** Share of the runs in which it stood on the critical path. */
  readonly critical: number;
  /** What the run would take less on average if the node took half its time; null: not tried, because it is rarely critical. */
  readonly savedMs: number | null;
  /** Share of the runs in which it took longer than its `limits.seconds`; null: it has none. */
  readonly overLimit: number | null;
}

export interface Simulation {
  readonly seed: number;
  readonly concurrency: number;
  /** Runs that were simulated: fewer than asked for where the work has reached its bound. */
  readonly runs: number;
  /** From the start of a run to its end. */
  readonly ms: Spread;
  /** Null: a price is unknown, of the nodes in `unpriced`. */
  readonly nanoUsd: Spread | null;
  readonly unpriced: readonly string[];
  /** Share of the runs that cost more than the budget; null: there is none, or a price is unknown. */
  readonly overBudget: { readonly nanoUsd: NanoUsd; readonly share: number } | null;
  /** Share of the runs that take longer than the deadline; null: there is none. */
  readonly overDeadline: { readonly ms: number; readonly share: number } | null;
  /** The nodes that most often decide when a run ends, in order, and the share of the runs in which it is exactly these. */
  readonly criticalPath: { readonly nodes: readonly string[]; readonly share: number };
  /** In the plan's order. */
  readonly nodes: readonly SimulatedNode[];
  /** What was observed, what cards state and what is assumed, in sentences. */
  readonly assumptions: readonly string[];
}
