/** Names of a config that no provider here has: they are no fault, because another machine may have it, and they do nothing here. */
import type { Config } from '../../core/config.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { nearest } from '../../language/suggest.ts';

type Known = Pick<Catalogue, 'models' | 'aliases' | 'unlisted'>;

/** Such as `connect "acmee" (did you mean acme?)`, in the order of the config's reference. */
export function unknownNames(config: Config, known: Known): readonly string[] {
  const providers = [...new Set(known.models.map(({ provider }) => provider))];
  const isProvider = (name: string): boolean => providers.includes(name) || known.unlisted?.(name, 'any') !== undefined;
  const models = new Set([
    ...Object.keys(known.aliases),
    ...known.models.flatMap(({ provider, card }) => [`${provider}/${card.id}`, card.id, ...(card.aliases ?? [])]),
  ]);
  const isModel = (name: string): boolean => {
    const [provider = '', ...model] = name.split('/');
    return models.has(name) || known.unlisted?.(provider, model.join('/')) !== undefined;
  };
  const said =
    (names: Iterable<string>) =>
    ([field, name]: Named): string => {
      const [near] = nearest(name, names);
      return `${field} "${name}"${near === undefined ? '' : ` (did you mean ${near}?)`}`;
    };
  return [
    ...modelsIn(config, isModel)
      .filter(([, name]) => !isModel(name))
      .map(said(models)),
    ...providersIn(config)
      .filter(([, name]) => !isProvider(name))
      .map(said(providers)),
  ];
}

type Named = readonly [field: string, name: string];

/** What would replace a model that is not here matters as little as the model. */
function modelsIn(config: Config, isModel: (name: string) => boolean): readonly Named[] {
  const { aliases = {}, routes = {}, candidates = {}, warm = {}, fallbacks = {} } = config;
  return [
    ...Object.entries(aliases).map(([alias, name]): Named => [`aliases.${alias}`, name]),
    ...Object.entries(routes).flatMap(([route, { chain = [] }]) =>
      chain.map((name): Named => [`routes.${route}.chain`, name]),
    ),
    ...given('classify.model', config.classify?.model),
    ...(fallbacks.contextWindow ?? []).map((name): Named => ['fallbacks.contextWindow', name]),
    ...(fallbacks.contentPolicy ?? []).map((name): Named => ['fallbacks.contentPolicy', name]),
    ...(fallbacks.prompts ?? []).flatMap(({ from, to }) =>
      [from, to].filter((name) => name !== '*').map((name): Named => ['fallbacks.prompts', name]),
    ),
    ...Object.entries(candidates).flatMap(([name, { of, model }]): Named[] => [
      [`candidates.${name}.of`, of],
      [`candidates.${name}.model`, model],
    ]),
    ...Object.entries(config.models ?? {}).flatMap(([name, { lifecycle }]) =>
      isModel(name) ? given(`models.${name}.lifecycle.replacedBy`, lifecycle?.replacedBy) : [],
    ),
    ...given('planner.model', config.planner?.model),
    ...Object.keys(warm).map((name): Named => ['warm', name]),
  ];
}

function providersIn({
  batches,
  budgets = [],
  commitments = [],
  concurrency = {},
  connect = [],
}: Config): readonly Named[] {
  return [
    ...Object.keys(batches?.providers ?? {}).map((name): Named => ['batches.providers', name]),
    ...budgets.flatMap(({ scope, id }) => (scope === 'provider' ? given('budgets', id) : [])),
    ...commitments.map(({ provider }): Named => ['commitments', provider]),
    ...Object.keys(concurrency).map((name): Named => ['concurrency', name]),
    ...connect.map((name): Named => ['connect', name]),
  ];
}

const given = (field: string, name: string | undefined): readonly Named[] =>
  name === undefined ? [] : [[field, name]];
