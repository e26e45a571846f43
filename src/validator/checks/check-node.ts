/** All checks of a single node, once its references are resolved. */

import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { checkConditions, checkIneffective, checkRepeat, checkWait } from './control.ts';
import { checkInputs } from './inputs.ts';
import { checkModels } from './models.ts';
import { checkId, checkOut, checkUse } from './names.ts';

/** `dependencies`: how many nodes it waits for. */
export function checkNode(subject: NodeAnalysis, dependencies: number, analysis: PlanAnalysis): void {
  checkId(subject, analysis);
  checkUse(subject, analysis);
  checkOut(subject, analysis.report);
  checkInputs(subject, analysis);
  checkConditions(subject, analysis);
  checkRepeat(subject, analysis);
  checkWait(subject, dependencies, analysis);
  checkModels(subject, analysis);
  checkIneffective(subject, analysis);
}
