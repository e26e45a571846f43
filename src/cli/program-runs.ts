/** The commands about runs that exist. */
import { type Command, Option } from 'commander';
import type { RunStatus } from '../core/run/engine.ts';
import { collectValues, wholeNumber } from './input/run-options.ts';
import { examples, type Outcome, optionsOf } from './process/command-parts.ts';
import type { Terminal } from './screen/terminal.ts';

const STATUSES = ['running', 'suspended', 'done', 'failed', 'cancelled'] as const satisfies readonly RunStatus[];

export function addRuns(program: Command, terminal: Terminal, outcome: Outcome): void {
  const runs = program
    .command('runs')
    .description('list runs, and show, watch, resume, answer, fork, cancel or replay one')
    .addHelpText(
      'after',
      examples(
        'polyphony runs                                the last twenty',
        'polyphony runs run_4f1c…                      short for: runs show run_4f1c…',
        'polyphony runs resume run_4f1c…               go on after Ctrl-C, a crash or a failure',
        'polyphony runs answer run_4f1c… review yes    answer what it asks, and go on',
        'polyphony help runs fork                      more about one of them',
      ),
    );
  addLooking(runs, terminal, outcome);
  addContinuing(runs, terminal, outcome);
}

function addLooking(runs: Command, terminal: Terminal, outcome: Outcome): void {
  runs
    .command('list', { isDefault: true })
    .description('the last runs, newest first')
    .argument('[run]', 'the id of one to show')
    .addOption(new Option('-s, --status <status>', 'only these').choices(STATUSES))
    .option('-n, --limit <n>', 'how many', wholeNumber, 20)
    .addHelpText('after', examples('polyphony runs list --status suspended', 'polyphony runs list -n 100 --json'))
    .action(async (word: string | undefined, _options, command: Command) => {
      const { listOrShow } = await import('./commands/command-runs.ts');
      outcome.code = await listOrShow(word, optionsOf<{ status?: RunStatus; limit: number }>(command), terminal);
    });
  runs
    .command('watch')
    .description('follow a run of another process until it ends')
    .argument('<run>', 'its id')
    .option('--events', 'print every event as a JSON line')
    .option('-q, --quiet', 'print the answer alone')
    .addHelpText('after', examples('polyphony runs watch run_4f1c…', 'polyphony runs watch run_4f1c… --events'))
    .action(async (runId: string, _options, command: Command) => {
      const { watchRun } = await import('./commands/command-watch.ts');
      outcome.code = await watchRun(runId, optionsOf<{ events?: boolean; quiet?: boolean }>(command), terminal);
    });
  for (const [name, description] of [
    ['show', 'its nodes and its result'],
    ['replay', 'print its journalled events, one JSON line each; with --json one list'],
    ['cancel', 'end a run: one that is suspended or was left behind, or that another command drives'],
  ] as const) {
    runs
      .command(name)
      .description(description)
      .argument('<run>', 'its id')
      .addHelpText('after', examples(`polyphony runs ${name} run_4f1c…`))
      .action(async (runId: string, _options, command: Command) => {
        const { showRun, replayRun, cancelRun } = await import('./commands/command-runs.ts');
        const action = { show: showRun, replay: replayRun, cancel: cancelRun }[name];
        outcome.code = await action(runId, optionsOf(command), terminal);
      });
  }
}

function withFollowOptions(command: Command): Command {
  return command.option('--events', 'print every event as a JSON line').option('-q, --quiet', 'print the answer alone');
}

interface Following {
  readonly events?: boolean;
  readonly quiet?: boolean;
}

function addContinuing(runs: Command, terminal: Terminal, outcome: Outcome): void {
  withFollowOptions(runs.command('resume'))
    .description('go on after a crash, a stop, a failure or an answer; finished nodes are not paid again')
    .argument('<run>', 'its id')
    .addHelpText('after', examples('polyphony runs resume run_4f1c…', 'polyphony runs resume run_4f1c… --json'))
    .action(async (runId: string, _options, command: Command) => {
      const { resumeRun } = await import('./commands/command-continue.ts');
      outcome.code = await resumeRun(runId, optionsOf<Following>(command), terminal);
    });
  withFollowOptions(runs.command('fork'))
    .description('run again from a node on, in a new run, with other input if you like')
    .argument('<run>', 'its id')
    .requiredOption('--from <node>', 'the first node that runs again')
    .option('-i, --input <value>', 'changed fields of the input of the run (repeatable)', collectValues, [])
    .option('--with <value>', 'changed fields of the `in` of that node (repeatable)', collectValues, [])
    .addHelpText(
      'after',
      examples(
        'polyphony runs fork run_4f1c… --from summary',
        'polyphony runs fork run_4f1c… --from page -i path=other.md           other input for the run',
        'polyphony runs fork run_4f1c… --from page --with path=other.md       other input for this node alone',
      ),
    )
    .action(async (runId: string, _options, command: Command) => {
      const { forkRun } = await import('./commands/command-continue.ts');
      const options = optionsOf<Following & { from: string; with: readonly string[]; input: readonly string[] }>(
        command,
      );
      outcome.code = await forkRun(runId, options, terminal);
    });
  withFollowOptions(runs.command('answer'))
    .description('answer what a suspended run asks, and go on with it')
    .argument('<run>', 'its id')
    .argument('<node>', 'the node that asks')
    .argument('<answer>', 'one of the choices, or a text')
    .option('--no-resume', 'only record the answer')
    .addHelpText(
      'after',
      examples('polyphony runs answer run_4f1c… review yes', 'polyphony runs answer run_4f1c… name "Ada" --no-resume'),
    )
    .action(async (runId: string, nodeId: string, answer: string, _options, command: Command) => {
      const { answerRun } = await import('./commands/command-continue.ts');
      const options = optionsOf<Following & { resume: boolean }>(command);
      outcome.code = await answerRun({ runId, nodeId, answer }, options, terminal);
    });
}
