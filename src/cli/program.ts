/** The commands, their options and their help. What a command does is imported when it runs. */
import { Command, Option } from 'commander';
import { collectValues, type RunCommandOptions, wholeNumber, withRunOptions } from './run-options.ts';
import { DEFAULT_STORE, type SharedOptions } from './shared-options.ts';
import type { Terminal } from './terminal.ts';

/** Ran when the command is called with nothing, in a folder that holds the example texts. */
export const FIRST_REQUEST =
  'Summarise examples/material/harbour.md and examples/material/valley.md, compare them and list the key terms of both';

export interface Outcome {
  code: number;
}

const EXAMPLES = `
Examples:
  polyphony "summarise README.md and list its key terms"
  polyphony run examples/plans/compare.plan.json
  polyphony run workflow:ask -i question="Who pays?" -i pattern="docs/*.md" --budget 0.10
  polyphony estimate my.plan.json          what it may cost, before it costs anything
  polyphony graph my.plan.json -f svg -o my.svg
  polyphony runs resume run_4f1c…          go on after a crash; nothing is paid twice

Exit codes: 0 done, 1 failed, 2 usage, 3 invalid plan, 4 budget refused, 5 waiting for an answer, 130 interrupted.`;

export function createProgram(terminal: Terminal, outcome: Outcome): Command {
  const program = new Command('polyphony')
    .description('Turns a request into a plan, and runs it as a graph over a pool of models.')
    .addOption(
      new Option('--config <file>', 'the config').default(
        undefined,
        'polyphony.yaml or polyphony.json, if there is one',
      ),
    )
    .option('--store <file>', 'where runs and costs are kept', DEFAULT_STORE)
    .addOption(
      new Option('--log <level>', 'what to log on standard error')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default('silent'),
    )
    .option('--json', 'print one JSON document')
    .option('--no-color', 'plain text')
    .showHelpAfterError('(see polyphony --help)')
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  addRun(program, terminal, outcome);
  addPlanning(program, terminal, outcome);
  addRuns(program, terminal, outcome);
  addOverview(program, terminal, outcome);
  return program;
}

/** The command's options with those of the program. */
const all = <T>(command: Command): T & SharedOptions => command.optsWithGlobals<T & SharedOptions>();

function addRun(program: Command, terminal: Terminal, outcome: Outcome): void {
  withRunOptions(program.command('run'))
    .description('plan a request and run it, or run a plan file or workflow:<id>')
    .argument('<what>', 'a request in words, a .plan.json, or workflow:<id>')
    .action(async (what: string, _options, command: Command) => {
      const { runCommand } = await import('./command-run.ts');
      outcome.code = await runCommand(what, all<RunCommandOptions>(command), terminal);
    });
}

function addPlanning(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('plan')
    .description('plan a request and print the plan, without running it')
    .argument('<request>')
    .option('-o, --out <file>', 'write the plan here')
    .action(async (request: string, _options, command: Command) => {
      const { planCommand } = await import('./command-plan.ts');
      outcome.code = await planCommand(request, all<{ out?: string }>(command), terminal);
    });
  program
    .command('validate')
    .description('say everything that is wrong with a plan')
    .argument('<plan>')
    .option('--no-repair', 'do not mend what needs no model')
    .action(async (plan: string, _options, command: Command) => {
      const { validateCommand } = await import('./command-plan.ts');
      outcome.code = await validateCommand(plan, all<{ repair: boolean }>(command), terminal);
    });
  program
    .command('estimate')
    .description('what a plan may cost and how long it may take')
    .argument('<plan>')
    .action(async (plan: string, _options, command: Command) => {
      const { estimateCommand } = await import('./command-plan.ts');
      outcome.code = await estimateCommand(plan, all(command), terminal);
    });
  program
    .command('graph')
    .description('draw a plan, or a run with its states')
    .argument('<plan>', 'a .plan.json, workflow:<id>, or a run id')
    .addOption(new Option('-f, --format <format>').choices(['tree', 'mermaid', 'svg']).default('tree'))
    .option('-o, --out <file>', 'write the picture here')
    .action(async (plan: string, _options, command: Command) => {
      const { graphCommand } = await import('./command-plan.ts');
      outcome.code = await graphCommand(
        plan,
        all<{ format: 'tree' | 'mermaid' | 'svg'; out?: string }>(command),
        terminal,
      );
    });
}

