/**
 * What a run keeps of errors: what is recorded of them, which counts as its values do. Journals in memory and readers of events
 * keep it to the end of the run, and whoever throws decides how long it is.
 */
import { type ErrorRecord, errorRecord, PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import { jsonSize } from '../../core/json/json-size.ts';
import { withoutCause } from '../../core/run/failure-record.ts';
import { hold, type RunValues } from '../state/values.ts';

/** A text that was cut ends with a character of two bytes, and then all its characters take two. */
const BYTES_OF_CHARACTER = 2;
/** What the end of a node says in any case. */
const SHORT_LENGTH = 1000;

const bytesOf = (record: ErrorRecord): number => BYTES_OF_CHARACTER * jsonSize(record).bytes;

/** Counts an error that the run records beside others. @throws limit-exceeded when the run would hold too much with it */
export function holdError(values: RunValues, record: ErrorRecord, nodeId: string): void {
  hold(values, bytesOf(record), { noun: 'The error', nodeId });
}

/**
 * The error with which a node, or its undoing, ends: without its cause, and cut short where the run has no room for it. Never
 * throws, because every node has an end.
 */
export function endingError(values: RunValues, error: PolyphonyError): PolyphonyError {
  const kept = withoutCause(error);
  const bytes = bytesOf(errorRecord(kept));
  const { held, inFlight, bounds } = values;
  if (held + inFlight + bytes <= bounds.runBytes || bytes <= BYTES_OF_CHARACTER * SHORT_LENGTH) {
    values.held += bytes;
    return kept;
  }
  const { code, message, retryable } = kept;
  const short = new PolyphonyError(code, ownText(firstOf(message, SHORT_LENGTH)), { retryable });
  values.held += bytesOf(errorRecord(short));
  return short;
}

/** A part of a text keeps the whole of it in memory. */
const ownText = (part: string): string => Buffer.from(part, 'utf16le').toString('utf16le');
