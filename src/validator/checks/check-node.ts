/** All checks of a single node, once its references are resolved. */

import type { NodeAnalysis, PlanAnalysis } from '../analysis/plan-analysis.ts';
import { checkPrompt } from '../prompts/check-prompt.ts';
import { checkAgents } from './agents.ts';
import { checkApprovals } from './approval.ts';
import { checkBraces } from './braces.ts';
import { checkComparisons } from './comparisons.ts';
import { checkConditions, checkFinish, checkIneffective, checkRepeat, checkWait } from './control.ts';
import { checkInputs } from './inputs.ts';
import { checkModels } from './models.ts';
import { checkId, checkOut, checkUse } from './names.ts';
import { checkThread } from './thread.ts';
import { checkUndo } from './undo.ts';
import { checkWaiting } from './waiting.ts';

/** `dependencies`: how many nodes it waits for. */
export function checkNode(nodeAnalysis: NodeAnalysis, dependencies: number, analysis: PlanAnalysis): void {
  checkId(nodeAnalysis, analysis);
  checkUse(nodeAnalysis, analysis);
  checkAgents(nodeAnalysis, analysis);
  checkOut(nodeAnalysis, analysis.report);
  checkInputs(nodeAnalysis, analysis);
  checkPrompt(nodeAnalysis, analysis);
  checkBraces(nodeAnalysis, analysis);
  checkConditions(nodeAnalysis, analysis);
  checkComparisons(nodeAnalysis, analysis);
  checkRepeat(nodeAnalysis, analysis);
  checkWait(nodeAnalysis, dependencies, analysis);
  checkFinish(nodeAnalysis, analysis);
  checkUndo(nodeAnalysis, analysis);
  checkModels(nodeAnalysis, analysis);
  checkThread(nodeAnalysis, analysis);
  checkIneffective(nodeAnalysis, analysis);
  checkApprovals(nodeAnalysis, analysis);
  checkWaiting(nodeAnalysis, analysis);
}
