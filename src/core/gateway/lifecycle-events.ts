/** What the gateway tells of models that end, that are not there, that become others, and that are tried in their place. */
import type { CandidateVerdict } from './candidates.ts';
import type { Told } from './told.ts';

/** A model that is deprecated, or ends soon, answered a call. Once a day and model. */
export interface ModelDeprecated extends Told {
  readonly type: 'model-deprecated';
  /** `provider/model`, with `@region` where it has one. */
  readonly what: string;
  /** YYYY-MM-DD; null: not known */
  readonly endsOn: string | null;
}

/**
 * A new session, or a call without one, went to another model, because the one that it would have had ends. Once for each of them; beyond sixty
 * a minute once a minute and pair of models for all others.
 */
export interface ModelShifted extends Told {
  readonly type: 'model-shifted';
  readonly from: string;
  readonly to: string;
  /** How many moved: 1, or the sum of a minute. */
  readonly calls: number;
  /** How many of them are sessions; the others are calls without one. */
  readonly sessions: number;
}

/** Its provider does not know the model, so it is asked only after all others for a while. */
export interface ModelRetired extends Told {
  readonly type: 'model-retired';
  readonly what: string;
  /** Epoch milliseconds when it is asked in its place again. */
  readonly until: number;
}

/** A model that its provider did not know has answered. */
export interface ModelRestored extends Told {
  readonly type: 'model-restored';
  readonly what: string;
}

/** An endpoint says that another version answers than before. Stored answers of the former one are void. */
export interface ModelMoved extends Told {
  readonly type: 'model-moved';
  readonly what: string;
  /** The model and the fingerprint as the endpoint stated them; null: not stated */
  readonly from: StatedVersion;
  readonly to: StatedVersion;
}

export interface StatedVersion {
  readonly model: string | null;
  readonly fingerprint: string | null;
}

/** Enough answers were compared to say whether a candidate is better or worse. Told by one of the processes that share a store. */
export interface CandidateJudged extends Told {
  readonly type: 'candidate-judged';
  readonly candidate: string;
  readonly verdict: CandidateVerdict;
}

/** From now on it answers every call of the model that it stands beside. */
export interface CandidatePromoted extends Told {
  readonly type: 'candidate-promoted';
  readonly candidate: string;
  /** `hand`: a program said so; `rule`: its config did. */
  readonly by: 'hand' | 'rule';
}

/** From now on it gets no calls. */
export interface CandidateDismissed extends Told {
  readonly type: 'candidate-dismissed';
  readonly candidate: string;
  readonly by: 'hand' | 'rule';
}

export type LifecycleEvent =
  | ModelDeprecated
  | ModelShifted
  | ModelRetired
  | ModelRestored
  | ModelMoved
  | CandidateJudged
  | CandidatePromoted
  | CandidateDismissed;
