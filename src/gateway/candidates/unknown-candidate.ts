/** The error for a candidate that the config does not have. */
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';

export function unknownCandidate(name: string, known: readonly string[]): PolyphonyError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The candidates are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('invalid-request', `The config has no candidate called "${name}". ${hint}`);
}