function addRuns(program: Command, terminal: Terminal, outcome: Outcome): void {
  const runs = program.command('runs').description('list, show, watch, resume, fork, cancel, answer and replay runs');
  const statuses = ['running', 'suspended', 'done', 'failed', 'cancelled'] as const;
  runs
    .command('list', { isDefault: true })
    .addOption(new Option('-s, --status <status>').choices(statuses))
    .option('-n, --limit <n>', 'how many', wholeNumber, 20)
    .action(async (_options, command: Command) => {
      const { listRuns } = await import('./command-runs.ts');
      outcome.code = await listRuns(all<{ status?: (typeof statuses)[number]; limit: number }>(command), terminal);
    });
  for (const [name, description] of [
    ['show', 'its nodes and its result'],
    ['watch', 'follow a run of another process'],
    ['replay', 'print its journalled events, one JSON line each'],
    ['cancel', 'end a run that nobody drives'],
  ] as const) {
    runs
      .command(name)
      .description(description)
      .argument('<run>')
      .action(async (runId: string, _options, command: Command) => {
        const { showRun, watchRun, replayRun, cancelRun } = await import('./command-runs.ts');
        const action = { show: showRun, watch: watchRun, replay: replayRun, cancel: cancelRun }[name];
        outcome.code = await action(runId, all(command), terminal);
      });
  }
  addContinuing(runs, terminal, outcome);
}

function addContinuing(runs: Command, terminal: Terminal, outcome: Outcome): void {
  runs
    .command('resume')
    .description('go on after a crash, a stop or an answer; finished nodes are not paid again')
    .argument('<run>')
    .option('--events', 'print every event as a JSON line')
    .option('-q, --quiet', 'print the answer alone')
    .action(async (runId: string, _options, command: Command) => {
      const { resumeRun } = await import('./command-runs.ts');
      outcome.code = await resumeRun(runId, all<{ events?: boolean; quiet?: boolean }>(command), terminal);
    });
  runs
    .command('fork')
    .description('run again from a node on, in a new run, with other input if you like')
    .argument('<run>')
    .requiredOption('--from <node>', 'the first node that runs again')
    .option('--with <value>', 'changed input of the run: key=value, JSON or @file.json (repeatable)', collectValues, [])
    .option('--events', 'print every event as a JSON line')
    .action(async (runId: string, _options, command: Command) => {
      const { forkRun } = await import('./command-runs.ts');
      outcome.code = await forkRun(
        runId,
        all<{ from: string; with: readonly string[]; events?: boolean }>(command),
        terminal,
      );
    });
  runs
    .command('answer')
    .description('answer what a suspended run asks, and go on with it')
    .argument('<run>')
    .argument('<node>')
    .argument('<answer>')
    .option('--no-resume', 'only record the answer')
    .action(async (runId: string, nodeId: string, answer: string, _options, command: Command) => {
      const { answerRun } = await import('./command-runs.ts');
      outcome.code = await answerRun({ runId, nodeId, answer }, all<{ resume: boolean }>(command), terminal);
    });
}

function addOverview(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('models')
    .description('the models that can answer, with prices and limits')
    .action(async (_options, command: Command) => {
      const { modelsCommand } = await import('./command-models.ts');
      outcome.code = await modelsCommand(all(command), terminal);
    });
  program
    .command('route')
    .description('explain where a prompt would go, without sending it')
    .argument('<prompt>')
    .addOption(new Option('--tier <tier>').choices(['fast', 'balanced', 'premium']))
    .option('--model <id>', 'a model, an alias or provider/model')
    .action(async (prompt: string, _options, command: Command) => {
      const { routeCommand } = await import('./command-models.ts');
      outcome.code = await routeCommand(
        prompt,
        all<{ tier?: 'fast' | 'balanced' | 'premium'; model?: string }>(command),
        terminal,
      );
    });
  program
    .command('spend')
    .description('what was paid')
    .option(
      '--by <group>',
      'provider, model, purpose, day, outcome, run, node, session, user, team, tenant or tag',
      'model',
    )
    .option('--last <span>', 'only the last 12h, 7d, 4w')
    .action(async (_options, command: Command) => {
      const { spendCommand } = await import('./command-spend.ts');
      outcome.code = await spendCommand(all<{ by: string; last?: string }>(command), terminal);
    });
  program
    .command('doctor')
    .description('check Node, disk, config, store, providers and one call')
    .action(async (_options, command: Command) => {
      const { doctorCommand } = await import('./command-doctor.ts');
      outcome.code = await doctorCommand(all(command), terminal);
    });
  program
    .command('init')
    .description('write a config and a first plan into this folder')
    .action(async () => {
      const { initCommand } = await import('./command-init.ts');
      outcome.code = await initCommand(process.cwd(), terminal);
    });
}
