/**
 * A price compiled once to integer pico-dollars per token, for every date, hour and service tier at which it differs, so
 * that pricing a call only multiplies.
 */
import { DAY_MS, dayOf } from './calendar.ts';
import { NANO_PER_USD, type NanoUsd } from './money.ts';
import type { DatedPrice, PriceChange, PriceRates, PriceWindow, SomeRates, TokenPrice } from './token-price.ts';

type TokenKind = Exclude<keyof PriceRates, 'image' | 'request' | 'search'>;

/** Pico-dollars per token of each kind. */
export interface Rates extends Readonly<Record<TokenKind, number>> {
  /** null: the price of an image is unknown. */
  readonly image: NanoUsd | null;
  readonly request: NanoUsd;
  /** null: the price of a search is unknown. */
  readonly search: NanoUsd | null;
  /** Reasoning, audio or pictures have other rates than text. */
  readonly apart: boolean;
  readonly reasoningCoversAnswer: boolean;
  /** The most that a prompt token, and an answer token, of text can cost. */
  readonly dearestInput: number;
  readonly dearestOutput: number;
}

/** The rates of one moment and service tier. */
export interface Sheet {
  readonly rates: Rates;
  /** In ascending order of their thresholds. */
  readonly tiers: readonly { readonly above: number; readonly rates: Rates }[];
}

interface Era {
  readonly fromMs: number;
  /** By service tier, '' for none: the sheet outside every window, then the sheet of each window. */
  readonly sheets: ReadonlyMap<string, readonly Sheet[]>;
}

interface Hours {
  /** Milliseconds of the day. */
  readonly start: number;
  readonly end: number;
  readonly days: readonly number[] | undefined;
}

/** A sheet, and from when until when it applies at least; `until` is not included. */
export interface Period {
  readonly sheet: Sheet;
  readonly from: number;
  readonly until: number;
}

export interface CompiledPrice {
  /** The only sheet, if neither date nor hour nor service tier matters. */
  readonly only: Sheet | undefined;
  /** The first one has no beginning. */
  readonly eras: readonly Era[];
  readonly windows: readonly Hours[];
}

/** 1 January 1970 was a Thursday. */
const FIRST_DAY = 4;
const compiled = new WeakMap<TokenPrice, CompiledPrice>();

/** Cached by object, because prices are never changed in place. */
export function compiledPrice(price: TokenPrice): CompiledPrice {
  const known = compiled.get(price);
  if (known !== undefined) return known;
  const made = compile(price);
  compiled.set(price, made);
  return made;
}

/** The price with the dated changes that have begun applied to its rates. The same object if there are none. */
export function priceAsOf(price: TokenPrice, ms: number): TokenPrice {
  const { changes = [], ...plain } = price;
  const begun = changes.filter(({ from }) => Date.parse(from) <= ms).sort(byDate);
  if (begun.length === 0) return price;
  const later = changes.filter((change) => !begun.includes(change));
  return { ...plain, ...begun.reduce(changed, plain), ...(later.length === 0 ? undefined : { changes: later }) };
}

// ---------------------------------------------------------------------------------------------------- choosing a sheet

export function sheetAt({ eras, windows }: CompiledPrice, ms: number, serviceTier: string | undefined): Sheet {
  const sheets = sheetsOf(eraAt(eras, ms), serviceTier);
  return (windows.length === 0 ? undefined : sheets[windowAt(windows, ms)]) ?? first(sheets);
}

/** The sheet of a moment, for those who keep it. */
export function periodAt(price: CompiledPrice, ms: number, serviceTier: string | undefined): Period {
  let from = Number.NEGATIVE_INFINITY;
  let until = Number.POSITIVE_INFINITY;
  // Every window begins and ends each day, so the nearest boundaries are at most a day away.
  for (const moment of boundaries(price, ms - DAY_MS, ms + DAY_MS)) {
    if (moment <= ms) from = Math.max(from, moment);
    else until = Math.min(until, moment);
  }
  return { sheet: sheetAt(price, ms, serviceTier), from, until };
}

