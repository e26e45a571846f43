/** polyphony runs: the commands about runs that exist. */
import { type CommandList, type DefinedCommand, examples } from '../command.ts';

const COMMANDS: CommandList = {
  list: () => import('./runs/list.ts'),
  watch: () => import('./runs/watch.ts'),
  show: () => import('./runs/show.ts'),
  replay: () => import('./runs/replay.ts'),
  cancel: () => import('./runs/cancel.ts'),
  resume: () => import('./runs/resume.ts'),
  fork: () => import('./runs/fork.ts'),
  answer: () => import('./runs/answer.ts'),
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (runs) =>
    runs
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
      ),
};
