/**
 * The term of a lease as text beside its end on the wall clock. A program of an earlier release knows the end only: a term that
 * was written for another end says nothing.
 */
import type { Lease } from '../leases.ts';
import type { SqlRow } from './database.ts';

type Term = Pick<Lease, 'leaseMs' | 'until' | 'origin' | 'ends'>;

export const termText = ({ leaseMs, until, origin, ends }: Lease): string =>
  JSON.stringify({ leaseMs, until, origin, ends } satisfies Term);

/** The lease of a row `owner, until, term`. `leaseMs` is assumed where the row does not say it. */
export function leaseOf([owner, until, term]: SqlRow, leaseMs: number): Lease {
  const wall = { owner: String(owner), leaseMs, until: Number(until), ends: 0 };
  if (typeof term !== 'string') return wall;
  const told = JSON.parse(term) as Term;
  return told.until === wall.until ? { ...wall, ...told } : wall;
}
