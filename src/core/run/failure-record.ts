/** The error of a run or node in the result of a run that this process drove: what journals hold, and where it was thrown. */
import { defined } from '../defined.ts';
import { type ErrorRecord, errorRecord, PolyphonyError } from '../errors.ts';
import { firstOf } from '../json/cut-text.ts';
import { scrubText } from '../scrub.ts';
import { isError } from '../user-code/thrown-text.ts';

const STACK_CHARACTERS = 4096;
const MOST_CAUSES = 4;

/** The errors of records, for those who throw the error of a run in the process that ran it. */
const errors = new WeakMap<ErrorRecord, PolyphonyError>();

export function failureRecord(error: PolyphonyError): ErrorRecord {
  const record = errorRecord(error);
  const stack = stackOf(error);
  const told = stack === undefined ? record : { ...record, stack };
  errors.set(told, error);
  return told;
}

/** The error that a record was made of in this process. */
export const errorOfRecord = (record: ErrorRecord): PolyphonyError | undefined => errors.get(record);

/** Where the errors without their causes were thrown. */
const stacks = new WeakMap<PolyphonyError, string>();

/**
 * An equal error that keeps nothing in memory besides what is recorded of it, and where it was thrown: a cause may hang on to
 * megabytes.
 */
export function withoutCause(error: PolyphonyError): PolyphonyError {
  const { code, message, retryable, retryAfterMs, status, unsent, details } = error;
  const same = new PolyphonyError(code, message, {
    retryable,
    unsent,
    ...defined({ retryAfterMs, status, details }),
  });
  const stack = stackOf(error);
  if (stack !== undefined) stacks.set(same, Buffer.from(stack).toString());
  return same;
}

/** Only of code of the user: where else an error comes from says nothing to its reader. */
function stackOf(thrown: PolyphonyError): string | undefined {
  const { code, cause } = thrown;
  if (code !== 'tool-failed' && code !== 'plugin-failed') return undefined;
  const known = stacks.get(thrown);
  if (known !== undefined) return known;
  const parts: string[] = [];
  try {
    for (let error: unknown = cause; isError(error) && parts.length < MOST_CAUSES; error = error.cause) {
      if (typeof error.stack === 'string') parts.push(firstOf(error.stack, STACK_CHARACTERS));
    }
  } catch {
    // A getter that throws: what was read before is told.
  }
  if (parts.length === 0) return undefined;
  return firstOf(scrubText(parts.join('\nCaused by: ')), STACK_CHARACTERS);
}