/** The sheet before any dated change and outside every window. */
export const usualSheet = ({ eras }: CompiledPrice, serviceTier: string | undefined): Sheet =>
  first(sheetsOf(eras[0], serviceTier));

export const allSheets = ({ eras }: CompiledPrice, serviceTier: string | undefined): readonly Sheet[] =>
  eras.flatMap((era) => sheetsOf(era, serviceTier));

/** Every sheet that applies at some moment from `from` to `until`, both included. */
export function sheetsBetween(
  price: CompiledPrice,
  from: number,
  until: number,
  serviceTier: string | undefined,
): readonly Sheet[] {
  if (until - from >= 7 * DAY_MS) return allSheets(price, serviceTier);
  const moments = [from, ...boundaries(price, from, until).filter((moment) => moment > from && moment <= until)];
  return moments.map((moment) => sheetAt(price, moment, serviceTier));
}

/** Where the rates may change on the days of the span. */
function boundaries({ eras, windows }: CompiledPrice, from: number, until: number): readonly number[] {
  const found = eras.map(({ fromMs }) => fromMs);
  for (let day = dayOf(from); windows.length > 0 && day <= dayOf(until); day += 1)
    for (const { start, end } of windows) found.push(day * DAY_MS + start, day * DAY_MS + end);
  return found;
}

function eraAt(eras: readonly Era[], ms: number): Era | undefined {
  let found = eras[0];
  for (const era of eras) if (era.fromMs <= ms) found = era;
  return found;
}

function sheetsOf(era: Era | undefined, serviceTier: string | undefined): readonly Sheet[] {
  const named = serviceTier === undefined ? undefined : era?.sheets.get(serviceTier);
  return named ?? era?.sheets.get('') ?? [];
}

function first([sheet]: readonly Sheet[]): Sheet {
  if (sheet === undefined) throw new RangeError('A price has no sheet.');
  return sheet;
}

/** The index of the window's sheet, 0 outside every window. */
function windowAt(windows: readonly Hours[], ms: number): number {
  const day = dayOf(ms);
  const time = ms - day * DAY_MS;
  let found = 0;
  windows.forEach(({ start, end, days }, index) => {
    const startedOn = startOf(start, end, time, day);
    if (startedOn === undefined) return;
    if (days === undefined || days.includes((startedOn + FIRST_DAY) % 7)) found = index + 1;
  });
  return found;
}

/** The day on which the window that applies at `time` of `day` began. */
function startOf(start: number, end: number, time: number, day: number): number | undefined {
  if (start < end) return time >= start && time < end ? day : undefined;
  if (time >= start) return day;
  return time < end ? day - 1 : undefined;
}

// ---------------------------------------------------------------------------------------------------- compiling

/** A price without its variants. */
type PlainPrice = PriceRates & Pick<TokenPrice, 'tiers' | 'reasoningCoversAnswer'>;

function compile(price: TokenPrice): CompiledPrice {
  const { times = 1, tiers, changes = [], windows = [], serviceTiers = {} } = price;
  const named = Object.entries(serviceTiers);
  const eras: Era[] = [];
  let plain: PlainPrice = { ...price, tiers };
  const add = (fromMs: number): void => {
    const sheets = new Map<string, readonly Sheet[]>();
    sheets.set('', sheetsFor(plain, windows, times));
    for (const [name, change] of named) sheets.set(name, sheetsFor(changed(plain, change), windows, times));
    eras.push({ fromMs, sheets });
  };
  add(Number.NEGATIVE_INFINITY);
  for (const change of [...changes].sort(byDate)) {
    plain = changed(plain, change);
    add(Date.parse(change.from));
  }
  const isPlain = named.length === 0 && windows.length === 0 && changes.length === 0;
  return { only: isPlain ? sheetOf(plain, times) : undefined, eras, windows: windows.map(hoursOf) };
}

