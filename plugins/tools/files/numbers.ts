/** Cells of a table are texts; those of the named columns become numbers. */
import { failed } from './folder.ts';

export interface NumberColumns {
  readonly path: string;
  readonly numbers?: readonly string[];
  /** @default '.' */
  readonly decimal?: '.' | ',';
}

const NUMBER = { '.': /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/, ',': /^[+-]?(?:\d+,?\d*|,\d+)$/ } as const;
const MAX_DIGITS = 400;

/** An empty cell of such a column is null. @throws tool-failed naming line, column and value */
export function typedCell(
  name: string,
  cell: string | null,
  { path, numbers, decimal = '.' }: NumberColumns,
  line: number,
): string | number | null {
  if (numbers === undefined || !numbers.includes(name) || cell === null) return cell;
  const text = cell.trim();
  if (text === '') return null;
  const value = text.length <= MAX_DIGITS && NUMBER[decimal].test(text) ? Number(text.replace(',', '.')) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw failed(
    `Line ${line} of "${path}" has ${JSON.stringify(cell.slice(0, 40))} in column ${JSON.stringify(name)}, which is no number with the decimal sign "${decimal}": correct the cell, or leave the column out of "numbers".`,
  );
}
