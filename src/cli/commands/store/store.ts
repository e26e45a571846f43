/** polyphony store: the commands for the file that keeps runs, costs and values. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  indexes: {
    usage: '[options]',
    summary: 'list the indexes of passages, or delete one',
    load: () => import('./indexes.ts'),
  },
  prune: {
    usage: '[options]',
    summary: 'remove old runs, rows of the ledger, expired values, threads and indexes, and make the file smaller',
    load: () => import('./prune.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (store) =>
    store.addHelpText(
      'after',
      examples(
        'polyphony store indexes',
        'polyphony store prune --older 30d --dry-run',
        'polyphony store help prune    the help of this command',
      ),
    ),
};
