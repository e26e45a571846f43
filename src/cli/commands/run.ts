/** polyphony run: plans a request, or reads a plan, and runs it. */

import type { Command } from 'commander';
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { assertOneFormat, type FollowOptions } from '../input/follow-options.ts';
import { amount, collectValues, wholeNumber } from '../input/option-values.ts';
import type { InputFor } from '../input/run-input.ts';
import type { GivenPlan, RunTarget } from '../input/run-target.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { withInterrupt } from '../process/interrupt.ts';
import type { Session } from '../process/session.ts';
import type { Terminal } from '../screen/terminal.ts';

interface Options extends FollowOptions {
  readonly input: readonly string[];
  readonly budget?: number;
  readonly concurrency?: number;
  readonly session?: string;
  readonly requestId?: string;
  /** Commander's `--no-streaming`. */
  readonly streaming?: boolean;
  readonly approve?: boolean;
  readonly fresh?: boolean;
  readonly tag: readonly string[];
}

export const command = defineCommand<Options, [what: string]>({
  define: (run) =>
    withRunOptions(run)
      .description(
        'Plan a request and run it, or run a plan file or a workflow. The answer goes to standard output. ' +
          'Ctrl-C stops the run and keeps its finished nodes for "runs resume".',
      )
      .argument('<what>', 'a request in words, a .plan.json, or workflow:<id>')
      .option('--no-streaming', 'finish the whole plan before any of its nodes runs')
      .option('--approve', 'run the plan without asking, whatever it changes or costs')
      .option('--fresh', 'plan anew, though the plan cache may hold a plan')
      .addHelpText(
        'after',
        examples(
          'polyphony run "summarise README.md" --budget 0.05',
          'polyphony run my.plan.json -i path=README.md -i \'tags=["a","b"]\'',
          'polyphony run my.plan.json -i text=@letter.txt      the text of a file as a field',
          'polyphony run my.plan.json -i @input.json           the whole input from a file',
          "polyphony run my.plan.json --json | jq '.output'    one document: runId, status, output, costUsd, nodes",
          'polyphony run my.plan.json --events                 one JSON line per event, while it runs',
        ),
      ),
  handle: async (terminal, options, argument) => {
    assertOneFormat(options);
    const { runTargetOf } = await import('../input/run-target.ts');
    const { inputOf } = await import('../input/run-input.ts');
    const what = await runTargetOf(argument);
    const prepared = { ...options, input: await inputOf(options.input), tags: tagsOf(options.tag) };
    const { withPolyphony } = await import('../process/session.ts');
    return withPolyphony(options, terminal, (session) =>
      withInterrupt(terminal, (signal) => runTarget(session, what, prepared, terminal, signal)),
    );
  },
});

function withRunOptions(run: Command): Command {
  return run
    .option('-i, --input <value>', 'key=value, a JSON object, @file.json, or key=@file (repeatable)', collectValues, [])
    .option('-b, --budget <usd>', 'stop the run before it costs more than this, planning included', amount)
    .option('-c, --concurrency <n>', 'nodes that run at the same time (default: 64)', wholeNumber)
    .option('--session <id>', 'keep the calls of this session on the same model')
    .option('--request-id <id>', 'your own id of what the run is for, in the log line of each attempt')
    .option('--tag <key=value>', 'mark the run and its costs (repeatable)', collectValues, [])
    .option('--events', 'print every event as a JSON line instead of the result')
    .option('-q, --quiet', 'print only the answer');
}

function tagsOf(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((tag) => {
      const equals = tag.indexOf('=');
      if (equals < 1) throw new UsageError(`--tag "${tag}" must be key=value, such as team=search`);
      return [tag.slice(0, equals), tag.slice(equals + 1)];
    }),
  );
}

interface Prepared extends Omit<Options, 'input' | 'tag'>, SharedOptions {
  readonly input: InputFor;
  readonly tags: Record<string, string>;
}

