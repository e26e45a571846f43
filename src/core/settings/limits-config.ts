/** What runs and answers may become, and how long it is kept. */
export interface RetentionConfig {
  /** Days after which runs that have ended are removed. @default they are kept */
  readonly runsDays?: number;
  /** Days after which rows of the ledger are removed. @default they are kept */
  readonly ledgerDays?: number;
  /** Days after which expired values and counters of past days and months are removed. @default counters are kept */
  readonly valuesDays?: number;
  /** Days after which threads are removed in which nothing was said since. @default they are kept */
  readonly threadsDays?: number;
  /** Days after which indexes of passages are removed that were not used since. @default they are kept, within the bounds of the store */
  readonly indexesDays?: number;
}

export interface BoundsConfig {
  /** Most nodes of a plan. @default 256 */
  readonly nodes?: number;
  /** Most bytes of the plan's JSON. @default 1048576 */
  readonly bytes?: number;
  /** Deepest nesting of the plan's JSON, in levels. @default 32 */
  readonly depth?: number;
  /** Most items of an `each`. @default 10000 */
  readonly items?: number;
  /** Most rounds of a `repeat`. @default 20 */
  readonly rounds?: number;
  /** Most rounds in which a model may call tools, where its node says how many. @default 20 */
  readonly toolRounds?: number;
  /** Deepest nesting of workflows and plans, in levels. @default 4 */
  readonly nesting?: number;
}

export interface LimitsConfig {
  /** What a run may do, with the runs nested in it, over all processes that drive it. */
  readonly run?: RunLimitsConfig;
  /** How large the values of a run may become. */
  readonly values?: ValueLimitsConfig;
  /** What a provider may send in one answer. */
  readonly answers?: AnswerLimitsConfig;
}

export interface RunLimitsConfig {
  /** Most calls of models by its nodes. @default 20000 */
  readonly calls?: number;
  /** Longest time in which a process drives it, in seconds. @default none */
  readonly seconds?: number;
  /** Most calls of the planner's model. @default 200 */
  readonly plannerCalls?: number;
  /** Longest time for which its end waits for undoing, in milliseconds; each effect that is left then gets one second. @default 600000 */
  readonly undoMs?: number;
}

export interface ValueLimitsConfig {
  /** Most bytes of one value as JSON: an input, the result of a call, an item or a round, an answer. @default 8388608 */
  readonly valueBytes?: number;
  /** Most bytes that the templates of one node make, over all its items and rounds; also of what a model and its tools say in one call of it. @default 16777216 */
  readonly renderedBytes?: number;
  /** Most bytes of all values of a run, with the runs nested in it; of a list of items and of its output too. @default 67108864 */
  readonly runBytes?: number;
  /** Most bytes that a run writes to its journal, to threads and to indexes. @default 134217728 */
  readonly writtenBytes?: number;
}

export interface AnswerLimitsConfig {
  /** Most bytes of one answer, decompressed, 1 to 67108864. A stream may take four times as many on its way. @default 67108864 */
  readonly bytes?: number;
  /** Most tool calls of one answer. @default 128 */
  readonly toolCalls?: number;
  /**
   * Tokens of the visible answer of a node that sets no `maxTokens`; a model that reasons gets more, and none more than its
   * card allows. @default 4096
   */
  readonly nodeTokens?: number;
  /** A node's stream is stopped when so many characters at its end only repeat themselves, 256 to 65536; 0: never. @default 2048 */
  readonly repeatedCharacters?: number;
}
