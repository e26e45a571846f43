/** The options of what a program asks of a plan before it runs, from JavaScript too: one that is misspelt is refused, not ignored. */
import {
  assertKnownFields,
  BOOLEAN,
  CALLBACK,
  type KnownFields,
  numberFrom,
  oneOf,
  TEXT,
} from '../../core/checked-options.ts';
import type { CallOptions } from '../../core/gateway.ts';
import { SENSITIVITIES } from '../../core/model/model.ts';
import type { PlanningListener, PlanningOptions } from '../../core/plan/planner.ts';
import type { ValidateOptions } from '../../core/plan/validation.ts';
import type { SimulateOptions } from '../../core/run/simulation.ts';
import { CALL_FIELDS } from '../../gateway/calls/call.ts';
import { nearest } from '../../language/suggest.ts';

export type PlanOptions = CallOptions & OfPlanning;

type OfPlanning = PlanningListener & Pick<PlanningOptions, 'fresh' | 'seconds' | 'sensitivity'>;

const PLANNING: KnownFields<OfPlanning> = {
  onDelta: CALLBACK,
  onRestart: CALLBACK,
  onCall: CALLBACK,
  onAnswer: CALLBACK,
  fresh: BOOLEAN,
  seconds: numberFrom(0, Number.POSITIVE_INFINITY, 'a number of seconds from 0 on'),
  sensitivity: oneOf(...SENSITIVITIES),
};
const PLAN: KnownFields<PlanOptions> = { ...CALL_FIELDS, ...PLANNING };
const VALIDATE: KnownFields<ValidateOptions> = { repair: BOOLEAN, request: TEXT, begun: BOOLEAN };
/** The simulation itself checks their values. */
const SIMULATE: KnownFields<SimulateOptions> = { runs: true, seed: true, concurrency: true, usd: true, seconds: true };

/** @throws invalid-request naming the option, its value and the rule */
export function checkedPlanOptions(options: PlanOptions | undefined): PlanOptions | undefined {
  if (options !== undefined) assertKnownFields('A planning', options, PLAN, nearest);
  return options;
}

/** @throws invalid-request, as above */
export function checkedValidateOptions(options: ValidateOptions | undefined): ValidateOptions | undefined {
  if (options !== undefined) assertKnownFields('A validation', options, VALIDATE, nearest);
  return options;
}

/** @throws invalid-request, as above */
export function checkedSimulateOptions(options: SimulateOptions | undefined): SimulateOptions | undefined {
  if (options !== undefined) assertKnownFields('A simulation', options, SIMULATE, nearest);
  return options;
}
