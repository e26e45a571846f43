/** polyphony prompts show: the text of one prompt. */
import { oneLine, printable, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

interface Options {
  readonly folder?: string;
}

export const command = defineCommand<Options, [name: string, version: string | undefined]>({
  define: (show) =>
    show
      .argument('<name>', 'the name of the prompt')
      .argument('[version]', 'its version (default: the one with the largest weight)')
      .option('--folder <folder>', 'the folder (default: that of the config, else "prompts")')
      .addHelpText('after', examples('polyphony prompts show classify', 'polyphony prompts show classify 2 --json')),
  handle: async (terminal, options, name, version) => {
    const { promptFolder } = await import('../../input/prompt-folder.ts');
    const { readPrompts } = await import('../../../composition/prompts/prompt-files.ts');
    const { assignedVersion } = await import('../../../core/plan/prompts.ts');
    const versions = (await readPrompts(await promptFolder(options))).get(name) ?? [];
    const found =
      version === undefined && versions.length > 0
        ? assignedVersion(versions, undefined)
        : versions.find((one) => String(one.version) === version);
    if (found === undefined) {
      const known = versions.map((one) => one.version).join(', ');
      const which =
        versions.length === 0 ? `"${oneLine(name)}"` : `"${oneLine(name)}" with that version; it has ${known}`;
      terminal.say(`there is no prompt ${which}`);
      return EXIT.failed;
    }
    terminal.print(options.json ? safeJson(found, 2) : printable(found.text));
    return EXIT.done;
  },
});
