/**
 * Resumes the runs that other processes left behind, once at the start. Processes over one store may all do so: the lease of a run
 * goes to one of them. A run that cannot go on here, because its workflow is not known, is logged and left as it is.
 */

import { shown } from '../../core/checked-options.ts';
import type { Clock } from '../../core/clock.ts';
import { asPolyphonyError, errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { Logger } from '../../core/plugin.ts';
import type { ExecutionEngine, RunHandle, RunResult } from '../../core/run/engine.ts';
import { sleep } from '../../system/clock.ts';
import { assertKnownOptions } from '../config/known-options.ts';

/** How runs are recovered. */
export interface RecoverOptions {
  /** Runs that go on at the same time; the others wait. A whole number from 1 on. @default 4 */
  readonly concurrency?: number;
}

export interface RecoverParts {
  readonly engine: Pick<ExecutionEngine, 'list' | 'resume' | 'inspect'>;
  /** Continues a suspended run at the moment that it waits for. @default nobody does */
  readonly remind?: (suspended: RunResult) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts when the polyphony is closed. */
  readonly closing: AbortSignal;
}

const CONCURRENCY = 4;
/** Longer than a lease: a process of another host that died just before this one started still holds its runs at the first look. */
const LEASE_MS = 12_000;

/** The options, undefined where nothing is to be recovered. @throws invalid-config */
export function recoverOptions(given: boolean | RecoverOptions | undefined): RecoverOptions | undefined {
  if (given === undefined || given === false) return undefined;
  const options: unknown = given;
  if (given !== true && (typeof options !== 'object' || options === null)) {
    throw new PolyphonyError(
      'invalid-config',
      `recover cannot be ${shown(options)}: give true, false or { concurrency }.`,
    );
  }
  if (given !== true) assertKnownOptions('recover', given, { concurrency: true });
  const { concurrency = CONCURRENCY } = given === true ? {} : given;
  if (Number.isInteger(concurrency) && concurrency >= 1) return { concurrency };
  throw new PolyphonyError(
    'invalid-config',
    `recover.concurrency cannot be ${String(concurrency)}: give a whole number from 1 on, or leave it out for ${CONCURRENCY}.`,
  );
}

/** Never rejects. Resolves when every run that was resumed has ended, is suspended or was stopped by the closing. */
export async function recoverRuns(parts: RecoverParts, options: RecoverOptions): Promise<void> {
  const { engine, clock, logger, closing } = parts;
  const tried = new Set<string>();
  try {
    const others = await engine.list({ status: 'running' });
    await remindAll(parts);
    await recoverOnce(parts, options, tried);
    if (others.length === 0 || closing.aborted) return;
    await sleep(inBackground(clock), LEASE_MS, closing);
    await recoverOnce(parts, options, tried);
  } catch (error) {
    if (closing.aborted) return;
    logger.warn({ error: errorRecord(error) }, 'the interrupted runs could not be listed, so none is recovered');
  }
}

/** Runs that other processes suspended until a moment. */
async function remindAll({ engine, remind, logger, closing }: RecoverParts): Promise<void> {
  if (remind === undefined) return;
  for (const { runId } of await engine.list({ status: 'suspended' })) {
    if (closing.aborted) return;
    try {
      await remind(await engine.inspect(runId));
    } catch (error) {
      logger.warn({ runId, error: errorRecord(error) }, 'a suspended run could not be read');
    }
  }
}

/** Nobody waits for it: it keeps no process alive. */
const inBackground = (clock: Clock): Clock => ({
  ...clock,
  schedule: (delayMs, callback) => clock.schedule(delayMs, callback, { background: true }),
});

/** The oldest first, each once. */
async function recoverOnce(parts: RecoverParts, { concurrency }: RecoverOptions, tried: Set<string>): Promise<void> {
  const { engine, logger, closing } = parts;
  const listed = await engine.list({ status: 'interrupted' });
  const waiting = listed.map(({ runId }) => runId).filter((runId) => !tried.has(runId));
  if (waiting.length === 0) return;
  logger.info({ runs: waiting.length }, 'interrupted runs are recovered');
  const work = async (): Promise<void> => {
    for (let runId = waiting.pop(); runId !== undefined && !closing.aborted; runId = waiting.pop()) {
      tried.add(runId);
      await recoverRun(parts, runId);
    }
  };
  await Promise.all(Array.from({ length: concurrency ?? CONCURRENCY }, work));
}

async function recoverRun({ engine, logger, closing }: RecoverParts, runId: string): Promise<void> {
  try {
    const handle = await engine.resume(runId);
    if (!(await goesOn(handle))) {
      logger.info({ runId }, 'an interrupted run was ended by somebody else');
      return;
    }
    logger.info({ runId }, 'an interrupted run goes on');
    const { status, error } = await handle.result();
    if (status === 'failed') logger.warn({ runId, status, error }, 'a recovered run has failed');
    else logger.info({ runId, status }, 'a recovered run has come to its end or to a question');
  } catch (cause) {
    if (closing.aborted) return;
    const error = asPolyphonyError(cause);
    if (error.code === 'store-busy') logger.info({ runId }, 'an interrupted run is driven by somebody else by now');
    else logger.warn({ runId, error: errorRecord(error) }, 'an interrupted run could not be recovered');
  }
}

/** False for a run that somebody else ended after it was listed: its events begin with those of its past. */
async function goesOn(handle: RunHandle): Promise<boolean> {
  for await (const { type } of handle.events()) return type === 'run-resumed';
  // It was refused, and its result says why.
  return true;
}
