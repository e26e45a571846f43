/** polyphony runs: the commands about runs that exist. */
import { type CommandList, type DefinedCommand, examples } from '../command.ts';

const COMMANDS: CommandList = {
  list: {
    usage: '[options] [run]',
    summary: 'the last runs, newest first',
    load: () => import('./runs/list.ts'),
    isDefault: true,
  },
  watch: {
    usage: '[options] <run>',
    summary: 'follow a run of another process until it ends',
    load: () => import('./runs/watch.ts'),
  },
  show: { usage: '<run>', summary: 'its nodes and its result', load: () => import('./runs/show.ts') },
  replay: {
    usage: '<run>',
    summary: 'print its journalled events, one JSON line each; with --json one list',
    load: () => import('./runs/replay.ts'),
  },
  cancel: {
    usage: '<run>',
    summary: 'end a run: one that is suspended or was left behind, or that another command drives',
    load: () => import('./runs/cancel.ts'),
  },
  resume: {
    usage: '[options] <run>',
    summary: 'go on after a crash, a stop, a failure or an answer; finished nodes are not paid again',
    load: () => import('./runs/resume.ts'),
  },
  fork: {
    usage: '[options] <run>',
    summary: 'run again from a node on, in a new run, with other input if you like',
    load: () => import('./runs/fork.ts'),
  },
  answer: {
    usage: '[options] <run> <node> <answer>',
    summary: 'answer what a suspended run asks, and go on with it',
    load: () => import('./runs/answer.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (runs) =>
    runs.addHelpText(
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
