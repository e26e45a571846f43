/** polyphony run: plans a request, or takes a plan, and runs it. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { PlanIssue } from '../../core/plan/validation.ts';
import { draw } from '../../drawing/index.ts';
import { oneLine, printable, safeJson } from '../../drawing/plain-text.ts';
import { quoted, thisCommand } from '../input/command-name.ts';
import { EXIT } from '../input/exit-code.ts';
import { type InputFor, inputOf } from '../input/run-input.ts';
import { assertOneFormat, type RunCommandOptions, tagsOf } from '../input/run-options.ts';
import { type RunTarget, runTargetOf } from '../input/run-target.ts';
import { follow } from '../process/follow.ts';
import { withInterrupt } from '../process/interrupt.ts';
import { type Session, withPolyphony } from '../process/session.ts';
import { counted, issueLines } from '../screen/result-text.ts';
import type { Terminal } from '../screen/terminal.ts';

interface Prepared extends Omit<RunCommandOptions, 'input' | 'tag'> {
  readonly input: InputFor;
  readonly tags: Record<string, string>;
}

export async function runCommand(argument: string, options: RunCommandOptions, terminal: Terminal): Promise<number> {
  assertOneFormat(options);
  const what = await runTargetOf(argument);
  const prepared = { ...options, input: await inputOf(options.input), tags: tagsOf(options.tag) };
  return withPolyphony(options, terminal, (session) =>
    withInterrupt(terminal, (signal) => runWhat(session, what, prepared, terminal, signal)),
  );
}

async function runWhat(
  session: Session,
  what: RunTarget,
  options: Prepared,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { polyphony } = session;
  // A store that cannot be used is told before a planner is paid.
  await polyphony.stores.journal.list({ limit: 1 });
  const plan = what.type === 'plan' ? await planOf(session, what, options, terminal) : what.text;
  if (plan === undefined) return EXIT.invalidPlan;
  const show = (valid: ValidPlan): void => {
    // The live view names the nodes too: where both do not fit, it alone stays.
    const fits = 2 * valid.nodes.length + 6 <= terminal.rows();
    if (terminal.live && talks(options) && fits)
      terminal.say(`${draw(valid, 'tree', undefined, terminal.columns())}\n`);
  };
  const startView = (valid: ValidPlan): void => {
    terminal.status([]);
    show(valid);
  };
  const planning = typeof plan === 'string';
  // Else the run is there from the start, and its own view shows the plan as it is written.
  const plansFirst = planning && options.streaming === false;
  if (plansFirst && terminal.live && talks(options)) terminal.status([terminal.paint.dim('planning …')]);
  try {
    const handle = await polyphony.start(plan, options.input(planning ? undefined : plan.plan), {
      signal,
      tags: options.tags,
      scopes: Object.entries(options.tags).map(([name, value]) => ({ kind: 'tag', id: `${name}=${value}` })),
      ...(options.budget === undefined ? {} : { budgetUsd: options.budget }),
      ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
      ...(options.session === undefined ? {} : { session: options.session }),
      ...(plansFirst ? { streaming: false, onPlan: (made) => startView(made.plan) } : {}),
    });
    if (!planning) show(plan);
    return await follow(handle, polyphony, options, terminal);
  } catch (error) {
    if (plansFirst) terminal.status([]);
    throw stoppedWhilePlanning(error, signal);
  }
}

const talks = (options: Prepared): boolean => !options.json && !options.events && !options.quiet;

function stoppedWhilePlanning(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || !(error instanceof PolyphonyError) || error.code !== 'cancelled') return error;
  return new PolyphonyError(
    'cancelled',
    'Stopped while the request was being planned: no run was begun, so none is kept.',
  );
}

async function planOf(
  session: Session,
  what: Extract<RunTarget, { type: 'plan' }>,
  options: Prepared,
  terminal: Terminal,
): Promise<ValidPlan | undefined> {
  const { plan, issues, repaired } = await session.polyphony.validate(what.text);
  if (talks(options)) {
    for (const { path, message } of repaired) {
      terminal.say(terminal.paint.dim(`repaired ${oneLine(path) || '/'}: ${printable(message)}`));
    }
  }
  if (plan !== undefined) {
    if (terminal.live && talks(options) && issues.length > 0) terminal.say(firstIssues(issues, what.source, terminal));
    return plan;
  }
  const errors = issues.filter(({ severity }) => severity === 'error').length;
  const message = `${what.source} cannot run: it has ${counted(errors, 'error')}.`;
  if (options.json) {
    terminal.print(safeJson({ status: 'invalid', error: { code: 'invalid-plan', message }, issues }, 2));
  } else terminal.say(`${oneLine(what.source)} cannot run:\n${firstIssues(issues, what.source, terminal)}`);
  return undefined;
}

const SHOWN_ISSUES = 8;

/** Errors first, and no screen full of them. */
function firstIssues(issues: readonly PlanIssue[], source: string, { paint }: Terminal): string {
  const sorted = [...issues].sort((a, b) => a.severity.localeCompare(b.severity));
  const lines = issueLines(sorted.slice(0, SHOWN_ISSUES), paint);
  const hidden = sorted.length - SHOWN_ISSUES;
  if (hidden <= 0) return lines;
  return `${lines}\n… and ${hidden} more: ${thisCommand()} validate ${quoted(oneLine(source))}`;
}
