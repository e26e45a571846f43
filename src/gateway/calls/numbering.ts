/** Attempts of a call are numbered from 1 across retries, fallbacks, rungs and hedges, which share its trace. */
import type { Call } from '../../core/model/model.ts';
import { callStateOf } from './trace.ts';

export function nextNumber({ trace, id }: Pick<Call, 'trace' | 'id'>): number {
  const state = callStateOf(trace);
  state.callId ??= id;
  if (state.callId === id) {
    state.number += 1;
    return state.number;
  }
  state.more ??= new Map();
  const number = (state.more.get(id) ?? 0) + 1;
  state.more.set(id, number);
  return number;
}
