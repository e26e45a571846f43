/** polyphony store: the commands for the file that keeps runs, costs and values. */
import { type CommandList, type DefinedCommand, examples } from '../command.ts';

const COMMANDS: CommandList = {
  prune: {
    usage: '[options]',
    summary: 'remove old runs, rows of the ledger, expired values and threads, and make the file smaller',
    load: () => import('./store/prune.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (store) =>
    store.addHelpText(
      'after',
      examples('polyphony store prune --older 30d --dry-run', 'polyphony store help prune    the help of this command'),
    ),
};
