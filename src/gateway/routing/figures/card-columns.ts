/**
 * What decisions read of all cards of a registry, in columns by the row of a card: numbers side by side, where objects would
 * be fetched from all over the memory. They hold nothing that is observed, and nothing of a request. A row is filled when it is first read, because the
 * shipped facts come from a file and prices are compiled. Prices are kept until the first of them changes.
 */
import { TIERS, type Tier } from '../../../core/model/model.ts';
import type { ModelCard } from '../../../core/model/provider.ts';
import { costOf } from '../../../core/money/price.ts';
import { compiledPrice, periodAt } from '../../../core/money/price-sheet.ts';
import { type CardFigures, latencyPrior, type Prior, strengthPrior, termsKey } from './card-figures.ts';

/** Fields of work, lists of them, and service tiers whose columns are kept: callers name them. */
const MOST_FIELDS = 16;
const MOST_SERVICE_TIERS = 4;

export class CardColumns {
  readonly #rows: CardFigures[] = [];
  readonly #prices = new Map<string | undefined, PriceColumns>();
  readonly #strengths = new Map<string, PriorColumns>();
  readonly #terms = new Map<string, number>();
  readonly #means = new Map<string, PriorColumns>();
  #latencies: PriorColumns | undefined;
  #facts: FactColumns | undefined;

  /** The row of a further card. */
  add(figures: CardFigures): number {
    return this.#rows.push(figures) - 1;
  }

  /** The number of these terms, below `termCount`: see `termsKey`. */
  termsOf(card: ModelCard, mask: number, region: string | undefined): number {
    const key = termsKey(card, mask, region);
    const known = this.#terms.get(key) ?? this.#terms.size;
    this.#terms.set(key, known);
    return known;
  }

  get termCount(): number {
    return this.#terms.size;
  }

