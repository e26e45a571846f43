/** Models as text: one line each, or all details of one. */

import type { ModelCard } from '../../core/model/provider.ts';
import { dayName, dayOf } from '../../core/money/calendar.ts';
import { compiledPrice, type Rates, type Sheet } from '../../core/money/price-sheet.ts';
import type { PriceRates, PriceWindow, TokenPrice } from '../../core/money/token-price.ts';
import { cutMiddle, displayWidth, oneLine } from '../../drawing/plain-text.ts';
import { type ListedModel, listedModelName } from '../input/listed-model.ts';
import { tableText } from './result-text.ts';
import type { Paint } from './terminal.ts';

const usd = (amount: number): string => `$${Number(amount.toFixed(6))}`;
const perMillion = (pico: number): string => usd(pico / 1_000_000);

/** `131k`, `1.05M` */
function tokens(count: number): string {
  if (count >= 1_000_000) return `${Number((count / 1_000_000).toFixed(2))}M`;
  return count >= 1000 ? `${Math.round(count / 1000)}k` : String(count);
}

// ---------------------------------------------------------------------------------------------------- one line each

interface ListColumn {
  readonly title: string;
  readonly cell: (model: ListedModel) => string;
  /** The widest table that fits is shown; columns of level 0 are in every table. */
  readonly level: 0 | 1 | 2 | 3;
}

const LIST: readonly ListColumn[] = [
  { title: 'tier', level: 0, cell: ({ card }) => card.tier },
  { title: 'window', level: 0, cell: ({ card }) => tokens(card.contextTokens) },
  { title: 'answer', level: 1, cell: ({ card }) => (card.maxOutputTokens === 0 ? '' : tokens(card.maxOutputTokens)) },
  { title: 'USD/M in', level: 0, cell: ({ card }) => inputCell(card.price) },
  { title: 'out', level: 0, cell: ({ card }) => outputCell(card.price) },
  {
    title: 'cached',
    level: 1,
    cell: ({ card }) => (card.price?.cacheRead === undefined ? '' : rate(card.price, 'cacheRead')),
  },
  { title: 'ends', level: 0, cell: ({ card }) => endOf(card) },
  { title: 'other prices', level: 2, cell: ({ card }) => variantsOf(card.price).join(', ') },
  { title: 'does', level: 3, cell: ({ card }) => card.operations.join(' ') },
];
const NAME_WIDTH = { least: 24, most: 44 } as const;

/** A table no wider than the terminal; the details of each model show the rest. Prices are USD per million tokens. */
export function modelTable(models: readonly ListedModel[], columns: number, paint: Paint): string {
  const names = models.map((model) => oneLine(listedModelName(model)));
  const wanted = Math.min(NAME_WIDTH.most, Math.max('model'.length, ...names.map(displayWidth)));
  const tables = [3, 2, 1, 0].map((level) => restOf(models, level));
  const table = tables.find((rest) => wanted + 2 + widthOf(rest) <= columns) ?? restOf(models, 0);
  const most = Math.max(NAME_WIDTH.least, Math.min(wanted, columns - 2 - widthOf(table)));
  return tableText(
    table.map((row, index) => [index === 0 ? 'model' : cutMiddle(names[index - 1] ?? '', most), ...row]),
    paint,
  );
}

function restOf(models: readonly ListedModel[], level: number): string[][] {
  const shown = LIST.filter((column) => column.level <= level);
  return [shown.map(({ title }) => title), ...models.map((model) => shown.map(({ cell }) => cell(model)))];
}

function widthOf(rows: readonly (readonly string[])[]): number {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ''))));
  return widths.reduce((sum, width) => sum + width + 2, -2);
}

const rate = (price: TokenPrice, kind: keyof PriceRates): string => usd((price[kind] ?? 0) * (price.times ?? 1));
const isFree = ({ input, output, image, request }: TokenPrice): boolean =>
  input === 0 && output === 0 && image === undefined && request === undefined;
