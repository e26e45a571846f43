/** What is kept ready before it is needed. */
export interface WarmConfig {
  /** Requests of one token are sent to the model while it is idle, each so many seconds, 5 to 3600. */
  readonly everySeconds: number;
  /** The most that they may cost in a day (UTC), in US dollars. */
  readonly usdPerDay: number;
}