  /** What the cards say. */
  facts(): FactColumns {
    if (this.#facts?.size !== this.#rows.length) this.#facts = new FactColumns(this.#rows);
    return this.#facts;
  }

  /** Milliseconds of a short answer, NaN where nobody knows. */
  latencies(): PriorColumns {
    if (this.#latencies?.size !== this.#rows.length) this.#latencies = new PriorColumns(this.#rows, latencyPrior);
    return this.#latencies;
  }

  /** How good each is in a field, 0 to 1, on the scale of cards. */
  strengths(field: string): PriorColumns {
    const known = this.#strengths.get(field);
    if (known?.size === this.#rows.length) return known;
    const made = new PriorColumns(this.#rows, (figures) => strengthPrior(figures, field));
    return keep(this.#strengths, field, made, MOST_FIELDS);
  }

  /** The mean over several fields, for cards of which nothing is observed. */
  meanStrengths(fields: readonly string[]): PriorColumns {
    const [only = ''] = fields;
    if (fields.length === 1) return this.strengths(only);
    const key = JSON.stringify(fields);
    const known = this.#means.get(key);
    if (known?.size === this.#rows.length) return known;
    const made = new PriorColumns(this.#rows, (figures) => meanPrior(figures, fields));
    return keep(this.#means, key, made, MOST_FIELDS);
  }

  /** The prices at a moment. */
  prices(at: number, serviceTier: string | undefined): PriceColumns {
    const known = this.#prices.get(serviceTier);
    if (known !== undefined && known.size === this.#rows.length && known.moveTo(at)) return known;
    return keep(this.#prices, serviceTier, new PriceColumns(this.#rows, at, serviceTier), MOST_SERVICE_TIERS);
  }
}

function keep<Key, Columns>(kept: Map<Key, Columns>, key: Key, columns: Columns, most: number): Columns {
  if (kept.size >= most && !kept.has(key)) kept.clear();
  kept.set(key, columns);
  return columns;
}

function meanPrior(figures: CardFigures, fields: readonly string[]): Prior {
  let sum = 0;
  for (const field of fields) sum += strengthPrior(figures, field).value;
  return { value: sum / fields.length, weight: 0 };
}

const read = (column: Float64Array, row: number): number => column[row] ?? Number.NaN;

/** What cards say in numbers, for the rules and the order of decisions. */
export class FactColumns {
  readonly size: number;
  /** The moment from which the model has ended, in epoch milliseconds. */
  readonly endsAt: Float64Array;
  readonly contextTokens: Float64Array;
  readonly maxOutputTokens: Float64Array;
  /** `expectedMs` of the card; NaN where it has none. */
  readonly expectedMs: Float64Array;
  /** See `tierNumber`. */
  readonly tiers: Uint8Array;
  /** Equal for equal ids of models. */
  readonly models: Int32Array;
  /** 1 where the model is deprecated. */
  readonly isDeprecated: Uint8Array;

  constructor(rows: readonly CardFigures[]) {
    const size = rows.length;
    this.size = size;
    this.endsAt = new Float64Array(size);
    this.contextTokens = new Float64Array(size);
    this.maxOutputTokens = new Float64Array(size);
    this.expectedMs = new Float64Array(size);
    this.tiers = new Uint8Array(size);
    this.models = new Int32Array(size);
    this.isDeprecated = new Uint8Array(size);
    const models = new Map<string, number>();
    rows.forEach((figures, row) => {
      this.#fill(row, figures, models);
    });
  }

  #fill(row: number, { card, endsAt }: CardFigures, models: Map<string, number>): void {
    const model = models.get(card.id) ?? models.size;
    models.set(card.id, model);
    this.endsAt[row] = endsAt;
    this.contextTokens[row] = card.contextTokens;
    this.maxOutputTokens[row] = card.maxOutputTokens;
    this.expectedMs[row] = card.expectedMs ?? Number.NaN;
    this.tiers[row] = tierNumber(card.tier);
    this.models[row] = model;
    this.isDeprecated[row] = card.lifecycle?.stage === 'deprecated' ? 1 : 0;
  }
}

/** A tier as a number; 255 for what is none. */
export const tierNumber = (tier: Tier): number => TIERS.indexOf(tier) & 255;

/** What is known before anything is observed. */
export class PriorColumns {
  readonly size: number;
  readonly #rows: readonly CardFigures[];
  readonly #find: (figures: CardFigures) => Prior;
  readonly #isKnown: Uint8Array;
  readonly #values: Float64Array;
  readonly #weights: Float64Array;

  constructor(rows: readonly CardFigures[], find: (figures: CardFigures) => Prior) {
    this.size = rows.length;
    this.#rows = rows;
    this.#find = find;
    this.#isKnown = new Uint8Array(rows.length);
    this.#values = new Float64Array(rows.length);
    this.#weights = new Float64Array(rows.length);
  }

  value(row: number): number {
    if (this.#isKnown[row] !== 1) this.#fill(row);
    return read(this.#values, row);
  }

  /** The observations that the value counts as. */
  weight(row: number): number {
    if (this.#isKnown[row] !== 1) this.#fill(row);
    return read(this.#weights, row);
  }

  #fill(row: number): void {
    const { value, weight } = this.#find(this.#rows[row] as CardFigures);
    this.#values[row] = value;
    this.#weights[row] = weight;
    this.#isKnown[row] = 1;
  }
}

/** Rates in pico-dollars per token, and nano-dollars per image and request; NaN where they are unknown. */
export class PriceColumns {
  readonly size: number;
  readonly #rows: readonly CardFigures[];
  #at: number;
  readonly #serviceTier: string | undefined;
  readonly #isKnown: Uint8Array;
  readonly #input: Float64Array;
  readonly #output: Float64Array;
  readonly #image: Float64Array;
  readonly #request: Float64Array;
  /** The number of prompt tokens above which the rates are others. */
  readonly #above: Float64Array;
  #from = Number.NEGATIVE_INFINITY;
  #until = Number.POSITIVE_INFINITY;

  constructor(rows: readonly CardFigures[], at: number, serviceTier: string | undefined) {
    this.size = rows.length;
    this.#rows = rows;
    this.#at = at;
    this.#serviceTier = serviceTier;
    this.#isKnown = new Uint8Array(rows.length);
    this.#input = new Float64Array(rows.length).fill(Number.NaN);
    this.#output = new Float64Array(rows.length);
    this.#image = new Float64Array(rows.length);
    this.#request = new Float64Array(rows.length);
    this.#above = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);
  }

  /** Reads the prices of another moment from now on; false if one that was found already has changed by then. */
  moveTo(at: number): boolean {
    if (at < this.#from || at >= this.#until) return false;
    // Rows that are filled later are filled for this moment.
    this.#at = at;
    return true;
  }

  /** `costOf` of text and images, in nano-dollars; NaN where that is null. */
  cost(row: number, input: number, output: number, images: number): number {
    if (this.#isKnown[row] !== 1) this.#fill(row);
    if (input > read(this.#above, row)) return this.#costAbove(row, input, output, images);
    const pico = input * read(this.#input, row) + output * read(this.#output, row);
    const pictures = images === 0 ? 0 : images * read(this.#image, row);
    return Math.ceil(pico / 1000) + pictures + read(this.#request, row);
  }

  #costAbove(row: number, input: number, output: number, images: number): number {
    const terms = { at: this.#at, serviceTier: this.#serviceTier };
    return costOf((this.#rows[row] as CardFigures).card, { input, output, images }, terms) ?? Number.NaN;
  }

  #fill(row: number): void {
    this.#isKnown[row] = 1;
    const { price } = (this.#rows[row] as CardFigures).card;
    if (price === null) return;
    const { sheet, from, until } = periodAt(compiledPrice(price), this.#at, this.#serviceTier);
    this.#from = Math.max(this.#from, from);
    this.#until = Math.min(this.#until, until);
    this.#input[row] = sheet.rates.input;
    this.#output[row] = sheet.rates.output;
    this.#image[row] = sheet.rates.image ?? Number.NaN;
    this.#request[row] = sheet.rates.request;
    this.#above[row] = sheet.tiers[0]?.above ?? Number.POSITIVE_INFINITY;
  }
}
