/** What happens to models that end, and which are tried in their place. */
export interface LifecycleConfig {
  /** Days before its end from which new sessions leave a model, 0 to 3650; a deprecated one is left at once. @default 30 */
  readonly noticeDays?: number;
  /** How long a model that its provider does not know is asked last, in milliseconds; 0: never. @default 900000 */
  readonly retireMs?: number;
}

/** A model that gets a share of another's calls, so that both can be compared. */
export interface CandidateConfig {
  /** The model in use: calls whose first choice it is take part. `provider/model`, or another name of it. */
  readonly of: string;
  /** The candidate, by such a name. */
  readonly model: string;
  /** The share of those calls that it answers, 0 to 1: 0.3 is a split of 70 to 30. @default 0 */
  readonly share?: number;
  /** The share of those calls that are repeated at the candidate when their caller has the answer, 0 to 1. @default 0 */
  readonly mirror?: number;
  /** The most that repeated calls may cost a day, in US dollars. @default 1 */
  readonly mirrorUsd?: number;
  /** Calls of each side before the first comparison, 50 to 1000000. @default 200 */
  readonly samples?: number;
  /** How sure a verdict has to be, 0.5 to 0.9999. @default 0.95 */
  readonly confidence?: number;
  /** The difference of scores or rates that does not matter, 0 to 0.5. @default 0.05 */
  readonly margin?: number;
  /** The verdict at which it takes over; one that is worse then gets no calls. @default 'never': by hand */
  readonly promote?: 'better' | 'not-worse' | 'never';
}
