/** polyphony runs: the commands for existing runs. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  list: {
    usage: '[options] [run]',
    summary: 'list the last runs, newest first',
    load: () => import('./list.ts'),
    isDefault: true,
  },
  watch: {
    usage: '[options] <run>',
    summary: 'follow a run in another process until it ends',
    load: () => import('./watch.ts'),
  },
  show: { usage: '<run>', summary: 'show the nodes and the result of a run', load: () => import('./show.ts') },
  replay: {
    usage: '<run>',
    summary: 'print the events in the journal of a run, one JSON line each; with --json one array',
    load: () => import('./replay.ts'),
  },
  cancel: {
    usage: '<run>',
    summary: 'cancel a run that is suspended, was abandoned, or is driven by another process',
    load: () => import('./cancel.ts'),
  },
  resume: {
    usage: '[options] <run>',
    summary: 'continue a run after a crash, a stop, a failure or an answer; finished nodes are not paid for again',
    load: () => import('./resume.ts'),
  },
  fork: {
    usage: '[options] <run>',
    summary: 'run again from a node onwards, as a new run, with other input if you want',
    load: () => import('./fork.ts'),
  },
  answer: {
    usage: '[options] <run> <node> <answer>',
    summary: 'answer the question of a suspended run, and continue the run',
    load: () => import('./answer.ts'),
  },
  event: {
    usage: '[options] <name> [payload]',
    summary: 'give an event to the runs that wait for it, and continue them',
    load: () => import('./event.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (runs) =>
    runs.addHelpText(
      'after',
      examples(
        'polyphony runs                                the last 20 runs',
        'polyphony runs run_4f1c…                      short for: runs show run_4f1c…',
        'polyphony runs resume run_4f1c…               continue after Ctrl-C, a crash or a failure',
        'polyphony runs answer run_4f1c… review yes    answer its question, and continue',
        'polyphony runs help fork                      the help of one of these commands',
      ),
    ),
};
