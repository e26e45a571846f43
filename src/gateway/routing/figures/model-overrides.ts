/** What the config says of models, over what their cards say. */
import type { Config, ModelConfig } from '../../../core/config.ts';
import { defined } from '../../../core/defined.ts';
import type { ModelCard } from '../../../core/model/provider.ts';

type Models = NonNullable<Config['models']>;

/** The card itself where the config says nothing of it. */
export function withModel(provider: string, card: ModelCard, models: Config['models']): ModelCard {
  const own = models === undefined ? undefined : modelFor(provider, card, models);
  if (own === undefined) return card;
  const { strengths, ...fields } = own;
  return {
    ...card,
    ...defined(fields),
    ...(strengths === undefined ? {} : { measured: { ...card.measured, ...strengths } }),
  };
}

/** Found by `provider/model`, else by an alias of the card, else by the model's own id at any provider. */
function modelFor(provider: string, { id, aliases = [] }: ModelCard, models: Models): ModelConfig | undefined {
  const names = [id, ...aliases];
  const key = [...names.map((name) => `${provider}/${name}`), ...names].find((name) => Object.hasOwn(models, name));
  return key === undefined ? undefined : models[key];
}
