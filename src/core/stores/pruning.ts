/** What is removed from a store, and how much of it was. */

/** What is old enough to be removed. A store removes a bounded part at a time, so that it blocks nobody for long. */
export interface PruneOptions {
  /** Epoch milliseconds: what was last changed before. */
  readonly before: number;
  /** The `next` of the part before. @default the first part */
  readonly after?: string;
  /** Removes nothing, and counts what would be. @default false */
  readonly dryRun?: boolean;
}

/** One part of what was removed. */
export interface Pruned {
  readonly removed: number;
  /** There may be more: pass it as `after`. */
  readonly next?: string;
}
