/** Attempts of a call are numbered from 1 across retries, fallbacks, rungs and hedges, which share its trace. */
import type { Call, CallTrace } from '../core/model.ts';

const counts = new WeakMap<CallTrace, Map<string, number>>();

export function nextNumber({ trace, id }: Pick<Call, 'trace' | 'id'>): number {
  let calls = counts.get(trace);
  if (calls === undefined) {
    calls = new Map();
    counts.set(trace, calls);
  }
  const number = (calls.get(id) ?? 0) + 1;
  calls.set(id, number);
  return number;
}
