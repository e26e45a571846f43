/** What the gateway tells of providers that fail and come back, and of figures that change. */
import type { Told } from './told.ts';

/** A provider in a region fails so often that this is no accident. It is asked after all others until it answers. */
export interface Outage extends Told {
  readonly type: 'outage';
  /** `provider`, with `@region` where it has one. */
  readonly what: string;
  /** Epoch milliseconds of the first failure of those that decided. */
  readonly since: number;
}

/** It answers again. */
export interface Recovered extends Told {
  readonly type: 'recovered';
  readonly what: string;
  /** Milliseconds from the first failure until now. */
  readonly outageMs: number;
}

/** A figure of a workflow has changed by more than chance explains. */
export interface ChangeDetected extends Told {
  readonly type: 'change-detected';
  /** The value of the tag that calls are told apart by; empty for calls without it. */
  readonly workflow: string;
  readonly figure: 'latency' | 'refusals' | 'quality';
  /** Milliseconds, a share, or a score of 0 to 1: the usual mean, and that since the change began. */
  readonly before: number;
  readonly after: number;
}

/** All hosted models were asked whether they answer. */
export interface ModelsSwept extends Told {
  readonly type: 'models-swept';
  /** How many answered. */
  readonly answered: number;
  /** How many were not asked, because the money for it was spent. */
  readonly unasked: number;
  /** Those that did not answer, `provider/model`, at most 20. */
  readonly failed: readonly string[];
}

export type HealthEvent = Outage | Recovered | ChangeDetected | ModelsSwept;
