/** The commands, their options and their help. What a command does is imported when it runs. */
import { Command, Option } from 'commander';
import { printable } from '../drawing/plain-text.ts';
import { packageVersion } from './input/package-file.ts';
import { type RunCommandOptions, withRunOptions } from './input/run-options.ts';
import { DEFAULT_STORE } from './input/shared-options.ts';
import { examples, type Outcome, optionsOf } from './process/command-parts.ts';
import { addRuns } from './program-runs.ts';
import type { Terminal } from './screen/terminal.ts';

/** Ran when the command is called with nothing, in a folder that holds the example texts. */
export const FIRST_REQUEST =
  'Summarise examples/material/harbour.md and examples/material/valley.md, compare them and list the key terms of both';

const EXAMPLES = `
Examples:
  polyphony "summarise README.md and list its key terms"
  polyphony run examples/plans/compare.plan.json
  polyphony run workflow:ask -i question="Who pays?" -i pattern="docs/*.md" --budget 0.10
  polyphony estimate my.plan.json          what it may cost, before it costs anything
  polyphony graph my.plan.json -f svg -o my.svg
  polyphony runs resume run_4f1c…          go on after a crash; what had finished is not paid again

Results go to standard output, everything about them to standard error. A request in quotes needs no "run".
Exit codes: 0 done, 1 failed, 2 usage, 3 invalid plan, 4 budget refused, 5 waiting for an answer, 130 interrupted.`;

/** @param json errors of the arguments become the one JSON document, so Commander prints nothing of its own */
export function createProgram(terminal: Terminal, outcome: Outcome, json = false): Command {
  const program = new Command('polyphony')
    .description('Turns a request into a plan, and runs it as a graph over a pool of models.')
    .addOption(
      new Option('--config <file>', 'the config').default(
        undefined,
        'polyphony.yaml, polyphony.yml or polyphony.json in this folder, if there is one',
      ),
    )
    .option('--store <file>', 'where runs and costs are kept', DEFAULT_STORE)
    .addOption(
      new Option('--log <level>', 'what to log on standard error')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default('silent'),
    )
    .option('--json', 'print one JSON document, whatever happens')
    .option('--no-color', 'plain text; so does the variable NO_COLOR')
    .version(packageVersion(), '-V, --version', 'print the version')
    .showHelpAfterError('(see polyphony --help)')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXAMPLES)
    .exitOverride();
  program.configureOutput({
    getOutHelpWidth: () => Math.min(100, terminal.columns()),
    getErrHelpWidth: () => Math.min(100, terminal.columns()),
    writeOut: (text) => terminal.print(text.trimEnd()),
    writeErr: (text) => {
      if (!json) terminal.say(printable(text.trimEnd()));
    },
  });
  addRun(program, terminal, outcome);
  addPlanning(program, terminal, outcome);
  addRuns(program, terminal, outcome);
  addOverview(program, terminal, outcome);
  return program;
}

function addRun(program: Command, terminal: Terminal, outcome: Outcome): void {
  withRunOptions(program.command('run'))
    .description(
      'Plan a request and run it, or run a plan file or a ready-made workflow. The answer goes to standard output. ' +
        'Ctrl-C stops the run and keeps what is finished for "runs resume".',
    )
    .summary('plan a request and run it, or run a plan file or workflow:<id>')
    .argument('<what>', 'a request in words, a .plan.json, or workflow:<id>')
    .option('--no-streaming', 'plan the whole request before anything of it runs')
    .addHelpText(
      'after',
      examples(
        'polyphony run "summarise README.md" --budget 0.05',
        'polyphony run my.plan.json -i path=README.md -i \'tags=["a","b"]\'',
        'polyphony run my.plan.json -i text=@letter.txt      the text of a file as a field',
        'polyphony run my.plan.json -i @input.json           the whole input from a file',
        "polyphony run my.plan.json --json | jq '.output'    one document: runId, status, output, costUsd, nodes",
        'polyphony run my.plan.json --events                 one JSON line an event, while it runs',
      ),
    )
    .action(async (what: string, _options, command: Command) => {
      const { runCommand } = await import('./commands/command-run.ts');
      outcome.code = await runCommand(what, optionsOf<RunCommandOptions>(command), terminal);
    });
}