async function runTarget(
  session: Session,
  what: RunTarget,
  options: Prepared,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const { polyphony } = session;
  // Fails on an unusable store before the planner is paid.
  await polyphony.stores.journal.list({ limit: 1 });
  const plan = what.type === 'request' ? what.text : await planOf(session, what, options, terminal);
  if (plan === undefined) return EXIT.invalidPlan;
  const { draw } = await import('../../drawing/index.ts');
  const { follow } = await import('../process/follow.ts');
  const show = (valid: ValidPlan): void => {
    // The live view also lists the nodes: where both do not fit, only the live view is shown.
    const fits = 2 * valid.nodes.length + 6 <= terminal.rows();
    if (terminal.live && showsProgress(options) && fits)
      terminal.say(`${draw(valid, 'tree', undefined, terminal.columns())}\n`);
  };
  const { sayEstimate } = await import('../process/approve-plan.ts');
  const tellsEstimate = terminal.live && showsProgress(options);
  const startView = (valid: ValidPlan): void => {
    if (plansFirst) {
      terminal.status([]);
      show(valid);
    }
    if (tellsEstimate) sayEstimate(valid, terminal);
  };
  const planning = typeof plan === 'string';
  // Otherwise the run exists from the start, and its live view shows the plan as it is written.
  const plansFirst = planning && options.streaming === false;
  if (plansFirst && terminal.live && showsProgress(options)) terminal.status([terminal.paint.dim('planning …')]);
  if (!planning && tellsEstimate) sayEstimate(plan, terminal);
  try {
    const handle = await polyphony.start(plan, options.input(planning ? undefined : plan.plan), {
      signal,
      tags: options.tags,
      ...defined({ budgetUsd: options.budget, concurrency: options.concurrency, session: options.session }),
      ...defined({ requestId: options.requestId }),
      ...(await approvalOptions(options, terminal)),
      ...(plansFirst || (planning && tellsEstimate) ? { onPlan: (made) => startView(made.plan) } : {}),
      // What costs something does not start before its estimate was shown.
      ...(plansFirst ? { streaming: false } : tellsEstimate ? { streaming: 'free' as const } : {}),
    });
    if (!planning) show(plan);
    return await follow(handle, polyphony, options, terminal);
  } catch (error) {
    if (plansFirst) terminal.status([]);
    throw stoppedWhilePlanning(error, signal);
  }
}

/** Where nobody can be asked, what a model plans to change is refused. */
async function approvalOptions({ approve, fresh, events }: Prepared, terminal: Terminal) {
  const { canAsk } = await import('../process/confirm.ts');
  return {
    attended: events !== true && canAsk(terminal),
    ...defined({ fresh }),
    ...(approve === true ? { approval: { sideEffects: 'allow' as const, aboveUsd: undefined } } : {}),
  };
}

const showsProgress = (options: Prepared): boolean => !options.json && !options.events && !options.quiet;

function stoppedWhilePlanning(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || !(error instanceof PolyphonyError) || error.code !== 'cancelled') return error;
  return new PolyphonyError(
    'cancelled',
    'Stopped while the request was being planned: no run had started, so there is nothing to resume.',
  );
}

/** Shows repairs and warnings and returns the plan; shows the errors of an invalid plan and returns undefined. */
async function planOf(
  { polyphony }: Session,
  given: GivenPlan,
  options: Prepared,
  terminal: Terminal,
): Promise<ValidPlan | undefined> {
  const { firstIssues, refusePlan, repairLine } = await import('../process/given-plan.ts');
  const { planTextIn } = await import('../input/run-target.ts');
  const { source } = given;
  const validation = await polyphony.validate(planTextIn(given, polyphony));
  const { plan, issues, repaired } = validation;
  if (plan === undefined) {
    // The repairs of a plan that runs are told by its run.
    if (showsProgress(options)) for (const repair of repaired) terminal.say(terminal.paint.dim(repairLine(repair)));
    refusePlan(validation, source, options, terminal);
  } else if (terminal.live && showsProgress(options) && issues.length > 0)
    terminal.say(firstIssues(issues, source, terminal));
  return plan;
}
