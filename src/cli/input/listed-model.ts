/** Finds the models that a name given by the user means. */
import type { Gateway } from '../../core/gateway.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { modelCard } from '../../kit/models/model-card.ts';
import { modelCatalogue } from '../../kit/models/model-catalogue.ts';

export interface ListedModel {
  readonly provider: string;
  readonly card: ModelCard;
}

/** Only who would be asked is of interest. */
const ANY_MESSAGES = [{ role: 'user', content: 'Hi' }] as const;

export const listedModelName = ({ provider, card }: ListedModel): string => `${provider}/${card.id}`;

/** The models with this id, alias or `provider/model`; also a model that its provider serves without listing it. */
export function listedModelsNamed(
  name: string,
  gateway: Gateway,
  aliases: Readonly<Record<string, string>>,
): ListedModel[] {
  const wanted = Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name;
  const listed = gateway
    .models()
    .filter((model) => [model.card.id, listedModelName(model), ...(model.card.aliases ?? [])].includes(wanted));
  if (listed.length > 0) return listed;
  const { candidates } = gateway.explain({ operation: 'chat', messages: ANY_MESSAGES, model: wanted });
  const asked = candidates.filter(({ target }) => `${target.provider}/${target.model}` === wanted);
  return asked.slice(0, 1).map(({ target, card }) => ({ provider: target.provider, card }));
}

/** The models whose names contain a text; ignores upper and lower case. */
export const modelsHolding = (part: string, gateway: Gateway): readonly ListedModel[] =>
  gateway.models().filter((model) => listedModelName(model).toLowerCase().includes(part.toLowerCase()));

/** Every model at a provider that the catalogue knows, whether it is registered or not, whose name contains a text. */
export function knownModels(part: string): readonly ListedModel[] {
  const { cards, models } = modelCatalogue();
  return Object.entries(cards).flatMap(([name, { model }]) => {
    if (!Object.hasOwn(models, model) || !name.toLowerCase().includes(part.toLowerCase())) return [];
    const slash = name.indexOf('/');
    return [{ provider: name.slice(0, slash), card: modelCard({ id: name.slice(slash + 1), strengths: {} }) }];
  });
}
