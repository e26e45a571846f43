/** From a caller to a driven run: it is registered, locked, begun; a caller who cancels meanwhile does not wait for the store. */
import { defined } from '../core/defined.ts';
import { abortError, PolyphonyError } from '../core/errors.ts';
import { type Paid, subtractUsage } from '../core/money/usage.ts';
import type { RunHandle, RunOptions } from '../core/run/engine.ts';
import { knownRun } from '../runs/journal/restore.ts';
import type { Restored } from '../runs/journal/restored.ts';
import type { HeldLease } from '../runs/state/driver.ts';
import { refuse, refuseStopped, STORE_GRACE_MS } from '../runs/turn/concluding.ts';
import { type Beginning, begin, type RunOpening } from '../runs/turn/opening.ts';
import { abandon } from '../runs/turn/stop.ts';
import { drive } from './drive.ts';
import { createDriving, type Driving, followSignal, type Host, handleOf } from './driving.ts';
import { busy } from './lease.ts';
import type { Turns } from './turns.ts';

export interface LiveRun {
  readonly driving: Driving;
  readonly handle: RunHandle;
}

/** The runs that are driven here, by id. */
export interface Driven {
  readonly host: Host;
  readonly live: Map<string, LiveRun>;
  readonly turns: Turns;
  closed: boolean;
}

/**
 * A run whose id the caller gave is claimed in this tick, or, where something else is under way for the id, in its turn: it is then
 * refused if that made the run.
 */
export function start(driven: Driven, given: Omit<RunOpening, 'runId'>): RunHandle {
  const runId = given.options.runId ?? driven.host.runtime.ids('run');
  if (driven.live.has(runId)) throw exists(runId);
  // Its id stands before the copy: see docs/decisions/objects-of-a-call.md.
  const opening = { runId, ...given };
  const started = prepare(driven, opening);
  const { driving, handle } = started;
  const open = (): Promise<void> => openNew(driven, started, opening);
  // Nobody else knows an id that was made here.
  const opened = given.options.runId === undefined ? open() : driven.turns.take(runId, open);
  openAtStore(driving, opened)
    .then(() => beginDriving(driving, opening, { type: 'started' }))
    .catch((error: unknown) => refuse(driving.run, error));
  return handle;
}

/** A run that is refused leaves nothing behind: whoever has the next turn finds its id and its lease free. */
async function openNew(driven: Driven, started: LiveRun, opening: RunOpening): Promise<void> {
  const { driving } = started;
  // It was cancelled before its turn.
  if (driving.run.result !== undefined) return;
  try {
    enter(driven, started);
    await lockNew(driving, opening);
  } catch (error) {
    await Promise.allSettled(driving.releases.splice(0).map((giveBack) => giveBack()));
    refuse(driving.run, error);
    throw error;
  }
}

/** Continues a run from its journal. Throws store-busy when another process drives it. */
export async function goOn(driven: Driven, opening: RunOpening, type: 'resumed' | 'forked'): Promise<RunHandle> {
  const { driving, handle } = register(driven, opening);
  const { run } = driving;
  let beginning: Beginning = { type: 'forked', prelude: opening.prelude ?? [] };
  const locked = openAtStore(driving, lockAgain(driving, opening)).then(async (latest) => {
    if (type !== 'resumed') return;
    const hasDied = latest.status === 'running' || latest.booked.costNanoUsd > 0;
    const booked = await driven.host.bookedFor(opening.runId, hasDied ? latest.counted : undefined);
    beginning = { type, booked: newlyBooked(latest, booked) };
  });
  try {
    await Promise.race([locked, handle.result()]);
    const { signal } = opening.options;
    // Its caller left while the lease was awaited: the run stays as it was.
    if (signal?.aborted === true) throw abortError(signal);
    if (run.result === undefined) beginDriving(driving, opening, beginning);
    else throw stoppedEarly(driving, opening.options);
  } catch (error) {
    refuse(run, error);
    await handle.result();
    throw error;
  }
  return handle;
}

/** The part that no earlier resume has put into the journal. */
function newlyBooked({ booked, priced }: Restored, { costNanoUsd, usage }: Paid): Paid | undefined {
  const isUnknown = costNanoUsd === null && priced;
  const cost = (costNanoUsd ?? 0) - booked.costNanoUsd;
  if (!isUnknown && cost <= 0) return undefined;
  return {
    costNanoUsd: isUnknown ? null : cost,
    ...defined({ usage: usage && subtractUsage(usage, booked.usage) }),
  };
}

function register(driven: Driven, opening: RunOpening): LiveRun {
  const live = prepare(driven, opening);
  enter(driven, live);
  return live;
}

function prepare(driven: Driven, opening: RunOpening): LiveRun {
  assertOpen(driven);
  const driving = createDriving(driven.host, { ...opening, ...fromParent(driven, opening) });
  driving.above = aboveOf(driven, opening);
  if (driving.above !== undefined) driving.runners = driving.above.driving.runners;
  driving.turn = () => leaveUnbegun(driving);
  followSignal(driving, opening.options.signal);
  return { driving, handle: handleOf(driving) };
}

