/**
 * The term of a lease as text beside its end on the wall clock. A program of an earlier release knows the end only: a term that
 * was written for another end, or is damaged, says nothing.
 */
import type { Lease } from '../leases.ts';
import type { SqlRow } from './database.ts';

type Term = Pick<Lease, 'leaseMs' | 'until' | 'origin' | 'ends'>;

export const termText = ({ leaseMs, until, origin, ends }: Lease): string =>
  JSON.stringify({ leaseMs, until, origin, ends } satisfies Term);

/** The lease of a row `owner, until, term`. `leaseMs` is assumed where the row does not say it. */
export function leaseOf([owner, until, term]: SqlRow, leaseMs: number): Lease {
  const wall = { owner: String(owner), leaseMs, until: Number(until), ends: 0 };
  const told = termOf(term);
  return told?.until === wall.until ? { ...wall, ...told } : wall;
}

/** Undefined for a text that is damaged. */
function termOf(text: unknown): Term | undefined {
  try {
    const told: unknown = JSON.parse(String(text));
    if (typeof told !== 'object' || told === null || !('until' in told && 'leaseMs' in told && 'ends' in told))
      return undefined;
    const { until, leaseMs, ends } = told;
    if (typeof until !== 'number' || typeof leaseMs !== 'number' || typeof ends !== 'number') return undefined;
    const origin = 'origin' in told && typeof told.origin === 'string' ? told.origin : undefined;
    return { until, leaseMs, ends, origin };
  } catch {
    return undefined;
  }
}
