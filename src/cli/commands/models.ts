/** polyphony models: lists the available models with their prices, and what is known of them. */
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import type { ListedModel } from '../input/listed-model.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import type { Terminal } from '../screen/terminal.ts';

interface Options {
  readonly matrix?: boolean;
  readonly all?: boolean;
}

/** Without a name all models; with a name the models that it means, in detail, or all whose names contain it. */
export const command = defineCommand<Options, [name: string | undefined, file: string | undefined]>({
  define: (models) =>
    models
      .argument('[name]', 'a model, to see its capabilities, rates, limits and end date; or a part of model names')
      .argument('[file]', 'after diff: another catalogue, or a file of models, to compare the known facts with')
      .option('--matrix', 'what is known of each: strengths by field, speed, and the sources')
      .option('--all', 'with --matrix: all models that are known, whether a provider is registered or not')
      .addHelpText(
        'after',
        examples(
          'polyphony models',
          'polyphony models gpt-5.5                  every rate: cache, batch, hours, long prompts',
          'polyphony models claude                   the models whose names contain it',
          'polyphony models --matrix --all           what was measured, of every known model',
          'polyphony models diff                     what the config says of models, against what was measured',
          'polyphony models diff older.json          the same for another catalogue or file of models',
          "polyphony models --json | jq -r '.[].id'",
        ),
      ),
  handle: async (terminal, options, name, file) => {
    if (name === 'diff') return difference(terminal, options, file);
    if (options.matrix === true) return matrix(terminal, options, name ?? '');
    const { withStoreToRead } = await import('../process/session.ts');
    const { modelsHolding, listedModelsNamed } = await import('../input/listed-model.ts');
    const { modelDetail, modelTable } = await import('../screen/models-text.ts');
    return withStoreToRead(options, terminal, async ({ polyphony: { gateway }, loaded }) => {
      const named = name === undefined ? [] : listedModelsNamed(name, gateway, loaded.config.aliases ?? {});
      const shown = named.length > 0 ? named : modelsHolding(name ?? '', gateway);
      if (options.json) terminal.print(safeJson(shown.map(documentOf), 2));
      else if (named.length > 0) terminal.print(named.map((model) => modelDetail(model, terminal.paint)).join('\n\n'));
      else if (shown.length > 0) terminal.print(modelTable(shown, terminal.columns(), terminal.paint));
      if (shown.length > 0) return EXIT.done;
      const { thisCommand } = await import('../input/command-name.ts');
      terminal.say(`No model is called "${oneLine(name ?? '')}": ${thisCommand()} models lists the available models.`);
      return EXIT.failed;
    });
  },
});

const documentOf = ({ provider, card }: ListedModel): object => ({ provider, ...card });

async function matrix(terminal: Terminal, options: Options & SharedOptions, part: string): Promise<number> {
  const { withStoreToRead } = await import('../process/session.ts');
  const { knownModels, modelsHolding } = await import('../input/listed-model.ts');
  const { matrixDocument, matrixTable } = await import('../screen/matrix-text.ts');
  return withStoreToRead(options, terminal, async ({ polyphony: { gateway } }) => {
    const shown = options.all === true ? knownModels(part) : modelsHolding(part, gateway);
    if (options.json) terminal.print(safeJson(matrixDocument(shown), 2));
    else if (shown.length > 0) terminal.print(matrixTable(shown, terminal.paint));
    if (shown.length > 0) return EXIT.done;
    terminal.say(`No model is called "${oneLine(part)}": leave the name out to see all of them.`);
    return EXIT.failed;
  });
}

async function difference(
  terminal: Terminal,
  options: Options & SharedOptions,
  file: string | undefined,
): Promise<number> {
  const { differencesFrom, overlayDifferences } = await import('../input/facts-difference.ts');
  const { loadConfig } = await import('../input/config-file.ts');
  const { differenceText } = await import('../screen/matrix-text.ts');
  const found =
    file === undefined
      ? overlayDifferences((await loadConfig(process.cwd(), options.config)).config.models ?? {})
      : await differencesFrom(file);
  if (options.json) terminal.print(safeJson(found, 2));
  else terminal.print(differenceText(found, terminal.paint));
  return EXIT.done;
}
