/**
 * What a run writes to its journal, and how much of it, with what its nodes write to threads and indexes.
 *
 * B1. A record is counted before it is appended; one that has no room is not appended.
 * B2. The last records of a run always have room: a part of the bound is kept for them, and beyond it they are cut short.
 * B3. A run counts with the runs that are nested in it, and with what earlier processes wrote.
 */

import { PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import { jsonSize, jsonTextBytes, type KnownSizes } from '../../core/json/json-size.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import { valuePathOf, withValue } from '../../core/run/full-events.ts';
import type { LargeValues } from './large-values.ts';

/** What a run and the runs nested in it have written. */
export interface WrittenBytes {
  readonly limit: number;
  total: number;
  /** What each of them has written. */
  readonly byRun: Map<string, () => number>;
}

export interface Written {
  /**
   * Counts the event. The last records of a run may be cut short, in place.
   *
   * @returns the event as the journal keeps it; undefined: it has no room
   */
  keep(event: RunEvent): RunEvent | undefined;
}

/** A record without a value of its own, as most steps of a large plan write: an upper figure that costs no walk. */
const smallBytes = (runId: string): number => 512 + 2 * jsonTextBytes(runId);

const RESERVED_BYTES = 1_048_576;
const RESERVED_SHARE = 1 / 8;
const SHORT_LENGTH = 1000;

/** How nodes and runs end when something went wrong, and what they cost until then. */
const LAST_RECORDS: ReadonlySet<RunEvent['type']> = new Set([
  'node-failed',
  'node-cancelled',
  'undo-started',
  'node-undone',
  'plan-answered',
  'run-suspended',
  'run-failed',
  'run-cancelled',
]);

export const newWrittenBytes = (limit: number): WrittenBytes => ({ limit, total: 0, byRun: new Map() });

/** The rest is for the last records. */
const mostOf = ({ limit }: WrittenBytes): number =>
  Math.floor(limit - Math.min(RESERVED_BYTES, limit * RESERVED_SHARE));

/**
 * Counts what a node writes to other stores than the journal, before it does. What earlier processes wrote there is not known.
 *
 * @throws limit-exceeded when that is more than the run may write
 */
export function takeWritten(written: WrittenBytes, bytes: number, nodeId: string): void {
  if (written.total + bytes > mostOf(written)) throw tooMuchWritten({ nodeId }, written.limit);
  written.total += bytes;
}

/** @param before bytes of the run's journal, written by earlier processes */
export function createWritten(runId: string, bytes: WrittenBytes, values: LargeValues, before: number): Written {
  const most = mostOf(bytes);
  const small = smallBytes(runId);
  let own = bytes.byRun.get(runId)?.() ?? 0;
  bytes.byRun.set(runId, () => own);
  const count = (more: number): void => {
    bytes.total += more;
    own += more;
  };
  // A nested run that goes on in the process that began it is counted already.
  count(Math.max(0, before - own));
  return {
    keep(event) {
      if (isSmall(event) && bytes.total + small <= most) {
        count(small);
        return event;
      }
      const kept = values.keep(event);
      const size = kept.bytes + bytesBeside(event);
      if (bytes.total + size <= most) {
        count(size);
        return kept.event;
      }
      values.forget(kept);
      if (!LAST_RECORDS.has(event.type)) return undefined;
      cutShort(event);
      count(jsonSize(event).bytes);
      return event;
    },
  };
}

/** Takes in a record that the journal holds already. Returns its bytes, an upper figure. */
export const learnRecord = (values: LargeValues, recorded: RunEvent): number =>
  isSmall(recorded) ? smallBytes(recorded.runId) : values.learn(recorded) + bytesBeside(recorded);

function isSmall(event: RunEvent): boolean {
  if (event.type === 'node-started') return true;
  if (event.type !== 'node-finished') return false;
  const { output, meta } = event.result;
  const isPlain = output === null || typeof output === 'boolean' || typeof output === 'number';
  return isPlain && meta.warnings.length === 0 && meta.transcript === undefined;
}

/** Plans that were measured, while they live: a plan never changes, and one that runs often is walked once. */
const measuredPlans: KnownSizes = new WeakMap();

function bytesBeside(event: RunEvent): number {
  const path = valuePathOf(event);
  const beside = path === undefined ? event : withValue(event, path, null);
  if (!('plan' in beside)) return jsonSize(beside).bytes;
  return jsonSize({ ...beside, plan: null }).bytes + jsonSize(beside.plan, measuredPlans).bytes;
}

function cutShort(event: RunEvent): void {
  if ('reason' in event) Object.assign(event, { reason: firstOf(event.reason, SHORT_LENGTH) });
  if (!('error' in event) || event.error === undefined) return;
  const { code, message, retryable } = event.error;
  Object.assign(event, { error: { code, message: firstOf(message, SHORT_LENGTH), retryable } });
}

export function tooMuchWritten(
  { nodeId }: Partial<Pick<RunEvent, 'type'>> & { readonly nodeId?: string },
  limit: number,
): PolyphonyError {
  const who = nodeId === undefined ? 'The run' : `Node ${nodeId}`;
  const message = `${who} would write more than the ${limit} bytes that a run may write to its journal, to threads and to indexes (limits.values.writtenBytes): return and ask for less, or raise the bound in the config.`;
  const details = { bound: 'limits.values.writtenBytes', limit, ...(nodeId === undefined ? {} : { nodeId }) };
  return new PolyphonyError('limit-exceeded', message, { details });
}
