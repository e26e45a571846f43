/** polyphony plan, validate, estimate and graph: everything about a plan short of running it. */
import { writeFile } from 'node:fs/promises';
import type { NodeState } from '../core/engine.ts';
import { formatUsd } from '../core/money.ts';
import type { NodeEstimate, ValidPlan } from '../core/plan.ts';
import { type DrawingFormat, draw } from '../drawing/index.ts';
import { EXIT, UsageError } from './exit-code.ts';
import { interruptible } from './follow.ts';
import { issueLines, tableText } from './result-text.ts';
import { type Session, withPolyphony } from './session.ts';
import type { SharedOptions } from './shared-options.ts';
import { printable, type Terminal } from './terminal.ts';
import { whatOf } from './what.ts';

/** Text to a file that the user named, or to standard output. */
async function deliver(text: string, file: string | undefined, terminal: Terminal): Promise<void> {
  if (file === undefined) {
    terminal.print(text.trimEnd());
    return;
  }
  await writeFile(file, text.endsWith('\n') ? text : `${text}\n`);
  terminal.say(`wrote ${file}`);
}

export async function planCommand(
  request: string,
  options: SharedOptions & { readonly out?: string },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const interrupt = interruptible(terminal);
    try {
      const planning = await polyphony.plan(request, { signal: interrupt.signal });
      if (!options.json) {
        terminal.say(`${draw(planning.plan, 'tree')}\n`);
        terminal.say(terminal.paint.dim(`planned in ${planning.rounds} rounds for ${formatUsd(planning.costNanoUsd)}`));
        if (planning.issues.length > 0) terminal.say(issueLines(planning.issues, terminal.paint));
      }
      await deliver(JSON.stringify(planning.plan.plan, null, 2), options.out, terminal);
      return EXIT.done;
    } finally {
      interrupt.release();
    }
  });
}

async function planTextOf(argument: string): Promise<string> {
  const what = await whatOf(argument);
  if (what.type === 'plan') return what.text;
  throw new UsageError(`"${argument}" is no plan file; name a .json file or workflow:<id>`);
}

export async function validateCommand(
  argument: string,
  options: SharedOptions & { readonly repair: boolean },
  terminal: Terminal,
): Promise<number> {
  const text = await planTextOf(argument);
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const { plan, issues, repaired } = polyphony.validate(text, { repair: options.repair });
    const code = plan === undefined ? EXIT.invalidPlan : EXIT.done;
    if (options.json) {
      terminal.print(JSON.stringify({ valid: plan !== undefined, issues, repaired }, null, 2));
      return code;
    }
    for (const repair of repaired) terminal.print(`repaired ${repair.path || '/'}: ${printable(repair.message)}`);
    if (issues.length > 0) terminal.print(issueLines(issues, terminal.paint));
    if (plan !== undefined)
      terminal.print(`${terminal.paint.green('valid')}: ${plan.nodes.length} nodes, hash ${plan.hash.slice(0, 12)}`);
    return code;
  });
}

/** The plan of the argument, its issues shown when it cannot run. */
function validPlan({ polyphony }: Session, argument: string, text: string, terminal: Terminal): ValidPlan | undefined {
  const { plan, issues } = polyphony.validate(text);
  if (plan === undefined) terminal.say(`${argument} cannot run:\n${issueLines(issues, terminal.paint)}`);
  return plan;
}

const moneyRow = (name: string, estimate: NodeEstimate): readonly string[] => [
  name,
  formatUsd(estimate.lowNanoUsd),
  formatUsd(estimate.expectedNanoUsd),
  formatUsd(estimate.highNanoUsd),
  `${Math.round(estimate.expectedMs)} ms`,
];

export async function estimateCommand(argument: string, options: SharedOptions, terminal: Terminal): Promise<number> {
  const text = await planTextOf(argument);
  return withPolyphony(options, terminal, async (session) => {
    const plan = validPlan(session, argument, text, terminal);
    if (plan === undefined) return EXIT.invalidPlan;
    const nodes = plan.nodes.map(({ node, estimate }) => ({ id: node.id, ...estimate }));
    if (options.json) terminal.print(JSON.stringify({ run: plan.estimate, nodes }, null, 2));
    else {
      const rows = [
        ['node', 'low', 'expected', 'high', 'time'],
        ...nodes.map((node) => moneyRow(node.id, node)),
        moneyRow('the run', plan.estimate),
      ];
      terminal.print(tableText(rows, terminal.paint));
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
    const plan = validPlan(session, argument, source, terminal);
    if (plan === undefined) return EXIT.invalidPlan;
    const states = isRun ? await statesOf(session, argument) : undefined;
    await deliver(draw(plan, options.format, states), options.out, terminal);
    return EXIT.done;
  });
}

async function planOfRun({ polyphony }: Session, runId: string): Promise<string> {
  let plan: string | undefined;
  for await (const event of polyphony.engine.replay(runId)) {
    if (event.type === 'run-started' || event.type === 'plan-revised') plan = JSON.stringify(event.plan);
  }
  if (plan === undefined)
    throw new UsageError(`There is no run ${runId}; \`polyphony runs list\` shows those that there are`);
  return plan;
}

async function statesOf({ polyphony }: Session, runId: string): Promise<Map<string, NodeState>> {
  const { nodes } = await polyphony.engine.inspect(runId);
  return new Map(nodes.map((node) => [node.id, node.state]));
}
