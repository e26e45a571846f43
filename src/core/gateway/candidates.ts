/** Models that are tried in the place of another: what is known of both, and what follows from it. */

/** What was observed of one side of a comparison. */
export interface CandidateArm {
  /** Calls that this side was to answer. */
  readonly calls: number;
  /** Shares of the calls, 0 to 1: those that it failed to answer, and answers that refused or were filtered. */
  readonly failureRate: number;
  readonly refusalRate: number;
  /** The mean length of its answers in tokens; null before the first. */
  readonly outputTokens: number | null;
  /** Scores that were reported, and their mean; null before the first. */
  readonly scores: number;
  readonly score: number | null;
}

export interface CandidateVerdict {
  /** `not-worse`: by no more than the margin of the config. */
  readonly result: 'better' | 'not-worse' | 'worse' | 'undecided';
  /** How sure that is, 0 to 1; that of the strongest comparison where it is undecided. */
  readonly confidence: number;
  /** A sentence for each comparison that decided. */
  readonly reasons: readonly string[];
}

export interface CandidateReport {
  /** Its name in the config. */
  readonly candidate: string;
  readonly of: string;
  readonly model: string;
  readonly state: 'trying' | 'promoted' | 'dismissed';
  readonly arms: { readonly current: CandidateArm; readonly candidate: CandidateArm };
  readonly verdict: CandidateVerdict;
  /** Requests of callers that were repeated at the candidate, and those that were left out: too many at once, or no money left. */
  readonly mirrored: number;
  readonly notMirrored: number;
}
