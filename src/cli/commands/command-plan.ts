/** polyphony plan, validate, estimate and graph: everything about a plan short of running it. */

import { formatUsd, nanoToUsd } from '../../core/money/money.ts';
import type { NodeEstimate, ValidPlan } from '../../core/plan/plan.ts';
import type { PlanningResult } from '../../core/plan/planner.ts';
import type { NodeState } from '../../core/run/engine.ts';
import { type DrawingFormat, draw } from '../../drawing/index.ts';
import { oneLine, printable, safeJson } from '../../drawing/plain-text.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import { write } from '../input/read-file.ts';
import { planTextOf } from '../input/run-target.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { withInterrupt } from '../process/interrupt.ts';
import { type Session, withPolyphony } from '../process/session.ts';
import { durationText } from '../screen/progress.ts';
import { counted, issueLines, tableText } from '../screen/result-text.ts';
import type { Terminal } from '../screen/terminal.ts';

const withEnd = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

export async function planCommand(
  request: string,
  options: SharedOptions & { readonly out?: string },
  terminal: Terminal,
): Promise<number> {
  if (request.trim() === '') throw new UsageError('The request is empty: say what is to be planned');
  return withPolyphony(options, terminal, ({ polyphony }) =>
    withInterrupt(terminal, async (signal) => {
      const planning = await polyphony.plan(request, { signal });
      // Safe to print and the same JSON, so that it may go to a file either way.
      const text = safeJson(planning.plan.plan, 2);
      if (options.out !== undefined) await write(options.out, withEnd(text));
      if (options.json) terminal.print(safeJson(planningDocument(planning, options.out), 2));
      else {
        showPlanning(planning, terminal);
        if (options.out === undefined) terminal.print(text);
        else terminal.say(`wrote ${oneLine(options.out)}`);
      }
      return EXIT.done;
    }),
  );
}

function planningDocument({ plan, rounds, costNanoUsd, issues }: PlanningResult, file: string | undefined): object {
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  return { plan: plan.plan, hash: plan.hash, rounds, costUsd, issues, ...(file === undefined ? {} : { file }) };
}

function showPlanning({ plan, rounds, costNanoUsd, issues }: PlanningResult, terminal: Terminal): void {
  if (issues.length > 0) terminal.say(issueLines(issues, terminal.paint));
  if (!terminal.live) return;
  terminal.say(`${draw(plan, 'tree', undefined, terminal.columns())}\n`);
  const cost = costNanoUsd === null ? 'an unknown cost' : formatUsd(costNanoUsd);
  terminal.say(terminal.paint.dim(`planned in ${counted(rounds, 'round')} for ${cost}`));
}

export async function validateCommand(
  argument: string,
  options: SharedOptions & { readonly repair: boolean },
  terminal: Terminal,
): Promise<number> {
  const text = await planTextOf(argument);
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const { plan, issues, repaired } = await polyphony.validate(text, { repair: options.repair });
    const code = plan === undefined ? EXIT.invalidPlan : EXIT.done;
    if (options.json) {
      terminal.print(safeJson({ valid: plan !== undefined, issues, repaired }, 2));
      return code;
    }
    for (const { path, message } of repaired) terminal.print(`repaired ${oneLine(path) || '/'}: ${printable(message)}`);
    if (issues.length > 0) terminal.print(issueLines(issues, terminal.paint));
    const { green } = terminal.paint;
    if (plan !== undefined) {
      terminal.print(`${green('valid')}: ${counted(plan.nodes.length, 'node')}, hash ${plan.hash.slice(0, 12)}`);
    }
    return code;
  });
}

/** The plan of the argument; undefined after its issues were shown. */
async function validPlan(
  { polyphony }: Session,
  argument: string,
  text: string,
  options: SharedOptions,
  terminal: Terminal,
): Promise<ValidPlan | undefined> {
  const { plan, issues } = await polyphony.validate(text);
  if (plan !== undefined) return plan;
  const error = { code: 'invalid-plan', message: `${argument} cannot run.` };
  if (options.json) terminal.print(safeJson({ status: 'invalid', error, issues }, 2));
  else terminal.say(`${oneLine(argument)} cannot run:\n${issueLines(issues, terminal.paint)}`);
  return undefined;
}

const moneyRow = (name: string, estimate: NodeEstimate): readonly string[] => [
  name,
  formatUsd(estimate.lowNanoUsd),
  formatUsd(estimate.expectedNanoUsd),
  formatUsd(estimate.highNanoUsd),
  durationText(estimate.expectedMs),
];

export async function estimateCommand(argument: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  const text = await planTextOf(argument);
  return withPolyphony(options, terminal, async (session) => {
    const plan = await validPlan(session, argument, text, options, terminal);
    if (plan === undefined) return EXIT.invalidPlan;
    const nodes = plan.nodes.map(({ node, estimate }) => ({ id: node.id, ...estimate }));
    if (options.json) terminal.print(safeJson({ run: plan.estimate, nodes }, 2));
    else {
      const rows = nodes.map((node) => moneyRow(node.id, node));
      const head = ['node', 'low', 'expected', 'high', 'time'];
      terminal.print(tableText([head, ...rows, moneyRow('the run', plan.estimate)], terminal.paint));
    }
    return EXIT.done;
  });
}

export async function graphCommand(
  argument: string,
  options: SharedOptions & { readonly format: DrawingFormat; readonly out?: string },
  terminal: Terminal,
): Promise<number> {
  const isRun = argument.startsWith('run_');
  const text = isRun ? undefined : await planTextOf(argument);
  return withPolyphony(options, terminal, async (session) => {
    const source = text ?? (await planOfRun(session, argument));
    const plan = await validPlan(session, argument, source, options, terminal);
    if (plan === undefined) return EXIT.invalidPlan;
    const { format, out, json } = options;
    const drawing = draw(plan, format, isRun ? await statesOf(session, argument) : undefined);
    if (out !== undefined) await write(out, withEnd(drawing));
    if (json) terminal.print(safeJson({ format, ...(out === undefined ? { drawing } : { file: out }) }, 2));
    else if (out === undefined) terminal.print(printable(drawing).trimEnd());
    else terminal.say(`wrote ${oneLine(out)}`);
    return EXIT.done;
  });
}

async function planOfRun({ polyphony }: Session, runId: string): Promise<string> {
  let plan: string | undefined;
  for await (const event of polyphony.engine.replay(runId)) {
    if (event.type === 'run-started' || event.type === 'plan-revised') plan = JSON.stringify(event.plan);
  }
  if (plan !== undefined) return plan;
  throw new UsageError(`There is no run ${runId}; the command "runs list" shows those that there are`);
}

async function statesOf({ polyphony }: Session, runId: string): Promise<Map<string, NodeState>> {
  const { nodes } = await polyphony.engine.inspect(runId);
  return new Map(nodes.map((node) => [node.id, node.state]));
}
