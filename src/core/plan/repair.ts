/** What was changed to make a plan valid. */

/** A change that the validator made without a model. Names are only spelt otherwise, never exchanged. */
export interface PlanRepair {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}
