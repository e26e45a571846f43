/** The state of one simulated run, with the runs nested in it. */
import type { Random } from '../core/clock.ts';
import type { PreparedNode, PreparedPlan } from './prepared.ts';

/** What the scheduler of real runs orders its ready nodes with: the highest priority first, then the lowest index. */
export interface Ranked {
  readonly priority: number;
  readonly index: number;
}

export interface RankedQueue<T extends Ranked> {
  push(entry: T): void;
  pop(): T | undefined;
  size(): number;
  clear(): void;
}

/** Makes the queue of the scheduler: the composition hands in the real one. */
export type MakeQueue = <T extends Ranked>() => RankedQueue<T>;

export type Phase = 'waiting' | 'ready' | 'running' | 'settling' | 'ended';
export type Ending = 'done' | 'skipped' | 'cancelled';

export interface SimulatedTask extends Ranked {
  readonly run: SimulatedRun;
  readonly prepared: PreparedNode;
  readonly place: number;
  readonly random: Random;
  readonly seed: number;
  phase: Phase;
  ending: Ending | undefined;
  open: number;
  succeeded: number;
  broken: number;
  units: SimulatedUnit[];
  count: number;
  next: number;
  finished: number;
  queued: boolean;
  readyAt: number;
  /** Below 0: it has not started. */
  startedAt: number;
  endedAt: number;
  /** NaN: a price is unknown. Of a node of the outermost run, with all that is nested in it. */
  nanoUsd: number;
  /** What it waited for last, of the same run: a node, or the one that gave its slot back. */
  cause: SimulatedTask | undefined;
}

export interface SimulatedUnit {
  readonly task: SimulatedTask;
  hasSlot: boolean;
  isActive: boolean;
  isDead: boolean;
  /** Rounds of a nested run that are left. */
  roundsLeft: number;
  child: SimulatedRun | undefined;
}

export interface SimulatedRun {
  readonly plan: PreparedPlan;
  readonly seed: number;
  readonly tasks: SimulatedTask[];
  readonly queue: RankedQueue<SimulatedTask>;
  readonly owner: SimulatedUnit | undefined;
  /** The node of the outermost run that it is nested in. */
  readonly top: SimulatedTask | undefined;
  /** Times are multiplied by this. */
  readonly factor: number;
  settled: SimulatedTask[];
  active: number;
  alive: number;
  scheduled: boolean;
  isOver: boolean;
  finishing: boolean;
  lastDone: SimulatedTask | undefined;
}

interface Moment extends Ranked {
  readonly unit: SimulatedUnit;
}

/** What the outermost run and all nested ones share. */
export interface World {
  readonly makeQueue: MakeQueue;
  readonly limit: number;
  readonly moments: RankedQueue<Moment>;
  /** Runs that wait for a slot, the longest first. */
  readonly waiting: Set<SimulatedRun>;
  /** Runs whose turn it is. */
  readonly wakes: SimulatedRun[];
  /** Runs that are about to begin. */
  readonly openings: SimulatedRun[];
  /** Nested runs that have ended, and whose calls do not know yet. */
  readonly closings: SimulatedRun[];
  /** Units that were stopped in this turn, and still have their slots. */
  readonly dropped: SimulatedUnit[];
  /** The node of the outermost run that is twice as fast, and how much of its time it takes. */
  readonly sped: { readonly place: number; readonly factor: number } | undefined;
  readonly mostUnits: number;
  now: number;
  taken: number;
  units: number;
  /** Moments so far: of two at the same time, the earlier one made comes first. */
  made: number;
  /** The node of the outermost run that gave a slot back last. */
  freedBy: SimulatedTask | undefined;
}
