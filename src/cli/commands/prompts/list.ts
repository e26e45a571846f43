/** polyphony prompts list: the prompts of the folder. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

interface Options {
  readonly folder?: string;
}

export const command = defineCommand<Options, []>({
  define: (list) =>
    list
      .option('--folder <folder>', 'the folder (default: that of the config, else "prompts")')
      .addHelpText('after', examples('polyphony prompts list', 'polyphony prompts list --folder prompts --json')),
  handle: async (terminal, options) => {
    const { promptFolder } = await import('../../input/prompt-folder.ts');
    const { readPrompts } = await import('../../../composition/prompts/prompt-files.ts');
    const book = await readPrompts(await promptFolder(options));
    const listed = [...book].flatMap(([name, versions]) => {
      const total = versions.reduce((sum, { weight }) => sum + weight, 0);
      return versions.map(({ version, inputs, weight }) => ({
        name,
        version,
        inputs,
        share: total === 0 ? 0 : weight / total,
      }));
    });
    if (options.json) terminal.print(safeJson(listed, 2));
    else {
      const { tableText } = await import('../../screen/result-text.ts');
      const rows = listed.map(({ name, version, inputs, share }) => [
        oneLine(name),
        String(version),
        `${Math.round(share * 100)} %`,
        inputs.join(' '),
      ]);
      terminal.print(tableText([['prompt', 'version', 'share', 'inputs'], ...rows], terminal.paint));
    }
    return EXIT.done;
  },
});
