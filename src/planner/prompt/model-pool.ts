/**
 * The pool of models as a planner reads it: the twelve that are best by field by their ids, with what each is best at, what it
 * costs against the cheapest, its window and what it takes in; the others by tier. What is unknown is not said.
 */
import { type Operation, TIERS, type Tier } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { costOf } from '../../core/money/price.ts';
import type { Catalogue } from '../../core/plan/validation.ts';
import { type RatedModel, strengthFigure } from '../../kit/models/strengths.ts';

export const MOST_NAMED = 12;
/** Fields of work that a plan can choose by, the most telling first. */
const FIELDS = [
  ...['general', 'code', 'reasoning', 'tools', 'extraction', 'multilingual', 'vision', 'longContext', 'creative'],
  ...['grounding', 'search', 'knowledge', 'instruction'],
] as const;
/** Beside what it is in general. */
const SHOWN_FIELDS = 2;
/** On the scale of cards: below it nothing is known of a model that it could be chosen for. */
const WORTH_TELLING = 0.6;
/** A usual call, by which prices are compared. */
const USUAL_CALL = { input: 1000, output: 400 } as const;

/** What a usual call costs, in nano-dollars; null: unknown. */
export const usualCost = (card: ModelCard): number | null => costOf(card, USUAL_CALL, { at: 'usual' });

interface PoolModel extends RatedModel {
  readonly cost: number | null;
}

/** Models that a node may ask, each once wherever it is served: the cheapest offer stands for all. */
function poolOf({ models }: Pick<Catalogue, 'models'>): readonly PoolModel[] {
  const able = models.filter(
    ({ card }) => card.lifecycle?.stage !== 'retired' && card.dedicatedTo === undefined && serves(card, 'chat'),
  );
  const own = able.filter(({ card }) => card.standIn !== true);
  const byId = new Map<string, PoolModel>();
  for (const { provider, card } of own.length > 0 ? own : able) {
    const cost = usualCost(card);
    const before = byId.get(card.id);
    const isCheaper = before === undefined || (cost !== null && (before.cost === null || cost < before.cost));
    if (isCheaper) byId.set(card.id, { provider, card, cost });
  }
  return [...byId.values()];
}

const serves = (card: ModelCard, operation: Operation): boolean => card.operations.includes(operation);

/** The lines of the pool; empty where there is no model to choose. */
export function poolLines(catalogue: Pick<Catalogue, 'models' | 'evaluators' | 'routes' | 'tasks'>): readonly string[] {
  const pool = poolOf(catalogue);
  const named = new Set(pool.length <= MOST_NAMED ? pool : bestByField(pool));
  const known = pool.flatMap(({ cost }) => (cost === null || cost === 0 ? [] : [cost]));
  const cheapest = known.length === 0 ? null : Math.min(...known);
  const head = `id tier; best at (0 to 1); price against the cheapest; window${[...named].some(({ card }) => takesText(card) === '') ? '; takes images and files unless it says otherwise' : ''}`;
  return [
    ...(pool.length === 0 ? [] : [head]),
    ...[...named].map((model) => modelLine(model, cheapest)),
    ...TIERS.flatMap((tier) =>
      restLine(
        tier,
        pool.filter((model) => !named.has(model)),
        cheapest,
      ),
    ),
    ...(catalogue.evaluators.length === 0 ? [] : [`evaluators: ${catalogue.evaluators.slice(0, 20).join(', ')}`]),
    ...(catalogue.routes.length === 0 ? [] : [`routes: ${catalogue.routes.slice(0, 20).join(', ')}`]),
    ...tasksLine(catalogue.tasks),
  ];
}

/** A node takes the route of its task by itself, so the names say what need not be chosen. */
const tasksLine = (tasks: readonly string[] = []): readonly string[] =>
  tasks.length === 0
    ? []
    : [`tasks (model.task; by the prompt where a node names no model): ${tasks.slice(0, 20).join(', ')}`];

/** Round by round the best of each field that is not named yet, then the cheapest of each tier, until there are twelve. */
function bestByField(pool: readonly PoolModel[]): readonly PoolModel[] {
  const named = new Set<PoolModel>();
  for (const tier of TIERS) {
    const cheapest = cheapestOf(pool.filter(({ card }) => card.tier === tier));
    if (cheapest !== undefined) named.add(cheapest);
  }
  const rankings = FIELDS.map((field) =>
    pool
      .map((model) => ({ model, value: knownValue(model, field) }))
      .filter(({ value }) => value !== undefined)
      .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || (a.model.cost ?? Infinity) - (b.model.cost ?? Infinity)),
  );
  for (let place = 0; named.size < MOST_NAMED && place < pool.length; place += 1) {
    for (const ranking of rankings) {
      const found = ranking[place]?.model;
      if (found !== undefined && named.size < MOST_NAMED) named.add(found);
    }
  }
  return pool.filter((model) => named.has(model));
}

