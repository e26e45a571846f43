/** What is wrong with what is said of candidates. */
import { shown } from '../../core/checked-options.ts';
import type { Config } from '../../core/config.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';
import type { Registry } from '../routing/registry.ts';

/**
 * @throws invalid-config for a model that would be tried in its own place, and for a second candidate of a model, which would never get a
 * call, by whatever names
 */
export function assertCandidates({ candidates = {} }: Config, registry: Registry): void {
  const taken: { readonly name: string; readonly current: ReturnType<Registry['named']> }[] = [];
  for (const [name, { of, model }] of Object.entries(candidates)) {
    const [current, tried] = [registry.named(of), registry.named(model)];
    const isSame = current.length > 0 && tried.length > 0 && tried.every((one) => current.includes(one));
    if (of === model || (isSame && tried.length === current.length)) {
      const message = `candidates.${name} tries "${model}" in the place of "${of}", which is the same model: name another one.`;
      throw new PolyphonyError('invalid-config', message);
    }
    const before = taken.find((one) => current.length > 0 && current.every((model) => one.current.includes(model)));
    if (before !== undefined) {
      const message = `candidates.${name} is tried in the place of "${of}", which has a candidate already, candidates.${before.name}: remove one of them.`;
      throw new PolyphonyError('invalid-config', message);
    }
    taken.push({ name, current });
  }
}

export function unknownCandidate(name: string, known: readonly string[]): PolyphonyError {
  const near = nearest(name, known);
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : `The candidates are: ${known.join(', ') || 'none'}.`;
  return new PolyphonyError('invalid-request', `The config has no candidate called "${name}". ${hint}`);
}

const STATES = ['trying', 'promoted', 'dismissed'];

/** From JavaScript, a misspelt word would end the trial without a verdict. */
export function assertState(state: unknown): void {
  if (STATES.some((known) => known === state)) return;
  const message = `The state of a candidate cannot be ${shown(state)}: give one of ${STATES.join(', ')}.`;
  throw new PolyphonyError('invalid-request', message);
}
