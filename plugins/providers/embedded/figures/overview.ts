/** What a table holds, in a few lines: a summary of sentences would quote its rows without any sense. */
import { add, order, written } from '../text/decimals.ts';
import { columnsOf } from './columns.ts';
import { isTable, tableOf } from './material-table.ts';

const MOST_COLUMNS = 20;
const MOST_VALUES = 6;

/** An overview of documents that are tables; undefined where one of them is none. */
export function describeTables(
  documents: readonly { readonly name: string; readonly text: string }[],
): string | undefined {
  if (!documents.every(isTable)) return undefined;
  return documents.map((document) => overview(document)).join('\n\n');
}

function overview(document: { readonly name: string; readonly text: string }): string {
  const table = tableOf(document);
  if (table === undefined) return '';
  const columns = columnsOf(table).slice(0, MOST_COLUMNS);
  const lines = columns.map(({ name, index, numbers }) => {
    const values = (numbers ?? []).flatMap((value) => value ?? []).sort(order);
    const [least] = values;
    const most = values.at(-1);
    if (least !== undefined && most !== undefined)
      return `- ${name}: ${written(least)} to ${written(most)}, sum ${written(add(values))}`;
    const different = [...new Set(table.rows.map((row) => row[index] ?? '').filter((cell) => cell !== ''))];
    const shown = different.slice(0, MOST_VALUES).join(', ');
    return `- ${name}: ${different.length <= MOST_VALUES ? shown : `${different.length} different values, such as ${shown}`}`;
  });
  const title = document.name === '' ? 'A table' : `${document.name}: a table`;
  return [`${title} of ${table.rows.length} rows and ${table.columns.length} columns.`, ...lines, table.note]
    .filter((line) => line !== '')
    .join('\n');
}
