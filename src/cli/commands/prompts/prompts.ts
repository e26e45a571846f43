/** polyphony prompts: the commands for prompts in files. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  list: {
    usage: '[options]',
    summary: 'list the prompts of the folder, with their versions and shares',
    load: () => import('./list.ts'),
    isDefault: true,
  },
  show: {
    usage: '[options] <name> [version]',
    summary: 'show the text of a prompt',
    load: () => import('./show.ts'),
  },
  check: {
    usage: '[options]',
    summary: 'check every file of the folder',
    load: () => import('./check.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (prompts) =>
    prompts.addHelpText(
      'after',
      examples(
        'polyphony prompts list',
        'polyphony prompts show classify 2',
        'polyphony prompts check --folder prompts',
      ),
    ),
};
