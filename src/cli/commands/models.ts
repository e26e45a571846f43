/** polyphony models: lists the available models with their prices. */
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { defineCommand, examples } from '../command.ts';
import { EXIT } from '../input/exit-code.ts';
import type { ListedModel } from '../input/listed-model.ts';

/** Without a name all models; with a name the models that it means, in detail, or all whose names contain it. */
export const command = defineCommand<object, [name: string | undefined]>({
  define: (models) =>
    models
      .argument('[name]', 'a model, to see its capabilities, rates, limits and end date; or a part of model names')
      .addHelpText(
        'after',
        examples(
          'polyphony models',
          'polyphony models gpt-5.5                  every rate: cache, batch, hours, long prompts',
          'polyphony models claude                   the models whose names contain it',
          "polyphony models --json | jq -r '.[].id'",
        ),
      ),
  handle: async (terminal, options, name) => {
    const { withPolyphony } = await import('../process/session.ts');
    const { modelsHolding, listedModelsNamed } = await import('../input/listed-model.ts');
    const { modelDetail, modelTable } = await import('../screen/models-text.ts');
    return withPolyphony(options, terminal, async ({ polyphony: { gateway }, loaded }) => {
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