const isPiece = (price: TokenPrice): boolean => price.input === 0 && price.output === 0;

function inputCell(price: TokenPrice | null): string {
  if (price === null) return 'unknown';
  if (isFree(price)) return 'free';
  return isPiece(price) ? '' : rate(price, 'input');
}

function outputCell(price: TokenPrice | null): string {
  if (price === null || isFree(price)) return '';
  return isPiece(price)
    ? `${rate(price, price.image === undefined ? 'request' : 'image')} each`
    : rate(price, 'output');
}

function endOf({ lifecycle }: ModelCard): string {
  if (lifecycle?.endsOn !== undefined) return lifecycle.endsOn;
  return lifecycle === undefined || lifecycle.stage === 'stable' ? '' : lifecycle.stage;
}

/** The conditions that change the price, in a few words. */
function variantsOf(price: TokenPrice | null): readonly string[] {
  if (price === null) return [];
  const apart = (kind: 'audio' | 'image') => [price[`${kind}Input`], price[`${kind}Output`]].some(isGiven);
  return [
    ...(price.tiers ?? []).map(({ aboveInputTokens }) => `above ${tokens(aboveInputTokens)}`),
    ...Object.keys(price.serviceTiers ?? {}),
    ...(price.windows === undefined ? [] : ['hours']),
    ...(price.changes ?? []).map(({ from }) => `from ${from}`),
    ...(apart('audio') ? ['audio'] : []),
    ...(apart('image') ? ['pictures'] : []),
    ...(isGiven(price.request) && price.input > 0 ? ['a fee'] : []),
  ];
}

const isGiven = (rate: number | undefined): boolean => rate !== undefined;

// ---------------------------------------------------------------------------------------------------- all of one

export function modelDetail(model: ListedModel, paint: Paint): string {
  const { card } = model;
  const facts: readonly (readonly [string, string])[] = [
    ['does', card.operations.join(', ')],
    ['tier', card.tier],
    ['also called', (card.aliases ?? []).join(', ')],
    ['window', `${card.contextTokens.toLocaleString('en')} tokens`],
    ['answer', card.maxOutputTokens === 0 ? 'no text' : `at most ${card.maxOutputTokens.toLocaleString('en')} tokens`],
    ['can', card.capabilities.join(', ')],
    ['made for', card.dedicatedTo ?? ''],
    ['stands in', card.standIn === true ? 'answers by its name only, where another model can serve the request' : ''],
    [
      'strengths',
      Object.entries(card.strengths)
        .map(([field, value]) => `${field} ${value}`)
        .join(', '),
    ],
    ['stage', stageOf(card)],
    ['keeps data', card.retention],
    ['regions', (card.regions ?? []).join(', ')],
    ['languages', (card.languages ?? []).join(', ')],
    ['expected', card.expectedMs === undefined ? '' : `${card.expectedMs} ms until the end of a short answer`],
    ['price', card.price === null ? 'unknown' : `from ${card.price.source ?? 'its card'}`],
  ];
  const lines = facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${paint.dim(name.padEnd(12))} ${wrapped(oneLine(value))}`);
  const rates = card.price === null ? [] : ['', indented(rateTable(card.price, paint))];
  return [paint.bold(oneLine(listedModelName(model))), ...lines, ...rates].join('\n');
}

const WIDTH = 64;

function wrapped(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length + 1 > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(15)}`);
}

const indented = (text: string): string => text.replace(/^(?=.)/gm, '  ');

function stageOf({ lifecycle }: ModelCard): string {
  if (lifecycle === undefined) return '';
  return lifecycle.endsOn === undefined ? lifecycle.stage : `${lifecycle.stage}, ends on ${lifecycle.endsOn}`;
}

type RateRow = readonly [string, Rates];

