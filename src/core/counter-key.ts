/** The names of the counters that caps are checked with, in the key-value store. */
import type { ScopeKind } from './model/model.ts';

export interface CounterOf {
  readonly kind: ScopeKind | 'provider';
  readonly id: string;
  /** The period of the cap, by its name: see money/period.ts. */
  readonly period?: string | undefined;
}

/** The counter of a scope. */
export const counterKey = ({ kind, id, period }: CounterOf): string =>
  period === undefined ? `budget:${kind}:${id}` : `budget@${period}:${kind}:${id}`;
