/** polyphony config check: reads a config with the files that it names, and changes nothing. */
import { oneLine, safeJson } from '../../../drawing/plain-text.ts';
import { defineCommand, examples } from '../../command.ts';
import { EXIT, UsageError } from '../../input/exit-code.ts';

export const command = defineCommand<object, [file: string | undefined]>({
  define: (check) =>
    check
      .argument('[file]', 'the config (default: that of --config, else the one in this folder)')
      .addHelpText('after', examples('polyphony config check', 'polyphony config check next.yaml --json')),
  handle: async (terminal, options, file) => {
    const { loadConfig } = await import('../../input/config-file.ts');
    const { path, config } = await loadConfig(process.cwd(), file ?? options.config);
    if (path === undefined)
      throw new UsageError('There is no polyphony.yaml, polyphony.yml or polyphony.json in this folder; name a config');
    const fields = Object.keys(config);
    if (options.json) terminal.print(safeJson({ path, fields }, 2));
    else terminal.print(`${oneLine(path)} can be used: it sets ${fields.length === 0 ? 'nothing' : fields.join(', ')}`);
    return EXIT.done;
  },
});
