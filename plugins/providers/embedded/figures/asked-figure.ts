/** Reads an instruction against a table: which column, by which groups, of which rows. What the table lacks is named. */

import { type Decimal, readDecimal } from '../text/decimals.ts';
import { guessLanguage, stem, words } from '../text/language.ts';
import { SPACED_LANGUAGES, stopWords } from '../text/stop-words.ts';
import type { Table } from '../text/tables.ts';
import { type Column, columnsOf } from './columns.ts';
import { type Asked, isBreakdown, type Operation, operationsIn } from './operations.ts';

export interface Condition {
  readonly column: Column;
  readonly said: string;
  readonly holds: (row: number) => boolean;
}

/** A count of rows has no column; a count with one is of its different values. */
export interface Measure {
  readonly operation: Operation;
  readonly column?: Column;
}

export interface AskedFigure {
  /** At least one. */
  readonly measures: readonly Measure[];
  readonly group?: Column;
  /** `Which city has the most people?` asks for the city. */
  readonly which?: Column;
  /** The extreme of sums (`which region sold the most`), not of single rows. */
  readonly summed: boolean;
  readonly conditions: readonly Condition[];
}

export type Reading = AskedFigure | { readonly lacking: string };

const WHICH =
  /(?<![\p{L}])(?:which|who|whose|what (?!is|are|was|were)\p{L}+ (?:has|have|had)|welche[rsn]?|wer|quelle?s?|qui|qué|quién|cuál|quale|chi)(?![\p{L}])|誰|どの/iu;
const SUMMED =
  /(?<![\p{L}])(?:most|fewest|least|total|sum|in all|meisten?|wenigsten?|insgesamt|le plus de|le moins de|más|menos)(?![\p{L}])|最多|最少/iu;
const GROUPED =
  /(?<![\p{L}])(?:grouped by|group by|for (?:each|every)|in (?:each|every)|of (?:each|every)|each|every|per|by|je|pro|nach|par|por(?: cada)?|per ogni|pour chaque)\s+(?:the\s+|der\s+|la\s+|le\s+)?/giu;
/** Words about tables, and verbs that ask: they name no part of the material. */
const GENERIC = new Set(
  `row rows line lines record records entry entries item items column columns field fields table tables file files csv tsv data dataset value values
  number numbers figure figures amount amounts list show give calculate compute work determine find get tell answer question please result all overall there
  exist exists contain contains sold sell sells bought recorded listed reported shown live lives work works following document documents text make create build sheet spreadsheet breakdown overview expression expressions asked
  zeile zeilen zeilenanzahl eintrag einträge spalte spalten tabelle datei daten wert werte hoch groß berechne ermittle zeige übersicht liegt beträgt laut
  ligne lignes colonne colonnes tableau fichier données valeur valeurs calcule donne selon vaut
  fila filas columna columnas tabla archivo datos valor valores calcula según riga righe colonna tabella
  行 列 表 ファイル の は を 数 何 合計 平均 people persons person`.split(/\s+/),
);

interface Token {
  readonly word: string;
  readonly stem: string;
}

/** @param names words that name the material itself, such as its file: they may stand in the instruction */
export function readFigure(asking: string, table: Table, names: readonly string[]): Reading {
  const instruction = asking.slice(0, 2000).replaceAll('_', ' ');
  const asked = operationsIn(instruction);
  const columns = columnsOf(table);
  const tokens = tokensOf(instruction);
  const used = new Set<number>();
  const mentioned = mentionedColumns(tokens, columns, used);
  const extreme = asked.some(({ operation }) => operation === 'highest' || operation === 'lowest');
  const grouping = groupOf(instruction, mentioned);
  // "The tallest by height" names the measure, not groups.
  const group = extreme && grouping?.numbers !== undefined ? undefined : grouping;
  const conditions = [
    ...comparisons(instruction, tokens, mentioned, used),
    ...equalities(tokens, table, columns, used),
  ];
  const operationWords = new Set(asked.flatMap(({ at, length }) => words(instruction.slice(at, at + length))));
  const lacking = leftOver(tokens, used, {
    names,
    operationWords,
    counting: asked.some(({ operation }) => operation === 'count'),
  });
  const measured = mentioned.filter(
    ({ column }) =>
      column.numbers !== undefined && column !== group && !conditions.some((condition) => condition.column === column),
  );
  const which = whichOf(instruction, { mentioned, measured, group, columns });
  const counted = countedColumn(instruction, asked, mentioned, conditions);
  if (counted !== undefined && lacking.length === 0 && group === undefined)
    return { measures: [{ operation: 'count', column: counted }], conditions, summed: false };
  const measures =
    asked.length === 0
      ? measured.map(({ column }) => ({ operation: 'sum' as const, column }))
      : measuresOf(asked, measured, instruction);
  return decide(instruction, asked, { lacking, columns, conditions, group, which, measures });
}

