/** polyphony config: the commands for config files. */
import { type CommandList, type DefinedCommand, examples } from '../../command.ts';

const COMMANDS: CommandList = {
  check: {
    usage: '[file]',
    summary: 'say whether a config can be used, and where it cannot',
    load: () => import('./check.ts'),
    isDefault: true,
  },
  diff: {
    usage: '<before> [after]',
    summary: 'list what differs between two configs, and what of it needs a restart',
    load: () => import('./diff.ts'),
  },
  schema: {
    usage: '',
    summary: 'print the JSON Schema of the config, for editors',
    load: () => import('./schema.ts'),
  },
};

export const command: DefinedCommand = {
  commands: COMMANDS,
  define: (config) =>
    config.addHelpText(
      'after',
      examples(
        'polyphony config check',
        'polyphony config diff polyphony.yaml next.yaml',
        'polyphony config schema > polyphony.schema.json',
      ),
    ),
};
