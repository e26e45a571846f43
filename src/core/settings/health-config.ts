/** When all hosted models are asked, in processes that stay up for at least ten minutes. */
export interface SweepConfig {
  /** The pause between two sweeps, of all processes with the same store, in milliseconds, at least an hour. @default 604800000, a week */
  readonly everyMs?: number;
  /** The most that one may cost, in US dollars. */
  readonly usd: number;
}

/** How the gateway finds out which providers answer, and what it tells of changes. */
export interface HealthConfig {
  /**
   * True: free endpoints are asked from the start. False: never. By default while a process calls, and for ten minutes
   * after. @default in processes that call
   */
  readonly probe?: boolean;
  /** The pause between two probes of a provider, in milliseconds, at least 1000. @default 30000 */
  readonly probeMs?: number;
  /** What questions to providers that fail and have no free endpoint may cost a day, in US dollars. @default 0, none are sent */
  readonly paidUsd?: number;
  /** All hosted models are asked a question of a few tokens, again and again. @default only by `polyphony health --sweep` */
  readonly sweep?: SweepConfig;
  /** True: changes of latency, refusals and scores are told. @default false */
  readonly alerts?: boolean;
  /** The tag by whose value calls are told apart for that. @default 'workflow' */
  readonly alertTag?: string;
}