/** `How many regions are there?` counts the different values of the column that is named behind the count. */
function countedColumn(
  instruction: string,
  asked: readonly Asked[],
  mentioned: readonly Mention[],
  conditions: readonly Condition[],
): Column | undefined {
  const [first, ...others] = asked;
  if (first === undefined || first.operation !== 'count' || others.length > 0) return undefined;
  const behind = words(instruction.slice(0, first.at + first.length)).length;
  const column = mentioned.find(({ at }) => at >= behind && at <= behind + 1)?.column;
  const usable =
    column !== undefined &&
    column.numbers === undefined &&
    !conditions.some((condition) => condition.column === column);
  return usable ? column : undefined;
}

interface Naming {
  readonly mentioned: readonly Mention[];
  readonly measured: readonly Mention[];
  readonly group: Column | undefined;
  readonly columns: readonly Column[];
}

/** The column that `which city` or `who` asks for: the one that is named, else the first one of texts. */
function whichOf(instruction: string, { mentioned, measured, group, columns }: Naming): Column | undefined {
  if (!WHICH.test(instruction)) return undefined;
  const named = mentioned.find(({ column }) => column.numbers === undefined && column !== measured[0]?.column)?.column;
  return named ?? group ?? columns.find(({ numbers }) => numbers === undefined);
}

/** Each operation with the columns that are named behind it; one without any has those of the next one that has. */
function measuresOf(asked: readonly Asked[], measured: readonly Mention[], instruction: string): Measure[] {
  const starts = asked.map(({ at }) => words(instruction.slice(0, at)).length);
  const behind = asked.map((_, index) =>
    measured.filter(({ at }) => at >= (starts[index] ?? 0) && at < (starts[index + 1] ?? Number.POSITIVE_INFINITY)),
  );
  const measures = asked.flatMap(({ operation }, index): Measure[] => {
    const own = [behind[index], ...behind.slice(index + 1), measured].find(
      (list) => list !== undefined && list.length > 0,
    );
    return own === undefined ? [{ operation }] : own.map(({ column }) => ({ operation, column }));
  });
  return measures.filter(
    ({ operation, column }, at) =>
      measures.findIndex((other) => other.operation === operation && other.column === column) === at,
  );
}

interface Parts {
  readonly lacking: readonly string[];
  readonly columns: readonly Column[];
  readonly conditions: readonly Condition[];
  readonly group: Column | undefined;
  readonly which: Column | undefined;
  readonly measures: readonly Measure[];
}

function decide(instruction: string, asked: readonly Asked[], parts: Parts): Reading {
  const { lacking, columns, conditions, group, measures } = parts;
  const have = `its columns are ${columns.map(({ name }) => name).join(', ')}`;
  if (lacking.length > 0) return { lacking: `The table has nothing about "${lacking.join(' ')}": ${have}.` };
  const chosen = asked.length === 0 && isBreakdown(instruction) ? parts.measures : countedAsSums(measures);
  if (chosen.length === 0) return { lacking: 'The request names no figure.' };
  if (chosen.some(({ operation, column }) => operation !== 'count' && column === undefined))
    return { lacking: `The table has no column of numbers that the request names: ${have}.` };
  const extreme = chosen.some(({ operation }) => operation === 'highest' || operation === 'lowest');
  const which = extreme ? parts.which : undefined;
  return {
    measures: which === undefined ? chosen : chosen.slice(0, 1),
    conditions,
    summed: SUMMED.test(instruction),
    ...(group === undefined || group === which ? {} : { group }),
    ...(which === undefined ? {} : { which }),
  };
}

