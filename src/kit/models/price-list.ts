/**
 * The public price list (@pydantic/genai-prices) for models that no card describes. It is half a megabyte of data, so it
 * is loaded for the first such model, and never for a local server. See docs/decisions/prices.md.
 */
import { createRequire } from 'node:module';
import type { ModelInfo, ModelPrice } from '@pydantic/genai-prices';
import type { ModelCard } from '../../core/model/provider.ts';
import type {
  DatedPrice,
  PriceRates,
  PriceTier,
  PriceWindow,
  SomeRates,
  TokenPrice,
} from '../../core/money/token-price.ts';

type PriceList = Pick<typeof import('@pydantic/genai-prices'), 'calcPrice' | 'findProvider'>;

/** Facts of the list about a model; empty if the list does not have it or our prices cannot express its price. */
export type ListedFacts = Partial<Pick<ModelCard, 'price' | 'contextTokens'>>;

const SOURCE = '@pydantic/genai-prices';
const LONGEST_NAME = 200;
let list: PriceList | undefined;

/** Synchronous, because routing cannot wait for an import. */
function priceList(): PriceList {
  list ??= createRequire(import.meta.url ?? __filename)('@pydantic/genai-prices') as PriceList;
  return list;
}

/** The facts for the address of a server and its id of the model. */
export function listedFacts(baseURL: string, id: string): ListedFacts {
  if (!isPublic(baseURL) || id.length > LONGEST_NAME) return {};
  const { calcPrice, findProvider } = priceList();
  const provider = findProvider({ providerApiUrl: baseURL });
  if (provider === undefined) return {};
  const model = calcPrice({ input_tokens: 0, output_tokens: 0 }, id, { provider })?.model;
  if (model === undefined) return {};
  const price = tokenPrice(model);
  return {
    ...(price === null ? undefined : { price }),
    ...(model.context_window === undefined ? undefined : { contextTokens: model.context_window }),
  };
}

/** True for a host name with a dot that is not an IP address. */
function isPublic(baseURL: string): boolean {
  const host = URL.canParse(baseURL) ? new URL(baseURL).hostname : '';
  return /\.[a-z]/i.test(host) && !host.endsWith('.local') && !host.endsWith('.internal');
}

// ---------------------------------------------------------------------------------------------------- translation

/** The kinds that both have, by the list's names; its rates are in USD per million tokens or per thousand requests. */
const KINDS: Readonly<Record<string, readonly [keyof PriceRates, number]>> = {
  input_mtok: ['input', 1],
  output_mtok: ['output', 1],
  cache_read_mtok: ['cacheRead', 1],
  cache_write_mtok: ['cacheWrite', 1],
  cache_write_1h_mtok: ['cacheWriteLong', 1],
  output_reasoning_mtok: ['reasoning', 1],
  input_audio_mtok: ['audioInput', 1],
  cache_audio_read_mtok: ['audioCacheRead', 1],
  output_audio_mtok: ['audioOutput', 1],
  input_image_mtok: ['imageInput', 1],
  output_image_mtok: ['imageOutput', 1],
  requests_kcount: ['request', 1 / 1000],
};
/** Rates that our usage does not count: the provider's own tools, and pictures read from the cache. */
const BESIDE: ReadonlySet<string> = new Set([
  'web_searches_kcount',
  'storage_searches_kcount',
  'cache_image_read_mtok',
]);

type Constraint = Exclude<ModelInfo['prices'], ModelPrice>[number]['constraint'];

/** null if the list has a rate that our prices cannot express, or none for input. */
export function tokenPrice({ id, prices }: Pick<ModelInfo, 'id' | 'prices'>): TokenPrice | null {
  const all = Array.isArray(prices) ? prices : [{ prices }];
  const [first, ...others] = all.map(({ prices: rates, constraint }) => ({ constraint, ...ratesOf(rates) }));
  if (first === undefined || [first, ...others].some(({ isWhole }) => !isWhole)) return null;
  const { input, output = 0 } = first.rates;
  if (input === undefined || first.constraint !== undefined) return null;
  const changes: DatedPrice[] = [];
  const windows: PriceWindow[] = [];
  for (const { constraint, rates, tiers } of others) {
    const dated = dateOf(constraint);
    const hours = hoursOf(constraint);
    if (dated !== undefined) changes.push({ ...rates, tiers, from: dated });
    if (hours !== undefined) windows.push({ ...rates, tiers, ...hours });
  }
  return {
    ...first.rates,
    input,
    output,
    ...(first.tiers.length === 0 ? undefined : { tiers: first.tiers }),
    ...(changes.length === 0 ? undefined : { changes }),
    ...(windows.length === 0 ? undefined : { windows }),
    source: `${SOURCE}, "${id}"`,
  };
}

const dateOf = (constraint: Constraint): string | undefined =>
  constraint?.type === 'start_date' ? constraint.start_date : undefined;

function hoursOf(constraint: Constraint): Pick<PriceWindow, 'start' | 'end'> | undefined {
  if (constraint?.type !== 'time_of_date') return undefined;
  return { start: constraint.start_time.slice(0, 5), end: constraint.end_time.slice(0, 5) };
}

interface ListedRates {
  readonly rates: SomeRates;
  readonly tiers: readonly PriceTier[];
  /** Every rate of the list was understood. */
  readonly isWhole: boolean;
}

function ratesOf(listed: ModelPrice): ListedRates {
  const rates: Partial<Record<keyof PriceRates, number>> = {};
  const tiers = new Map<number, Partial<Record<keyof PriceRates, number>>>();
  let isWhole = true;
  for (const [name, rate] of Object.entries(listed)) {
    const known = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    if (rate === undefined || known === undefined) {
      isWhole &&= rate === undefined || BESIDE.has(name);
      continue;
    }
    const [kind, factor] = known;
    if (typeof rate === 'number') rates[kind] = rate * factor;
    else {
      rates[kind] = rate.base * factor;
      for (const { start, price } of rate.tiers) tiers.set(start, { ...tiers.get(start), [kind]: price * factor });
    }
  }
  return { rates, tiers: [...tiers].map(([aboveInputTokens, changed]) => ({ ...changed, aboveInputTokens })), isWhole };
}
