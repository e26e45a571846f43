/** Errors of a store as a run reports them. */
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';

/** The error of a store. One that no store of ours throws gets the name of the operation, and stays the cause. */
export function storeFailure(error: unknown, operation: string, store = 'journal'): PolyphonyError {
  // The second is what a store itself makes of an error that it does not know.
  if (error instanceof PolyphonyError && error.code !== 'plugin-failed') return error;
  const { message: reason } = asPolyphonyError(error);
  const message = `The ${store} failed in ${JSON.stringify(operation)}: ${reason} Check the store behind it, then try again.`;
  return new PolyphonyError('store-corrupt', message, { cause: error, details: { store, operation } });
}

/** The same error with another sentence and further details. */
export function withNote(
  error: PolyphonyError,
  note: string,
  details: Readonly<Record<string, unknown>>,
): PolyphonyError {
  const { code, message, retryable } = error;
  return new PolyphonyError(code, `${message} ${note}`, {
    cause: error,
    retryable,
    details: { ...error.details, ...details },
  });
}

/** Errors that say that a store failed, and not that somebody else drives the run. */
export const isStoreFailure = ({ code, cause }: PolyphonyError): boolean =>
  code === 'store-full' ||
  code === 'store-corrupt' ||
  code === 'store-newer' ||
  (code === 'store-busy' && cause !== undefined);
