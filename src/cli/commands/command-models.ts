/** polyphony models: what can answer, at what price, and why a request would go where. */
import type { Gateway } from '../../core/gateway.ts';
import type { Tier } from '../../core/model/model.ts';
import { oneLine, safeJson } from '../../drawing/plain-text.ts';
import { thisCommand } from '../input/command-name.ts';
import { EXIT } from '../input/exit-code.ts';
import type { SharedOptions } from '../input/shared-options.ts';
import { withPolyphony } from '../process/session.ts';
import type { Terminal } from '../screen/terminal.ts';
import { type ListedModel, modelDetail, modelTable, nameOf } from './models-text.ts';

/** Without a name all models; with one those that it names, in detail, or those whose names hold it. */
export async function modelsCommand(
  name: string | undefined,
  options: SharedOptions,
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony, loaded }) => {
    const { gateway } = polyphony;
    const named = name === undefined ? [] : namedModels(name, gateway, loaded.config.aliases ?? {});
    const models = name === undefined || named.length > 0 ? named : holding(name, gateway);
    const shown = name === undefined ? gateway.models() : models;
    if (options.json) terminal.print(safeJson(shown.map(documentOf), 2));
    else if (named.length > 0) terminal.print(named.map((model) => modelDetail(model, terminal.paint)).join('\n\n'));
    else if (shown.length > 0) terminal.print(modelTable(shown, terminal.columns(), terminal.paint));
    if (shown.length > 0) return EXIT.done;
    terminal.say(`No model is called "${oneLine(name ?? '')}": ${thisCommand()} models lists what there is.`);
    return EXIT.failed;
  });
}

const documentOf = ({ provider, card }: ListedModel): object => ({ provider, ...card });

/** Also a model that its provider does not list, asked for as `provider/model`. */
function namedModels(name: string, gateway: Gateway, aliases: Readonly<Record<string, string>>): ListedModel[] {
  const wanted = Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
  const listed = gateway
    .models()
    .filter((model) => [model.card.id, nameOf(model), ...(model.card.aliases ?? [])].includes(wanted));
  if (listed.length > 0) return listed;
  const { candidates } = gateway.explain({ operation: 'chat', messages: [], model: wanted });
  const asked = candidates.filter(({ target }) => `${target.provider}/${target.model}` === wanted);
  return asked.slice(0, 1).map(({ target, card }) => ({ provider: target.provider, card }));
}

const holding = (part: string, gateway: Gateway): readonly ListedModel[] =>
  gateway.models().filter((model) => nameOf(model).toLowerCase().includes(part.toLowerCase()));

/** polyphony route: the rings and the decision, without a call. */
export async function routeCommand(
  prompt: string,
  options: SharedOptions & { readonly tier?: Tier; readonly model?: string },
  terminal: Terminal,
): Promise<number> {
  return withPolyphony(options, terminal, async ({ polyphony }) => {
    const model = options.model ?? (options.tier === undefined ? undefined : { tier: options.tier });
    const explanation = polyphony.gateway.explain({
      operation: 'chat',
      messages: [{ role: 'user', content: prompt }],
      ...(model === undefined ? {} : { model }),
    });
    const code = explanation.candidates.length === 0 ? EXIT.failed : EXIT.done;
    if (options.json) {
      terminal.print(safeJson(explanation, 2));
      return code;
    }
    const { bold, dim } = terminal.paint;
    terminal.print(`${bold('request ring')}  ${explanation.requestRing.join(' → ')}`);
    terminal.print(`${bold('attempt ring')}  ${explanation.attemptRing.join(' → ')}`);
    explanation.candidates.forEach(({ target, score, parts }, index) => {
      const shown = Object.entries(parts).map(([part, value]) => `${part} ${value.toFixed(2)}`);
      terminal.print(
        `${String(index + 1).padStart(2)}. ${target.provider}/${target.model}  ${score.toFixed(3)}  ${dim(shown.join(', '))}`,
      );
    });
    if (explanation.rankedBy !== undefined) {
      terminal.print(dim(`    order changed by ${oneLine(explanation.rankedBy.join(', '))}`));
    }
    for (const { target, failed } of explanation.rejected) {
      terminal.print(dim(` ✗  ${oneLine(`${target.provider}/${target.model}  ${failed.join('; ')}`)}`));
    }
    if (code !== EXIT.done) {
      const wanted = options.model === undefined ? 'this prompt' : `the model ${oneLine(options.model)}`;
      terminal.say(`no-route: nothing here answers ${wanted}; ${thisCommand()} models lists what there is`);
    }
    return code;
  });
}
