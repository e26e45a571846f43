/** Attempts of a call are numbered from 1 across retries, fallbacks, rungs and hedges, which share its trace. */
import type { Call } from '../../core/model/model.ts';
import { notesOf } from './trace.ts';

export function nextNumber({ trace, id }: Pick<Call, 'trace' | 'id'>): number {
  const notes = notesOf(trace);
  notes.callId ??= id;
  if (notes.callId === id) {
    notes.number += 1;
    return notes.number;
  }
  notes.more ??= new Map();
  const number = (notes.more.get(id) ?? 0) + 1;
  notes.more.set(id, number);
  return number;
}
