/** What a journal says of a run: where it stands, and what it came to. */
import type { NodeResult, Paid, RunEvent, RunStatus } from '../core/engine.ts';
import type { ErrorRecord } from '../core/errors.ts';
import type { Usage } from '../core/model.ts';
import type { NanoUsd } from '../core/money.ts';
import type { Plan } from '../core/plan.ts';
import type { Ending } from '../core/schedule.ts';
import type { Progress } from './task.ts';

export type RunStarted = Extract<RunEvent, { type: 'run-started' }>;

export interface RestoredNode {
  ending: Ending | undefined;
  result: NodeResult | undefined;
  error: ErrorRecord | undefined;
  failures: number;
  /** Begun and, as far as is known, neither failed nor given up: its idempotency key is taken. */
  started: boolean;
  /** It failed while the plan was being written: counted, and not judged yet. */
  isHeld: boolean;
  readonly progress: Progress;
  /** Counted so far of what its next end will tell as a sum. */
  paid: NanoUsd;
  /** Failed calls by item that the next end of the item, of its round or of the node will tell in its sum. */
  readonly retried: Map<number, Paid>;
}

export interface Restored {
  readonly started: RunStarted;
  plan: Plan;
  /** The plan was never whole: `plan` holds what was told of it. */
  isWriting: boolean;
  capNanoUsd: NanoUsd | undefined;
  revisions: number;
  readonly nodes: Map<string, RestoredNode>;
  nextSeq: number;
  status: RunStatus;
  /** Milliseconds in which a process drove it. */
  activeMs: number;
  /** Of these, before the plan was whole. */
  plannedMs: number;
  /** Epoch milliseconds of the last event of a process that drove it, and of the start of its last stretch. */
  lastAt: number;
  stretchAt: number;
  spent: NanoUsd;
  priced: boolean;
  usage: Usage;
  output: unknown;
  error: ErrorRecord | undefined;
}
