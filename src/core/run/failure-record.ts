/** The error of a run or node in the result of a run that this process drove: what journals hold, and where it was thrown. */
import { type ErrorRecord, errorRecord, type PolyphonyError } from '../errors.ts';
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

/** Only of code of the user: where else an error comes from says nothing to its reader. */
function stackOf({ code, cause }: PolyphonyError): string | undefined {
  if (code !== 'tool-failed' && code !== 'plugin-failed') return undefined;
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
