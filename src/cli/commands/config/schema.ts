/** polyphony config schema: prints the published JSON Schema of the config. */
import { defineCommand, examples } from '../../command.ts';
import { EXIT } from '../../input/exit-code.ts';

export const command = defineCommand({
  define: (schema) => schema.addHelpText('after', examples('polyphony config schema > polyphony.schema.json')),
  handle: async (terminal) => {
    const { readFile } = await import('node:fs/promises');
    const { packageFile } = await import('../../input/package-file.ts');
    terminal.print((await readFile(packageFile('schemas/config.schema.json'), 'utf8')).trimEnd());
    return EXIT.done;
  },
});
