/** The table that a document is or contains, and figures of numbers that stand in a sentence. */
import { add, type Decimal, divide, hasDecimalComma, order, readDecimal, written } from '../text/decimals.ts';
import { sentences, words } from '../text/language.ts';
import { readTable, type Table } from '../text/tables.ts';
import type { Figure, Figures } from './figures.ts';
import { operationsIn } from './operations.ts';

interface Document {
  readonly name: string;
  readonly text: string;
}

export const tableOf = ({ text }: Document): Table | undefined => readTable(text);

/** True where nearly every line of the document belongs to its table. */
export function isTable(document: Document): boolean {
  const table = tableOf(document);
  if (table === undefined) return false;
  if (/^\s*[[{]/.test(document.text)) return true;
  const lines = document.text.split('\n').filter((line) => line.trim() !== '').length;
  return table.rows.length + 1 >= 0.8 * lines;
}

/** A document that is a table of lines, with the heads beside the cells, so that a question finds both in one row. */
export function asRows<T extends Document>(document: T): T {
  const table = !/^\s*[[{]/.test(document.text) && isTable(document) ? tableOf(document) : undefined;
  if (table === undefined) return document;
  const lines = table.rows.map((row) => `- ${row.map((cell, at) => `${table.columns[at] ?? ''}: ${cell}`).join(', ')}`);
  return { ...document, text: lines.join('\n') };
}

/** Names of files in an instruction: they name the material, so they are no part of what is asked. */
export const namesIn = (instruction: string): string[] => instruction.match(/[\p{L}\p{N}_./-]+\.[a-z]{2,5}\b/giu) ?? [];

const LENGTH =
  /(?:how many|number of|count(?: of)?(?: all)?(?: the)?|wie ?viele|anzahl der|combien de|cu[aá]nt[ao]s)\s+(?:words?|sentences?|lines?|characters?|wörter|sätze|zeilen|zeichen|mots|phrases|lignes|caractères|palabras|frases|líneas|caracteres)(?!\p{L})\s*(?:(?:are|is|there|does|do|in|of|has|have|hat|sind|gibt|es|a|tiene|hay|contient|contains?|:|[?]|the|this|below|following|der|text|document|message|file|le|texte|el|texto)\s*)*$/iu;

/** True for `How many words does this text have?`, which no table is needed for. */
export const asksLength = (asked: string): boolean =>
  LENGTH.test(
    asked
      .slice(0, 2000)
      .trim()
      .replace(/[?.:]+$/, ''),
  );

const MOST_NUMBERS = 5000;
const UNITS: readonly (readonly [RegExp, string, (text: string) => number])[] = [
  [/(?<!\p{L})(?:words?|wörter|mots|palabras|parole)(?!\p{L})/iu, 'words', (text) => words(text).length],
  [
    /(?<!\p{L})(?:sentences?|sätze|frases|frasi)(?!\p{L})/iu,
    'sentences',
    (text) => text.split(/\n+/).reduce((sum, line) => sum + sentences(line).length, 0),
  ],
  [
    /(?<!\p{L})(?:lines?|zeilen|lignes|líneas)(?!\p{L})/iu,
    'lines',
    (text) => text.split('\n').filter((line) => line.trim() !== '').length,
  ],
  [/(?<!\p{L})(?:characters?|zeichen|caractères|caracteres)(?!\p{L})/iu, 'characters', (text) => [...text].length],
];

/** The sum, average or extreme of the numbers of a text, or its length; undefined where it has no numbers. */
export function figuresOfText(asked: string, text: string): Figures | undefined {
  const operations = [...new Set(operationsIn(asked).map(({ operation }) => operation))];
  if (operations.includes('count')) {
    const unit = UNITS.find(([pattern]) => pattern.test(asked));
    if (unit === undefined) return undefined;
    const value = String(unit[2](text));
    return { figures: [{ of: `number of ${unit[1]}`, value, expression: value }], title: '', note: '' };
  }
  const cells = (text.slice(0, 200_000).match(/(?<![\p{L}\d.,-])[-−]?\d[\d.,'’]*(?<=\d)(?![\p{L}\d])/gu) ?? []).slice(
    0,
    MOST_NUMBERS,
  );
  // Years and days are no amounts: with them among the numbers nobody can say which ones are meant.
  if (cells.some((cell) => /^(?:19|20)\d\d$/.test(cell) || /^\d{1,4}[.-]\d{1,2}[.-]\d{1,4}$/.test(cell)))
    return undefined;
  const comma = hasDecimalComma(cells);
  const values = cells.flatMap((cell) => readDecimal(cell, comma) ?? []);
  if (values.length < 2) return undefined;
  const shown = values.length > 20 ? `${values.length} numbers` : values.map(written).join(', ');
  const figures = operations.flatMap((operation): Figure[] => {
    const value = measured(operation, values);
    return value === undefined ? [] : [{ of: `${operation} of ${shown}`, value, expression: value }];
  });
  return figures.length === 0 ? undefined : { figures, title: '', note: '' };
}

function measured(operation: string, values: readonly Decimal[]): string | undefined {
  const sorted = [...values].sort(order);
  const ends = { lowest: sorted[0], highest: sorted.at(-1) };
  if (operation === 'sum') return written(add(values));
  if (operation === 'average') return written(divide(add(values), values.length, 6));
  const end = operation === 'lowest' ? ends.lowest : operation === 'highest' ? ends.highest : undefined;
  return end === undefined ? undefined : written(end);
}