function cheapestOf(models: readonly PoolModel[]): PoolModel | undefined {
  const priced = models.filter(({ cost }) => cost !== null);
  return priced.sort((a, b) => (a.cost ?? 0) - (b.cost ?? 0))[0];
}

/** Only what was measured or stated is worth a choice: not what is assumed for the tier. */
function knownValue(model: PoolModel, field: string): number | undefined {
  const figure = strengthFigure(model, field);
  return figure === undefined || figure.basis === 'assumed' ? undefined : figure.value;
}

function modelLine(model: PoolModel, cheapest: number | null): string {
  const { provider, card, cost } = model;
  const parts = [strengthsText(model), priceText(cost, cheapest), windowText(card.contextTokens), takesText(card)];
  return `${provider}/${card.id} ${[card.tier, ...parts.filter((part) => part !== '')].join('; ')}`;
}

/** Its best fields, by how far they are above what it is in general. */
function strengthsText(model: PoolModel): string {
  const general = knownValue(model, 'general');
  const named = new Set<string>([
    ...FIELDS,
    ...Object.keys(model.card.strengths),
    ...Object.keys(model.card.measured ?? {}),
  ]);
  for (const apart of ['general', 'planning', 'structured']) named.delete(apart);
  const fields = [...named]
    .flatMap((field) => {
      const value = knownValue(model, field);
      return value === undefined || value < WORTH_TELLING ? [] : [{ field, value }];
    })
    .sort((a, b) => b.value - a.value)
    .slice(0, SHOWN_FIELDS);
  const all = [...(general === undefined ? [] : [{ field: 'general', value: general }]), ...fields];
  return all.map(({ field, value }) => `${field.slice(0, 40)} ${value.toFixed(2).replace(/^0/, '')}`).join(' ');
}

function priceText(cost: number | null, cheapest: number | null): string {
  if (cost === null) return 'price unknown';
  if (cost === 0) return 'free';
  return cheapest === null ? '' : `x${timesText(cost / cheapest)}`;
}

const timesText = (times: number): string =>
  times < 9.5 ? String(Math.round(times * 10) / 10) : String(Math.round(times));

const windowText = (tokens: number): string =>
  tokens >= 1_000_000 ? `${Math.round(tokens / 100_000) / 10}M` : `${Math.round(tokens / 1000)}k`;

const TAKES = [
  ['image-in', 'image'],
  ['file-in', 'file'],
  ['audio-in', 'audio'],
  ['video-in', 'video'],
] as const;
const USUALLY_TAKEN = 'image+file';

/** Empty for images and files, as most models of today. */
function takesText({ capabilities }: ModelCard): string {
  const taken = TAKES.flatMap(([capability, name]) => (capabilities.includes(capability) ? name : [])).join('+');
  return taken === USUALLY_TAKEN ? '' : taken === '' ? 'text only' : `takes ${taken}`;
}

function restLine(tier: Tier, rest: readonly PoolModel[], cheapest: number | null): readonly string[] {
  const models = rest.filter(({ card }) => card.tier === tier);
  if (models.length === 0) return [];
  const costs = models.flatMap(({ cost }) => (cost === null ? [] : [cost])).sort((a, b) => a - b);
  const [least, most] = [costs[0], costs.at(-1)];
  const prices =
    least === undefined || most === undefined
      ? 'price unknown'
      : `${priceText(least, cheapest)} to ${priceText(most, cheapest)}`;
  return [`${models.length} more ${tier}: ${prices}`];
}

/** What a usual call costs at the middle of each tier, for the relation to a budget; tiers without a known price are left out. */
export function tierCosts(
  catalogue: Pick<Catalogue, 'models'>,
): readonly { readonly tier: Tier; readonly nanoUsd: number }[] {
  const pool = poolOf(catalogue);
  return TIERS.flatMap((tier) => {
    const costs = pool
      .flatMap(({ card, cost }) => (card.tier === tier && cost !== null ? [cost] : []))
      .sort((a, b) => a - b);
    const middle = costs[Math.floor((costs.length - 1) / 2)];
    return middle === undefined ? [] : [{ tier, nanoUsd: middle }];
  });
}
