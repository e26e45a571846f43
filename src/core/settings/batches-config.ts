/** How calls that are not urgent are collected into batches of a provider. */
export interface BatchesConfig extends BatchSizeConfig {
  /** The first pause before a sent batch is asked for, in milliseconds; it grows by half each time. @default 30000 */
  readonly pollMs?: number;
  /** The longest of these pauses, in milliseconds. @default 600000 */
  readonly maxPollMs?: number;
  /** How long before its deadline a call that has no answer yet is made at once, in milliseconds. @default 120000 */
  readonly liveMs?: number;
  /** How long an answer can be fetched by its id, in milliseconds. @default 604800000 */
  readonly keepMs?: number;
  /** Calls that may wait in this process, 1 to 100000; further ones are made at once. @default 10000 */
  readonly pending?: number;
  /** Other values for some providers, by their id, at most 100. @default none */
  readonly providers?: Readonly<Record<string, BatchSizeConfig>>;
}

export interface BatchSizeConfig {
  /** How long a call waits for others that go with it, in milliseconds. @default 60000 */
  readonly flushMs?: number;
  /** Calls of a batch, 1 to 50000; a batch is sent when it has so many. @default 1000 */
  readonly size?: number;
}