function addPlanning(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('plan')
    .description('plan a request and print the plan, without running it')
    .argument('<request>', 'what is to be done, in words')
    .option('-o, --out <file>', 'write the plan here')
    .addHelpText(
      'after',
      examples(
        'polyphony plan "compare a.md and b.md" -o compare.plan.json',
        'polyphony plan "compare a.md and b.md" --json      { plan, hash, rounds, costUsd, issues }',
      ),
    )
    .action(async (request: string, _options, command: Command) => {
      const { planCommand } = await import('./commands/command-plan.ts');
      outcome.code = await planCommand(request, optionsOf<{ out?: string }>(command), terminal);
    });
  program
    .command('validate')
    .description('say everything that is wrong with a plan, and what could be meant')
    .argument('<plan>', 'a .plan.json or workflow:<id>')
    .option('--no-repair', 'do not mend what needs no model')
    .addHelpText(
      'after',
      examples('polyphony validate my.plan.json', 'polyphony validate my.plan.json --no-repair --json'),
    )
    .action(async (plan: string, _options, command: Command) => {
      const { validateCommand } = await import('./commands/command-plan.ts');
      outcome.code = await validateCommand(plan, optionsOf<{ repair: boolean }>(command), terminal);
    });
  program
    .command('estimate')
    .description('what a plan may cost and how long it may take, without any call')
    .argument('<plan>', 'a .plan.json or workflow:<id>')
    .addHelpText('after', examples('polyphony estimate my.plan.json', 'polyphony estimate workflow:digest --json'))
    .action(async (plan: string, _options, command: Command) => {
      const { estimateCommand } = await import('./commands/command-plan.ts');
      outcome.code = await estimateCommand(plan, optionsOf(command), terminal);
    });
  addGraph(program, terminal, outcome);
}

function addGraph(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('graph')
    .description('draw a plan, or a run with its states')
    .argument('<plan>', 'a .plan.json, workflow:<id>, or a run id')
    .addOption(new Option('-f, --format <format>', 'what to draw').choices(['tree', 'mermaid', 'svg']).default('tree'))
    .option('-o, --out <file>', 'write the picture here')
    .addHelpText(
      'after',
      examples(
        'polyphony graph my.plan.json',
        'polyphony graph my.plan.json -f svg -o my.svg',
        'polyphony graph run_4f1c… -f mermaid      the run, its nodes coloured by state',
      ),
    )
    .action(async (plan: string, _options, command: Command) => {
      const { graphCommand } = await import('./commands/command-plan.ts');
      const options = optionsOf<{ format: 'tree' | 'mermaid' | 'svg'; out?: string }>(command);
      outcome.code = await graphCommand(plan, options, terminal);
    });
}

function addOverview(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('models')
    .description('the models that can answer, with prices and limits')
    .argument('[name]', 'a model, to see all of it: capabilities, every rate, limits, end; or a part of names')
    .addHelpText(
      'after',
      examples(
        'polyphony models',
        'polyphony models gpt-5.5                  every rate: cache, batch, hours, long prompts',
        'polyphony models claude                   those whose names hold it',
        "polyphony models --json | jq -r '.[].id'",
      ),
    )
    .action(async (name: string | undefined, _options, command: Command) => {
      const { modelsCommand } = await import('./commands/command-models.ts');
      outcome.code = await modelsCommand(name, optionsOf(command), terminal);
    });
  program
    .command('route')
    .description('explain where a prompt would go, without sending it')
    .argument('<prompt>', 'what would be asked')
    .addOption(new Option('--tier <tier>', 'ask for a class of models').choices(['fast', 'balanced', 'premium']))
    .option('--model <id>', 'a model, an alias or provider/model')
    .addHelpText(
      'after',
      examples('polyphony route "translate this" --tier fast', 'polyphony route "hello" --model cheap --json'),
    )
    .action(async (prompt: string, _options, command: Command) => {
      const { routeCommand } = await import('./commands/command-models.ts');
      const options = optionsOf<{ tier?: 'fast' | 'balanced' | 'premium'; model?: string }>(command);
      outcome.code = await routeCommand(prompt, options, terminal);
    });
  const groups = 'provider, model, purpose, day, outcome, run, node, session, user, team, tenant or tag';
  program
    .command('spend')
    .description('what was paid')
    .option('--by <group>', groups, 'model')
    .option('--last <span>', 'only the last 12h, 7d, 4w')
    .addHelpText('after', examples('polyphony spend --by day --last 4w', 'polyphony spend --by tag --json'))
    .action(async (_options, command: Command) => {
      const { spendCommand } = await import('./commands/command-spend.ts');
      outcome.code = await spendCommand(optionsOf<{ by: string; last?: string }>(command), terminal);
    });
  addHousekeeping(program, terminal, outcome);
}

function addHousekeeping(program: Command, terminal: Terminal, outcome: Outcome): void {
  program
    .command('doctor')
    .description('check Node, disk, config, store, plugins, providers and one small call')
    .addHelpText('after', examples('polyphony doctor', 'polyphony doctor --json'))
    .action(async (_options, command: Command) => {
      const { doctorCommand } = await import('./commands/command-doctor.ts');
      outcome.code = await doctorCommand(optionsOf(command), terminal);
    });
  program
    .command('init')
    .description('write a config and a first plan into this folder; nothing is overwritten')
    .addHelpText('after', examples('polyphony init && polyphony run plans/summarise.plan.json -i path=plans/plans.md'))
    .action(async (_options, command: Command) => {
      const { initCommand } = await import('./commands/command-init.ts');
      outcome.code = await initCommand(process.cwd(), optionsOf(command), terminal);
    });
}
