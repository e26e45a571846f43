/** polyphony prompts check: says of every file whether it can be used. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

interface Options {
  readonly folder?: string;
}

export const command = defineCommand<Options, []>({
  define: (check) =>
    check
      .option('--folder <folder>', 'the folder (default: that of the config, else "prompts")')
      .addHelpText('after', examples('polyphony prompts check', 'polyphony prompts check --folder prompts --json')),
  handle: async (terminal, options) => {
    const { promptFolder } = await import('../../input/prompt-folder.ts');
    const { listPrompts } = await import('../../../composition/prompts/prompt-files.ts');
    const read = await listPrompts(await promptFolder(options));
    const wrong = read.filter(({ problem }) => problem !== undefined);
    if (options.json) {
      const files = read.map(({ file, prompt, problem }) =>
        prompt === undefined ? { file, problem } : { file, name: prompt.name, version: prompt.version },
      );
      terminal.print(safeJson(files, 2));
    } else {
      for (const { file, problem } of wrong) terminal.print(`${oneLine(file)}: ${oneLine(problem ?? '')}`);
      const { counted } = await import('../../screen/counted.ts');
      terminal.print(`${counted(read.length, 'file')}, ${wrong.length} that cannot be used`);
    }
    return wrong.length === 0 ? EXIT.done : EXIT.failed;
  },
});