/** The only place where a run becomes one that is driven here. @throws invalid-request where it is one already */
function enter(driven: Driven, entered: LiveRun): void {
  assertOpen(driven);
  const { driving } = entered;
  const { runId } = driving.run;
  if (driven.live.has(runId)) throw exists(runId);
  driven.live.set(runId, entered);
  driving.cleanups.push(() => void driven.live.delete(runId));
}

function assertOpen({ closed }: Driven): void {
  if (!closed) return;
  throw new PolyphonyError('invalid-request', 'The engine is closed and drives no more runs: create a new one.');
}

function aboveOf({ live }: Driven, { options, restored }: RunOpening): Driving['above'] {
  const parent = options.parent ?? restored?.started.parent;
  if (parent?.kind !== 'nested') return undefined;
  const driving = live.get(parent.runId)?.driving;
  const { kind: _kind, ...place } = parent;
  return driving === undefined ? undefined : { driving, parent: place };
}

/** A nested run counts its calls, its values and what it writes with the run that it is nested in, which is driven here too. */
function fromParent(
  { live }: Driven,
  { options, restored }: RunOpening,
): Pick<RunOpening, 'within' | 'values' | 'rendered' | 'writtenBytes'> {
  const parent = options.parent ?? restored?.started.parent;
  const run = parent?.kind === 'nested' ? live.get(parent.runId)?.driving.run : undefined;
  const task = parent?.nodeId === undefined ? undefined : run?.tasks.get(parent.nodeId);
  const unit = task?.units.find(({ inputs }) => inputs !== undefined && inputs === options.input);
  return defined({
    within: run === undefined || task === undefined ? undefined : { run, task },
    values: run?.values,
    writtenBytes: run?.writtenBytes,
    rendered: unit === undefined ? undefined : (unit.used?.rendered ?? 0),
  });
}

/** The turn of a run that waits for its lease: one that was stopped ends, though the store may not have answered. */
function leaveUnbegun({ run, opening }: Driving): void {
  if (!run.mayLeave || run.leaving) return;
  run.leaving = true;
  run.driver.limitRun(STORE_GRACE_MS, () => {
    if (opening.size > 0) refuseStopped(run);
  });
}

/** Work that may outlive the run: what it opens is given back then. */
function openAtStore<T>(driving: Driving, work: Promise<T>): Promise<T> {
  const { opening } = driving;
  const over = (): void => void opening.delete(work);
  opening.add(work);
  return work.finally(over);
}

/** Only the root run is locked: the process that drives it also drives the runs nested in it. */
async function lock({ host, run, releases }: Driving, parent: RunOptions['parent'], held?: HeldLease): Promise<void> {
  if (parent?.kind === 'nested') return;
  const onLost = (error: unknown): void => abandon(run, error);
  releases.push(held === undefined ? await host.lock(run.runId, onLost) : held.release);
  held?.whenLost(onLost);
}

async function lockNew(driving: Driving, { runId, options }: RunOpening): Promise<void> {
  const isGiven = options.runId !== undefined;
  // Whoever drives a run of that id is not disturbed by somebody who only looks.
  if (isGiven) await assertUnknown(driving, runId);
  await lock(driving, options.parent);
  if (isGiven) await assertUnknown(driving, runId);
}

async function assertUnknown({ host }: Driving, runId: string): Promise<void> {
  for await (const _event of host.journal.read(runId)) throw exists(runId);
}

/** @returns the run as its journal has it now */
async function lockAgain(driving: Driving, { runId, restored, lease }: RunOpening): Promise<Restored> {
  await lock(driving, restored?.started.parent, lease);
  // Another process may have continued the run before this one got the lock.
  const latest = await knownRun(driving.host.journal, runId, 'look');
  if (latest.nextSeq !== restored?.nextSeq) throw busy(runId);
  return latest;
}

/** Driven from the first record on, so that a store that fails at it ends the run as at any other. */
function beginDriving(driving: Driving, opening: RunOpening, beginning: Beginning): void {
  const { run } = driving;
  if (run.result !== undefined) return;
  // A bound on the wait for the lease is none on the wait for records.
  run.leaving = false;
  begin(run, opening, beginning, () => {});
  drive(driving);
}

function stoppedEarly({ run: { stopping } }: Driving, { signal }: RunOptions): PolyphonyError {
  if (stopping?.type === 'failed') return stopping.error;
  if (signal?.aborted) return abortError(signal);
  return new PolyphonyError('cancelled', `The run was cancelled before it began: ${stopping?.reason ?? ''}.`);
}

export const exists = (runId: string): PolyphonyError =>
  new PolyphonyError('invalid-request', `Run ${runId} already exists: resume it, or choose another id.`);
