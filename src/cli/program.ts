/** The program: the options that all commands share, its help, and the list of its commands. */
import { Command, Option } from 'commander';
import { printable } from '../drawing/plain-text.ts';
import { addCommands, type Calling, type CommandList, DEFAULT_STORE } from './command.ts';

/** The request that runs when the command is called without arguments in a folder that has the example texts. */
export const FIRST_REQUEST =
  'Summarise examples/material/harbour.md and examples/material/valley.md, compare them and list the key terms of both';

const EXAMPLES = `
Examples:
  polyphony "summarise README.md and list its key terms"
  polyphony run examples/plans/compare.plan.json
  polyphony run workflow:ask -i question="Who pays?" -i pattern="docs/*.md" --budget 0.10
  polyphony estimate my.plan.json          what it may cost, before it costs anything
  polyphony graph my.plan.json -f svg -o my.svg
  polyphony runs resume run_4f1c…          continue after a crash; finished nodes are not paid for again

Results go to standard output, progress and errors to standard error. A request in quotes needs no "run".
Exit codes: 0 done, 1 failed, 2 usage, 3 invalid plan, 4 budget exceeded, 5 waiting for an answer, 130 interrupted.`;

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
    summary: 'list every issue of a plan, with suggested corrections',
    load: () => import('./commands/validate.ts'),
  },
  estimate: {
    usage: '<plan>',
    summary: 'estimate what a plan may cost and how long it may take, without any call',
    load: () => import('./commands/estimate.ts'),
  },
  simulate: {
    usage: '[options] <plan>',
    summary: 'simulate many runs of a plan without any call: times, costs and what decides them',
    load: () => import('./commands/plans/simulate.ts'),
  },
  graph: {
    usage: '[options] <plan>',
    summary: 'draw a plan, or a run with the states of its nodes',
    load: () => import('./commands/graph.ts'),
  },
  runs: {
    usage: '',
    summary: 'list runs, and show, watch, resume, answer, fork, cancel or replay one',
    load: () => import('./commands/runs/runs.ts'),
  },
  threads: {
    usage: '',
    summary: 'list what nodes remember of conversations, and show or delete one',
    load: () => import('./commands/threads/threads.ts'),
  },
  batches: {
    usage: '',
    summary: 'list calls that wait for a batch and what they cost, and show, wait for or cancel them',
    load: () => import('./commands/batches/batches.ts'),
  },
  workflows: {
    usage: '[id]',
    summary: 'list the workflows that run as workflow:<id>, or print the plan of one',
    load: () => import('./commands/workflows.ts'),
  },
  prompts: {
    usage: '',
    summary: 'list the prompts in files, and show or check them',
    load: () => import('./commands/prompts/prompts.ts'),
  },
  schedule: {
    usage: '[options]',
    summary: 'start runs at times and for files, as the config says',
    load: () => import('./commands/schedule.ts'),
  },
  steps: {
    usage: '[name]',
    summary: 'list the steps and tools that plans may use, with their effects',
    load: () => import('./commands/steps.ts'),
  },
  models: {
    usage: '[options] [name] [file]',
    summary: 'list the available models, with prices, limits and strengths',
    load: () => import('./commands/models.ts'),
  },
  route: {
    usage: '[options] <prompt>',
    summary: 'explain which model a prompt would go to, without sending it',
    load: () => import('./commands/route.ts'),
  },
  health: {
    usage: '[options]',
    summary: 'ask every provider whether it answers; with --sweep every hosted model',
    load: () => import('./commands/health.ts'),
  },
  spend: {
    usage: '[options]',
    summary: 'show what was paid, by model or another group',
    load: () => import('./commands/spend.ts'),
  },
  mcp: {
    usage: '[options]',
    summary: 'offer the gateway and the workflows to an MCP client',
    load: () => import('./mcp/command.ts'),
  },
  config: {
    usage: '',
    summary: 'check a config, compare two, or print the JSON Schema for editors',
    load: () => import('./commands/config/config.ts'),
  },
  store: {
    usage: '',
    summary: 'remove what is old from the store',
    load: () => import('./commands/store/store.ts'),
  },
  doctor: {
    usage: '[options]',
    summary: 'check Node, disk, config, store, plugins, providers and one small call, or repair a store',
    load: () => import('./commands/doctor.ts'),
  },
  init: {
    usage: '',
    summary: 'write a config and a first plan into this folder; nothing is overwritten',
    load: () => import('./commands/init.ts'),
  },
};

interface ProgramOptions {
  /** Commander prints nothing itself, because the caller reports errors in the JSON document. */
  readonly json: boolean;
  /** The version is asked for. */
  readonly version: boolean;
}

export async function createProgram(calling: Calling, { json, version }: ProgramOptions): Promise<Command> {
  const { terminal } = calling;
  const shown = version ? (await import('./input/package-file.ts')).packageVersion() : '';
  const program = new Command('polyphony')
    .description('Turns a request into a plan, and runs it as a graph over a pool of models.')
    .option(
      '--config <file>',
      'the config file (default: polyphony.yaml, polyphony.yml or polyphony.json in this folder, if there is one)',
    )
    .option('--store <file>', 'the file that keeps runs and costs', DEFAULT_STORE)
    .addOption(
      new Option('--log <level>', 'what to log on standard error')
        .choices(['silent', 'error', 'warn', 'info', 'debug'])
        .default('silent'),
    )
    .option('--json', 'print one JSON document, also when the command fails')
    .option('--no-color', 'print without colours, as with the environment variable NO_COLOR')
    .version(shown, '-V, --version', 'print the version')
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
