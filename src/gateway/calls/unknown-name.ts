/** What callers are told of a name that the config does not have. */
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';

export function unknownName(what: 'route' | 'task', name: string, known: readonly string[]): PolyphonyError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The ${what}s are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('no-route', `The config has no ${what} called "${name}". ${hint}`, {
    details: { unknown: name, suggestions: near, rejected: [] },
  });
}