/** The number of units is their sum; the total number of rows is a count. */
function countedAsSums(measures: readonly Measure[]): Measure[] {
  const counts = measures.filter(({ operation }) => operation === 'count');
  if (counts.length === 0) return [...measures];
  const rest = measures.filter(({ operation, column }) => operation !== 'count' && column !== undefined);
  if (rest.length > 0) return rest;
  const [first] = counts;
  return first?.column === undefined
    ? [{ operation: 'count' }]
    : counts.flatMap(({ column }) => (column === undefined ? [] : [{ operation: 'sum' as const, column }]));
}

function tokensOf(text: string): Token[] {
  const language = guessLanguage(text);
  return words(text.slice(0, 2000), language).map((word) => ({ word, stem: stem(word, language) }));
}

interface Mention {
  readonly column: Column;
  readonly at: number;
}

const spoken = (name: string): string[] =>
  words(name.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2').replace(/[_.-]+/g, ' '));

/** Columns by all words of their head, longest first; else by one word that only one head has. */
function mentionedColumns(tokens: readonly Token[], columns: readonly Column[], used: Set<number>): Mention[] {
  const found: Mention[] = [];
  const heads = columns
    .map((column) => ({ column, head: spoken(column.name) }))
    .sort((a, b) => b.head.length - a.head.length);
  const same = (token: Token | undefined, word: string) =>
    token !== undefined &&
    (token.word === word || token.stem === stem(word, 'en') || stem(token.word, 'en') === stem(word, 'en'));
  for (const { column, head } of heads) {
    for (let at = 0; head.length > 0 && at + head.length <= tokens.length; at++) {
      if (!head.every((word, offset) => !used.has(at + offset) && same(tokens[at + offset], word))) continue;
      for (let offset = 0; offset < head.length; offset++) used.add(at + offset);
      found.push({ column, at });
    }
  }
  for (const [at, token] of tokens.entries()) {
    if (used.has(at) || isFunctionWord(token.word)) continue;
    const holding = heads.filter(({ head }) => head.length > 1 && head.some((word) => same(token, word)));
    const [only] = holding;
    if (holding.length !== 1 || only === undefined) continue;
    used.add(at);
    found.push({ column: only.column, at });
  }
  return found.sort((a, b) => a.at - b.at);
}

function groupOf(instruction: string, mentioned: readonly Mention[]): Column | undefined {
  for (const match of instruction.slice(0, 2000).matchAll(GROUPED)) {
    const at = words(instruction.slice(0, match.index + match[0].length)).length;
    const found = mentioned.find((mention) => mention.at === at)?.column;
    if (found !== undefined) return found;
  }
  return undefined;
}

const COMPARISON =
  /(?<![\p{L}])(over|above|more than|greater than|at least|under|below|less than|fewer than|at most|über|mehr als|unter|weniger als|mindestens|höchstens|plus de|moins de|más de|menos de|>=|<=|>|<)\s*[$€£]?(\d[\d.,]*\d|\d)/giu;

/** `amount over 100`: of the column named last before it, else of the one behind it. */
function comparisons(
  instruction: string,
  tokens: readonly Token[],
  mentioned: readonly Mention[],
  used: Set<number>,
): Condition[] {
  return [...instruction.slice(0, 2000).matchAll(COMPARISON)]
    .slice(0, 5)
    .flatMap(([whole, sign = '', digits = ''], index) => {
      const start = words(instruction.slice(0, [...instruction.matchAll(COMPARISON)][index]?.index ?? 0)).length;
      const end = start + words(whole).length;
      const numeric = mentioned.filter(({ column }) => column.numbers !== undefined);
      const column = (numeric.findLast(({ at }) => at < start) ?? numeric.find(({ at }) => at >= end))?.column;
      const limit = readDecimal(digits, false);
      if (column === undefined || limit === undefined) return [];
      for (let at = start; at < end && at < tokens.length; at++) used.add(at);
      const holds = compares(sign.toLowerCase(), limit);
      return [
        { column, said: `${column.name} ${sign} ${digits}`, holds: (row: number) => holds(column.numbers?.[row]) },
      ];
    });
}

function compares(sign: string, limit: Decimal): (value: Decimal | undefined) => boolean {
  const size = (value: Decimal) => value.units * 10n ** BigInt(limit.decimals);
  const bound = (value: Decimal) => limit.units * 10n ** BigInt(value.decimals);
  const inclusive = /^(?:at |mindestens|höchstens|>=|<=)/.test(sign);
  const below = /^(?:under|below|less|fewer|at most|unter|weniger|höchstens|moins|menos|<)/.test(sign);
  return (value) => {
    if (value === undefined) return false;
    if (size(value) === bound(value)) return inclusive;
    return below ? size(value) < bound(value) : size(value) > bound(value);
  };
}

const MOST_WORDS = 5;

/** Cells whose text stands in the instruction; several of one column are alternatives. */
function equalities(
  tokens: readonly Token[],
  { rows }: Table,
  columns: readonly Column[],
  used: Set<number>,
): Condition[] {
  const values = new Map<string, Column>();
  for (const column of columns) {
    if (column.numbers !== undefined) continue;
    for (const row of rows) {
      const key = words(row[column.index] ?? '').join(' ');
      if (key !== '' && !values.has(key)) values.set(key, column);
    }
  }
  const wanted = new Map<Column, string[]>();
  for (let length = MOST_WORDS; length > 0; length--) {
    for (let at = 0; at + length <= tokens.length; at++) {
      const span = tokens.slice(at, at + length);
      if (span.some((_, offset) => used.has(at + offset))) continue;
      const written = span.map(({ word }) => word).join(' ');
      const key = [written, written.replace(/s$/, '')].find((candidate) => values.has(candidate));
      const column = key === undefined || (length === 1 && isFunctionWord(key)) ? undefined : values.get(key);
      if (key === undefined || column === undefined) continue;
      for (let offset = 0; offset < length; offset++) used.add(at + offset);
      wanted.set(column, [...(wanted.get(column) ?? []), key]);
    }
  }
  return [...wanted].map(([column, keys]) => {
    const cells = rows.map((row) => row[column.index] ?? '');
    const said = cells.filter((cell, index) => keys.includes(words(cell).join(' ')) && cells.indexOf(cell) === index);
    return {
      column,
      said: `${column.name} is ${said.join(' or ')}`,
      holds: (row: number) => keys.includes(words(cells[row] ?? '').join(' ')),
    };
  });
}

const isFunctionWord = (word: string): boolean => SPACED_LANGUAGES.some((language) => stopWords(language).has(word));

interface Rest {
  readonly names: readonly string[];
  readonly operationWords: ReadonlySet<string>;
  readonly counting: boolean;
}

/** The words of an instruction that match nothing: with them the figure would be of something else than what was asked. */
function leftOver(
  tokens: readonly Token[],
  used: ReadonlySet<number>,
  { names, operationWords, counting }: Rest,
): string[] {
  const own = new Set(names.flatMap((name) => words(name.replace(/[_./-]+/g, ' '))).map((word) => stem(word, 'en')));
  const found: string[] = [];
  let previous = '';
  for (const [at, { word }] of tokens.entries()) {
    const before = previous;
    previous = word;
    if (
      used.has(at) ||
      operationWords.has(word) ||
      isFunctionWord(word) ||
      GENERIC.has(word) ||
      own.has(stem(word, 'en'))
    )
      continue;
    // What is counted may have any name: "how many trees" counts rows.
    if (counting && /^(?:many|of|viele|anzahl|count|de|cuántos|cuántas|combien|number)$/.test(before)) continue;
    found.push(word);
  }
  return found;
}
