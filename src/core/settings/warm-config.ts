/** What is kept ready before it is needed. */
export interface WarmConfig {
  /** Requests of one token are sent to the model while it is idle, each so many milliseconds, 5000 to 3600000. */
  readonly everyMs: number;
  /** The most that they may cost in a day (UTC), in US dollars. */
  readonly usdPerDay: number;
}
