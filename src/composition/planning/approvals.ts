/** What a run's plans need before they may run: the run's own approval over that of the config over the defaults. */
import { assertKnownFields, type KnownFields, shown } from '../../core/checked-options.ts';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Approval, GivenApproval, SideEffectsApproval } from '../../core/plan/approval.ts';
import { nearest } from '../../language/suggest.ts';

const FIELDS: KnownFields<Approval> = { aboveUsd: true, sideEffects: true };
const CHOICES: readonly SideEffectsApproval[] = ['ask', 'allow', 'deny'];

/** An approval of which nothing is left open. */
export interface WholeApproval {
  readonly aboveUsd: number | undefined;
  readonly sideEffects: SideEffectsApproval;
  /** Steps that declare nothing count as well, because they may do anything. */
  readonly undeclared: boolean;
}

/** @throws invalid-request naming the field, its value and the rule */
export function assertApproval(approval: GivenApproval | undefined): void {
  if (approval === undefined) return;
  if (typeof approval !== 'object' || approval === null)
    throw invalid(`The approval of a run cannot be ${shown(approval)}: give { aboveUsd, sideEffects }.`);
  assertKnownFields('The approval of a run', approval, FIELDS, nearest);
  const { aboveUsd, sideEffects } = approval;
  if (aboveUsd !== undefined && !(typeof aboveUsd === 'number' && aboveUsd >= 0 && Number.isFinite(aboveUsd)))
    throw invalid(`approval.aboveUsd cannot be ${shown(aboveUsd)}: give an amount in US dollars from 0 on.`);
  if (sideEffects !== undefined && !CHOICES.includes(sideEffects))
    throw invalid(`approval.sideEffects cannot be ${shown(sideEffects)}: use one of ${CHOICES.join(', ')}.`);
}

const invalid = (message: string): PolyphonyError => new PolyphonyError('invalid-request', message);

/** Of a plan or a workflow that the caller wrote: it is what was asked for, so nothing is asked unless somebody says so. */
export function ofCaller(run: Approval | undefined, config: Approval | undefined): WholeApproval {
  const { aboveUsd, sideEffects = 'allow' } = run ?? config ?? {};
  return { aboveUsd, sideEffects, undeclared: true };
}

/**
 * Of a plan that a model wrote. Nobody can be asked unless the run says so, and what nobody approves does not run. Where nobody has said
 * anything, that is only what says itself that it has side effects: a tool that says nothing was given to the planner, and would else
 * never run.
 */
export function ofModel(run: Approval | undefined, config: Approval | undefined, hasGate = false): WholeApproval {
  const { aboveUsd, sideEffects } = run ?? config ?? {};
  const undeclared = sideEffects !== undefined;
  return { aboveUsd, sideEffects: sideEffects ?? (hasGate ? 'allow' : 'deny'), undeclared };
}

/**
 * What a run says of its plans, over what the config says: a field that is there but undefined takes that of the config away. Somebody
 * who can be asked is asked, unless one of them says otherwise. Undefined: the config alone decides.
 */
export function ofRun(
  run: GivenApproval | undefined,
  config: Approval | undefined,
  attended: boolean | undefined,
): Approval | undefined {
  if (attended !== true && run === undefined) return undefined;
  const { aboveUsd, sideEffects = attended === true ? 'ask' : undefined } = { ...config, ...run };
  return defined({ aboveUsd, sideEffects });
}
