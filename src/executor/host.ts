/** What an engine is given, and what its runs get of it: journal, runners, leases and bounds. */
import type { Runtime } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Plan, ValidPlan } from '../core/plan/plan.ts';
import type { Planner } from '../core/plan/planner.ts';
import type { BookedFor } from '../core/run/booked-for.ts';
import type { NodeRunners, RunEvent } from '../core/run/engine.ts';
import type { RunLimits } from '../core/run/run-limits.ts';
import type { ValueBounds } from '../core/run/value-bounds.ts';
import type { RunJournal } from '../core/stores.ts';
import { guardedListener } from '../core/user-code/guarded-listener.ts';
import type { StoredRuns } from '../runs/stored/change.ts';
import { STORE_GRACE_MS } from '../runs/turn/concluding.ts';
import { settlesWithin } from '../system/clock.ts';
import type { Host } from './driving.ts';
import { guardedJournal } from './guarded-journal.ts';
import { validAgain } from './known-parts.ts';
import { takeLease } from './lease.ts';
import { createTimeSlice } from './time-slice.ts';
import type { Turns } from './turns.ts';

export interface EngineOptions {
  readonly runtime: Runtime;
  readonly journal: RunJournal;
  readonly runners: NodeRunners;
  /** The runners of a run that begins now, for as long as it is driven. @default `runners` */
  readonly runnersNow?: () => NodeRunners;
  /** Validates the plan of a journal again, against today's catalogue. Throws invalid-plan. */
  readonly validPlan: (plan: Plan) => ValidPlan;
  /**
   * Plans requests within their runs, and revises the plan of a run after the failure of a node with `onError: "replan"`.
   *
   * @default none: requests are refused, and such a node fails the run
   */
  readonly planner?: Planner;
  /** How large the values of a run that begins may become. @default VALUE_BOUNDS */
  readonly valueBounds?: () => ValueBounds;
  /** What the operator allows a run that begins. @default RUN_LIMITS */
  readonly runLimits?: () => RunLimits;
  /**
   * What the ledger holds of the run and its records do not, because processes died while they drove it: all of it, whenever.
   * `counted` is what the records hold, by node. Called with the run's lease in hand. @default nothing
   */
  readonly bookedFor?: BookedFor;
  /** The input of a fork that gives a new one, as the plan reads it. Throws invalid-request. @default as it is */
  readonly readInput?: StoredRuns['readInput'];
  /** Of a person's answer, by the schema of a workflow's own. @default what the question says decides */
  readonly checkAnswer?: StoredRuns['checkAnswer'];
  /** Called with each event of every run. What it throws is ignored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** Names this process in leases. @default its name and a fresh id, so that others see at once when it has died */
  readonly owner?: string;
  /** How long a run whose process died stays locked, in milliseconds. @default 10000 */
  readonly leaseMs?: number;
  /** How long a step may take to stop after its signal before the run goes on without it, in milliseconds. @default 1000 */
  readonly graceMs?: number;
}

/** How long the last records of a run may take after its end, in milliseconds; then its lease is given back without them. */
export const FINISH_MS = 30_000;

/** How many leases the engines over a journal have asked for: two engines of one name are told apart too. */
const leasesOf = new WeakMap<RunJournal, number>();

function nextLease(journal: RunJournal): number {
  const next = (leasesOf.get(journal) ?? 0) + 1;
  leasesOf.set(journal, next);
  return next;
}

/** A host that knows which runs have ended and wait for their store, by what they wait for. */
export interface EngineHost extends Host {
  readonly unwritten: Map<Promise<unknown>, string>;
}

export const unacknowledged = (runId: string): PolyphonyError =>
  new PolyphonyError(
    'store-busy',
    `The store has not acknowledged the last records of run ${runId} within ${FINISH_MS / 1000} seconds, so they may be lost: find out why it does not answer, then resume the run.`,
  );

/** @param drives whether the run is driven here. One literal: a copy with one more field has another form, which slows each run down. */
export function hostOf(options: EngineOptions, turns: Turns, drives: (runId: string) => boolean): EngineHost {
  const { runtime, planner, validPlan, onEvent, leaseMs = 10_000, graceMs = 1000 } = options;
  const { owner = ownerOf(runtime) } = options;
  const journal = guardedJournal(options.journal);
  const unwritten: EngineHost['unwritten'] = new Map();
  // A name per lease: the store then also keeps two drives of this process apart, of one engine or of two.
  const lock: Host['lock'] = async (runId, onLost = () => {}) => {
    const name = `${owner}/${nextLease(options.journal)}`;
    const release = await takeLease({ journal, clock: runtime.clock, leaseMs, owner: name, runId, onLost });
    // A lease that cannot be given back ends by itself, so that is no failure. Only the next turn of the run waits that long.
    return async () => {
      const released = settlesWithin(runtime.clock, leaseMs, release());
      void turns.take(runId, () => released);
      await settlesWithin(runtime.clock, STORE_GRACE_MS, released);
    };
  };
  return {
    runtime,
    journal,
    valueBounds: options.valueBounds,
    runLimits: options.runLimits,
    runnersNow: options.runnersNow ?? (() => options.runners),
    planner,
    validPlan: (plan) => validAgain(validPlan, plan),
    readInput: options.readInput,
    checkAnswer: options.checkAnswer,
    onEvent: onEvent === undefined ? undefined : guardedListener(onEvent),
    bookedFor: options.bookedFor ?? (async () => ({ costNanoUsd: 0 })),
    lock,
    graceMs,
    slice: createTimeSlice(),
    drives,
    unwritten,
    finishLater(runId, written, release) {
      unwritten.set(written, runId);
      void written.then(() => unwritten.delete(written));
      const released = settlesWithin(runtime.clock, FINISH_MS, written).then(release);
      void turns.take(runId, async () => void (await released));
      return released;
    },
  };
}

function ownerOf({ ids, processes }: Runtime): string {
  const id = ids('engine');
  return processes === undefined ? id : `${processes.self()}#${id}`;
}
