/** polyphony batches: the commands for calls that wait for a batch of their provider. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  list: {
    usage: '[options]',
    summary: 'list what waits, by batch, and what the answers have cost',
    load: () => import('./list.ts'),
    isDefault: true,
  },
  show: {
    usage: '<id>',
    summary: 'show a call with its answer, or the calls of a batch',
    load: () => import('./show.ts'),
  },
  wait: {
    usage: '',
    summary: 'send what is queued, and fetch answers until none is missing',
    load: () => import('./wait.ts'),
  },
  cancel: {
    usage: '[options] <id>',
    summary: 'cancel a call, or a batch with all its calls',
    load: () => import('./cancel.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (batches) =>
    batches.addHelpText(
      'after',
      examples(
        'polyphony batches list',
        'polyphony batches show run_4f1c…/kinds/1',
        'polyphony batches cancel batch_9a…',
      ),
    ),
};
