/** The program: the options that all commands share, its help, and the list of its commands. */
import { Command, Option } from 'commander';
import { printable } from '../drawing/plain-text.ts';
import { addCommands, type Calling, type CommandList } from './command.ts';
import { packageVersion } from './input/package-file.ts';

const DEFAULT_STORE = '.polyphony/polyphony.db';

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

export const COMMANDS: CommandList = {
  run: {
    usage: '[options] <what>',
    summary: 'plan a request and run it, or run a plan file or workflow:<id>',
    load: () => import('./commands/run.ts'),
  },
  plan: {
    usage: '[options] <request>',
    summary: 'plan a request and print the plan, without running it',
    load: () => import('./commands/plan.ts'),
  },
  validate: {
    usage: '[options] <plan>',
    summary: 'say everything that is wrong with a plan, and what could be meant',
    load: () => import('./commands/validate.ts'),
  },
  estimate: {
    usage: '<plan>',
    summary: 'what a plan may cost and how long it may take, without any call',
    load: () => import('./commands/estimate.ts'),
  },
  graph: {
    usage: '[options] <plan>',
    summary: 'draw a plan, or a run with its states',
    load: () => import('./commands/graph.ts'),
  },
  runs: {
    usage: '',
    summary: 'list runs, and show, watch, resume, answer, fork, cancel or replay one',
    load: () => import('./commands/runs.ts'),
  },
  models: {
    usage: '[name]',
    summary: 'the models that can answer, with prices and limits',
    load: () => import('./commands/models.ts'),
  },
  route: {
    usage: '[options] <prompt>',
    summary: 'explain where a prompt would go, without sending it',
    load: () => import('./commands/route.ts'),
  },
  spend: { usage: '[options]', summary: 'what was paid', load: () => import('./commands/spend.ts') },
  doctor: {
    usage: '',
    summary: 'check Node, disk, config, store, plugins, providers and one small call',
    load: () => import('./commands/doctor.ts'),
  },
  init: {
    usage: '',
    summary: 'write a config and a first plan into this folder; nothing is overwritten',
    load: () => import('./commands/init.ts'),
  },
};

/** @param json errors of the arguments become the one JSON document, so Commander prints nothing of its own */
export async function createProgram(calling: Calling, json = false): Promise<Command> {
  const { terminal } = calling;
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
  await addCommands(program, COMMANDS, calling);
  return program;
}