/** Every rate of the price, in USD per million tokens; omits token kinds that cost the same as their general kind. */
function rateTable(price: TokenPrice, paint: Paint): string {
  const rows = rateRows(price);
  const columns = COLUMNS.filter(({ differs }) => rows.some(([, rates]) => differs(rates)));
  const titles = columns.map(({ title }) =>
    title === 'reasoning' && price.reasoningCoversAnswer ? 'out, reasoned' : title,
  );
  const head = ['USD per million tokens', ...titles];
  return tableText([head, ...rows.map(([name, rates]) => [name, ...columns.map(({ cell }) => cell(rates))])], paint);
}

interface Column {
  readonly title: string;
  readonly differs: (rates: Rates) => boolean;
  readonly cell: (rates: Rates) => string;
}

type TokenKind = Exclude<keyof Rates, 'image' | 'request' | 'search' | 'apart' | 'reasoningCoversAnswer'>;
const tokenColumn = (title: string, kind: TokenKind, differs: Column['differs']): Column => ({
  title,
  differs,
  cell: (rates) => perMillion(rates[kind]),
});

const COLUMNS: readonly Column[] = [
  tokenColumn('in', 'input', () => true),
  tokenColumn('out', 'output', () => true),
  tokenColumn('cached', 'cacheRead', ({ cacheRead, input }) => cacheRead !== input),
  tokenColumn('write 5 min', 'cacheWrite', ({ cacheWrite, input }) => cacheWrite !== input),
  tokenColumn('1 h', 'cacheWriteLong', ({ cacheWriteLong, cacheWrite }) => cacheWriteLong !== cacheWrite),
  tokenColumn('reasoning', 'reasoning', ({ reasoning, output }) => reasoning !== output),
  tokenColumn('audio in', 'audioInput', ({ audioInput, input }) => audioInput !== input),
  tokenColumn('audio cached', 'audioCacheRead', ({ audioCacheRead, cacheRead }) => audioCacheRead !== cacheRead),
  tokenColumn('audio out', 'audioOutput', ({ audioOutput, output }) => audioOutput !== output),
  tokenColumn('picture in', 'imageInput', ({ imageInput, input }) => imageInput !== input),
  tokenColumn('picture out', 'imageOutput', ({ imageOutput, output }) => imageOutput !== output),
  { title: 'per image', differs: ({ image }) => image !== null, cell: ({ image }) => usd((image ?? 0) / 1e9) },
  { title: 'per request', differs: ({ request }) => request > 0, cell: ({ request }) => usd(request / 1e9) },
  { title: 'per search', differs: ({ search }) => search !== null, cell: ({ search }) => usd((search ?? 0) / 1e9) },
];

function rateRows(price: TokenPrice): readonly RateRow[] {
  const { eras } = compiledPrice(price);
  const rows: RateRow[] = [];
  for (const { fromMs, sheets } of eras) {
    const from = Number.isFinite(fromMs) ? `from ${dayName(dayOf(fromMs))}` : '';
    for (const [serviceTier, [usual, ...hours]] of sheets) {
      const name = [from, serviceTier].filter((part) => part !== '');
      if (usual !== undefined) rows.push(...sheetRows(name, usual));
      hours.forEach((sheet, index) => {
        rows.push(...sheetRows([...name, hoursText(price.windows?.[index])], sheet));
      });
    }
  }
  return rows;
}

function sheetRows(name: readonly string[], { rates, tiers }: Sheet): readonly RateRow[] {
  const above = tiers.map(
    (tier): RateRow => [[...name, `above ${tier.above.toLocaleString('en')}`].join(', '), tier.rates],
  );
  return [[name.join(', ') || 'usual', rates], ...above];
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function hoursText(window: PriceWindow | undefined): string {
  if (window === undefined) return '';
  const { start, end, days } = window;
  const named = days === undefined ? '' : ` ${daysText(days)}`;
  return `${start}–${end} UTC${named}`;
}

function daysText(days: readonly number[]): string {
  const sorted = [...days].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const isRun = sorted.length > 2 && sorted.every((day, index) => day === first + index);
  const names = sorted.map((day) => DAYS[day] ?? '');
  return isRun ? `${names[0]}–${names.at(-1)}` : names.join(' ');
}
