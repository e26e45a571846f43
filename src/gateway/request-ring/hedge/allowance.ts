/** How many calls may have a second target: a share of all that could. */

/** What is saved up in a long time without a second target: an outage that begins then is not met with a second one a call. */
const MOST_SAVED = 10;
/** Sums of fractions fall short of whole numbers. */
const ROUNDING = 1e-9;

export interface Allowance {
  /** Counts a call that could have a second target. */
  count(share: number): void;
  /** Whether one more call may have a second target now; if so, it is taken. */
  take(): boolean;
  /** It was not used after all. */
  giveBack(): void;
}

export function createAllowance(): Allowance {
  let saved = 0;
  return {
    count(share) {
      saved = Math.min(saved + share, MOST_SAVED);
    },
    take() {
      if (saved + ROUNDING < 1) return false;
      saved -= 1;
      return true;
    },
    giveBack() {
      saved += 1;
    },
  };
}
