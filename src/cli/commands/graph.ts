/** polyphony graph: draws a plan, or a run with the states of its nodes. */
import { Option } from 'commander';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { NodeState } from '../../core/run/engine.ts';
import type { DrawingFormat, OpenedWorkflow } from '../../drawing/index.ts';
import { oneLine, printable, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT, UsageError } from '../input/exit-code.ts';
import type { Session } from '../process/session.ts';

interface Options {
  readonly format: DrawingFormat;
  readonly out?: string;
  readonly open?: boolean;
}

export const command = defineCommand<Options, [plan: string]>({
  define: (graph) =>
    graph
      .argument('<plan>', 'a .plan.json, workflow:<id>, or a run id')
      .addOption(
        new Option('-f, --format <format>', 'the format of the drawing')
          .choices(['tree', 'mermaid', 'svg'])
          .default('tree'),
      )
      .option('-o, --out <file>', 'write the drawing to this file')
      .option('--open', 'draw the workflows of the plan too, not only a box for each use')
      .addHelpText(
        'after',
        examples(
          'polyphony graph my.plan.json',
          'polyphony graph my.plan.json -f svg -o my.svg',
          'polyphony graph run_4f1c… -f mermaid      the run, its nodes coloured by state',
        ),
      ),
  handle: async (terminal, { format, out, open, ...options }, argument) => {
    const isRun = argument.startsWith('run_');
    const { givenPlanOf, planTextIn } = await import('../input/run-target.ts');
    const given = isRun ? undefined : await givenPlanOf(argument);
    const { withStoreToRead } = await import('../process/session.ts');
    const { validPlan } = await import('../process/given-plan.ts');
    const { draw } = await import('../../drawing/index.ts');
    const { write } = await import('../input/read-file.ts');
    return withStoreToRead(options, terminal, async (session) => {
      const source = given === undefined ? await planOfRun(session, argument) : planTextIn(given, session.polyphony);
      const plan = await validPlan(session, argument, source, options, terminal);
      if (plan === undefined) return EXIT.invalidPlan;
      const states = isRun ? await statesOf(session, argument) : undefined;
      const drawing = draw(plan, format, states, undefined, open === true ? await openedOf(session, plan) : []);
      if (out !== undefined) await write(out, drawing.endsWith('\n') ? drawing : `${drawing}\n`);
      if (options.json) terminal.print(safeJson({ format, ...(out === undefined ? { drawing } : { file: out }) }, 2));
      else if (out === undefined) terminal.print(printable(drawing).trimEnd());
      else terminal.say(`wrote ${oneLine(out)}`);
      return EXIT.done;
    });
  },
});

/** The workflows that the plan brings with it, in its order. */
async function openedOf({ polyphony }: Session, { plan }: ValidPlan): Promise<readonly OpenedWorkflow[]> {
  const { memberPlan } = await import('../../core/plan/plan-workflows.ts');
  const opened: OpenedWorkflow[] = [];
  for (const name of Object.keys(plan.workflows ?? {})) {
    const inner = memberPlan(plan, name);
    const valid = inner === undefined ? undefined : (await polyphony.validate(inner)).plan;
    if (valid !== undefined) opened.push({ name, plan: valid });
  }
  return opened;
}

async function planOfRun({ polyphony }: Session, runId: string): Promise<string> {
  let plan: string | undefined;
  for await (const event of polyphony.engine.replay(runId)) {
    if (event.type === 'run-started' || event.type === 'plan-revised') plan = JSON.stringify(event.plan);
  }
  if (plan !== undefined) return plan;
  throw new UsageError(`There is no run ${runId}: the command "runs list" shows the runs that exist`);
}

async function statesOf({ polyphony }: Session, runId: string): Promise<Map<string, NodeState>> {
  const { nodes } = await polyphony.engine.inspect(runId);
  return new Map(nodes.map((node) => [node.id, node.state]));
}
