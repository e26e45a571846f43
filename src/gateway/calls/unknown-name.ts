/** What callers are told of a name that nothing has. */
import { shown } from '../../core/checked-options.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelRequest } from '../../core/model/model.ts';
import { nearest, slipOf } from '../../language/suggest.ts';

export function unknownName(what: 'route' | 'task', name: string, known: readonly string[]): PolyphonyError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The ${what}s are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('no-route', `The config has no ${what} called "${name}". ${hint}`, {
    details: { unknown: name, suggestions: near, rejected: [] },
  });
}

/** From JavaScript, of a misspelt one nothing would be used again, and nobody would notice. */
export function unknownProvider(id: unknown, known: readonly string[]): PolyphonyError {
  const near = typeof id === 'string' ? nearest(id, known) : [];
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The providers are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('invalid-request', `There is no provider ${shown(id)}. ${hint}`);
}

/**
 * Options for a provider that is not registered here are no mistake: a program may have more keys elsewhere. A name that only a
 * typing error tells from a registered one is.
 *
 * @returns undefined where each is registered or may be meant
 */
export function misspeltOptions(
  { providerOptions }: ModelRequest,
  providers: ReadonlyMap<string, unknown>,
): PolyphonyError | undefined {
  for (const id in providerOptions) {
    const meant = providers.has(id) ? undefined : slipOf(id, providers.keys());
    if (meant === undefined) continue;
    const message = `providerOptions are for a provider ${shown(id)}, which is not registered. Did you mean "${meant}"? Else leave them out here.`;
    return new PolyphonyError('invalid-request', message);
  }
  return undefined;
}
