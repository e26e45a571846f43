/** The names of the counters that caps are checked with, in the key-value store. */
import type { Scope } from './model/model.ts';

export interface CounterOf extends Pick<Scope, 'kind' | 'id'> {
  /** The day (`2026-11-28`) or month (`2026-11`) of the cap. */
  readonly period?: string;
}

/** The counter of a scope. */
export const counterKey = ({ kind, id, period }: CounterOf): string =>
  period === undefined ? `budget:${kind}:${id}` : `budget@${period}:${kind}:${id}`;
