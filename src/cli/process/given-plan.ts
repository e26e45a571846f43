/** Validates the plan that the user named, or shows its issues. */
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { PlanIssue, PlanRepair, Validation } from '../../core/plan/validation.ts';
import { oneLine, printable, safeJson } from '../../drawing/plain-text.ts';
import { quoted, thisCommand } from '../input/command-name.ts';
import { counted } from '../screen/counted.ts';
import { issueLines } from '../screen/result-text.ts';
import type { Terminal } from '../screen/terminal.ts';
import type { Session } from './session.ts';

interface Format {
  readonly json?: boolean;
}

/**
 * The plan in a text; shows the issues of an invalid plan and returns undefined.
 *
 * @param source a file, workflow:<id> or the id of a run
 */
export async function validPlan(
  { polyphony }: Session,
  source: string,
  text: string,
  options: Format,
  terminal: Terminal,
): Promise<ValidPlan | undefined> {
  const { plan, issues, repaired } = await polyphony.validate(text);
  if (!options.json) for (const repair of repaired) terminal.say(terminal.paint.dim(repairLine(repair)));
  if (plan !== undefined) return plan;
  const error = { code: 'invalid-plan', message: `${source} cannot run.` };
  if (options.json) terminal.print(safeJson({ status: 'invalid', error, issues }, 2));
  else terminal.say(terminal.wrap(`${oneLine(source)} cannot run:\n${issueLines(issues, terminal.paint)}`, 'stderr'));
  return undefined;
}

/** Shows why a plan cannot run. */
export function refusePlan({ issues }: Validation, source: string, options: Format, terminal: Terminal): void {
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const message = `${source} cannot run: it has ${counted(errors, 'error')}.`;
  if (options.json) {
    terminal.print(safeJson({ status: 'invalid', error: { code: 'invalid-plan', message }, issues }, 2));
  } else terminal.say(`${oneLine(source)} cannot run:\n${firstIssues(issues, source, terminal)}`);
}

const SHOWN_ISSUES = 8;

/** The first eight issues, errors before warnings, with a hint how to see the others. */
export function firstIssues(issues: readonly PlanIssue[], source: string, { paint, wrap }: Terminal): string {
  const sorted = [...issues].sort((a, b) => a.severity.localeCompare(b.severity));
  const lines = wrap(issueLines(sorted.slice(0, SHOWN_ISSUES), paint), 'stderr');
  const hidden = sorted.length - SHOWN_ISSUES;
  if (hidden <= 0) return lines;
  return `${lines}\n… and ${hidden} more: ${thisCommand()} validate ${quoted(oneLine(source))}`;
}

export const repairLine = ({ path, message }: PlanRepair): string =>
  `repaired ${oneLine(path) || '/'}: ${printable(message)}`;
