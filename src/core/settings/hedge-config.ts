/** When a second target is asked beside one that is slow. */
export interface HedgeConfig {
  /**
   * How long the first target may say nothing, in milliseconds.
   *
   * @default the 95th percentile of its own time to the first token, once twenty of its answers count
   */
  readonly afterMs?: number;
  /** The largest share of calls for which a second target is asked, 0 to 1. @default 0.1 */
  readonly share?: number;
}
