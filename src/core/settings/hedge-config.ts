/** When a second target is asked beside one that is slow. */
export interface HedgeConfig {
  /**
   * How long the first target may say nothing, in milliseconds.
   *
   * @default what 94.5 % of its own times to the first token stay below, once twenty of its answers count
   */
  readonly afterMs?: number;
  /** The largest share of calls for which a second target is asked, 0 to 1. @default 0.1 */
  readonly share?: number;
}