const byDate = (a: DatedPrice, b: DatedPrice): number => Date.parse(a.from) - Date.parse(b.from);

const sheetsFor = (price: PlainPrice, windows: readonly PriceWindow[], times: number): readonly Sheet[] => [
  sheetOf(price, times),
  ...windows.map((window) => sheetOf(changed(price, window), times)),
];

const hoursOf = ({ start, end, days }: PriceWindow): Hours => ({ start: clockTime(start), end: clockTime(end), days });

function clockTime(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * 60_000;
}

const KINDS = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'cacheWriteLong',
  'reasoning',
  'audioInput',
  'audioCacheRead',
  'audioOutput',
  'imageInput',
  'imageOutput',
  'image',
  'request',
  'search',
] as const satisfies readonly (keyof PriceRates)[];

function changed(price: PlainPrice, { times = 1, tiers, ...rates }: PriceChange): PlainPrice {
  const scaled = times === 1 ? price.tiers : price.tiers?.map((tier) => ({ ...tier, ...scale(tier, times) }));
  return { ...price, ...scale(price, times), ...defined(rates), tiers: tiers ?? scaled };
}

const scale = (rates: SomeRates, times: number): Partial<PriceRates> =>
  Object.fromEntries(KINDS.flatMap((kind) => (rates[kind] === undefined ? [] : [[kind, rates[kind] * times]])));

const defined = (rates: SomeRates): Partial<PriceRates> => scale(rates, 1);

function sheetOf(price: PlainPrice, times: number): Sheet {
  const tiers = [...(price.tiers ?? [])].sort((a, b) => a.aboveInputTokens - b.aboveInputTokens);
  return {
    rates: ratesOf(price, times),
    tiers: tiers.map((tier) => ({
      above: tier.aboveInputTokens,
      rates: ratesOf({ ...price, ...defined(tier) }, times),
    })),
  };
}

function ratesOf(price: PlainPrice, times: number): Rates {
  const pico = (usdPerMillion: number): number => roundedUp(usdPerMillion * times * 1_000_000);
  const {
    cacheRead = price.input,
    cacheWrite = price.input,
    audioInput = price.input,
    imageInput = price.input,
  } = price;
  const { cacheWriteLong = cacheWrite, audioCacheRead = cacheRead } = price;
  const { reasoning = price.output, audioOutput = price.output, imageOutput = price.output } = price;
  const rates = { input: pico(price.input), output: pico(price.output), cacheRead: pico(cacheRead) };
  const writes = { cacheWrite: pico(cacheWrite), cacheWriteLong: pico(cacheWriteLong) };
  return {
    ...rates,
    ...writes,
    reasoning: pico(reasoning),
    audioInput: pico(audioInput),
    audioCacheRead: pico(audioCacheRead),
    audioOutput: pico(audioOutput),
    imageInput: pico(imageInput),
    imageOutput: pico(imageOutput),
    image: price.image === undefined ? null : nano(price.image * times),
    request: nano((price.request ?? 0) * times),
    search: price.search === undefined ? null : nano(price.search * times),
    apart:
      audioInput !== price.input ||
      imageInput !== price.input ||
      audioCacheRead !== cacheRead ||
      [reasoning, audioOutput, imageOutput].some((rate) => rate !== price.output),
    reasoningCoversAnswer: price.reasoningCoversAnswer === true,
    dearestInput: Math.max(rates.input, rates.cacheRead, writes.cacheWrite, writes.cacheWriteLong),
    dearestOutput: Math.max(rates.output, pico(reasoning)),
  };
}

const nano = (usd: number): NanoUsd => roundedUp(usd * NANO_PER_USD);

/** Ignores floating-point noise below a thousandth. */
const roundedUp = (amount: number): number => Math.ceil(Number(amount.toFixed(3)));
