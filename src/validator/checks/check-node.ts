/** All that is checked of a node by itself, once its references are resolved. */

import type { Study, Subject } from '../analysis/plan-analysis.ts';
import { checkConditions, checkIneffective, checkRepeat, checkWait } from './control.ts';
import { checkInputs } from './inputs.ts';
import { checkModels } from './models.ts';
import { checkId, checkOut, checkUse } from './names.ts';

/** `dependencies`: how many nodes it waits for. */
export function checkNode(subject: Subject, dependencies: number, study: Study): void {
  checkId(subject, study);
  checkUse(subject, study);
  checkOut(subject, study.report);
  checkInputs(subject, study);
  checkConditions(subject, study);
  checkRepeat(subject, study);
  checkWait(subject, dependencies, study);
  checkModels(subject, study);
  checkIneffective(subject, study);
}
