/** polyphony threads: the commands for what nodes remember of conversations. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  list: {
    usage: '[options]',
    summary: 'list threads, those that changed last first',
    load: () => import('./list.ts'),
    isDefault: true,
  },
  show: {
    usage: '[options] <key>',
    summary: 'show what was said in a thread, and its summary',
    load: () => import('./show.ts'),
  },
  delete: {
    usage: '[options] <key>',
    summary: 'delete a thread: nodes that name it begin anew',
    load: () => import('./delete.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (threads) =>
    threads.addHelpText(
      'after',
      examples('polyphony threads list', 'polyphony threads show ann', 'polyphony threads delete ann --yes'),
    ),
};
