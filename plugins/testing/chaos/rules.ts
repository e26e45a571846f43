/** Which attempts a rule is about. */
import { type Attempt, globMatches, type Purpose } from 'polyphony/kit';
import type { ChaosFault } from './faults.ts';

/** `*` in `provider`, `model` and `node` stands for any letters. */
export interface ChaosRule {
  /** @default any */
  readonly provider?: string;
  /** @default any */
  readonly model?: string;
  /** The id of a node of a plan. @default any, also calls outside of plans */
  readonly node?: string;
  /** Why the call is made. @default any */
  readonly purpose?: Purpose;
  /** How many of the attempts that it matches are hit, 0 to 1. @default 1 */
  readonly share?: number;
  /** The most attempts that are hit. @default any number */
  readonly most?: number;
  readonly fault: ChaosFault;
}

export function matches({ provider, model, node, purpose }: ChaosRule, attempt: Attempt): boolean {
  const { target } = attempt;
  if (purpose !== undefined && purpose !== attempt.purpose) return false;
  if (!fits(provider, target.provider) || !fits(model, target.model)) return false;
  return node === undefined || nodesOf(attempt).some((id) => fits(node, id));
}

const fits = (pattern: string | undefined, name: string): boolean =>
  pattern === undefined || globMatches([pattern], [name]);

/** The scope of a node is named by its run and its id. */
const nodesOf = ({ scopes }: Attempt): readonly string[] =>
  scopes.filter(({ kind }) => kind === 'node').map(({ id }) => id.slice(id.lastIndexOf('/') + 1));
