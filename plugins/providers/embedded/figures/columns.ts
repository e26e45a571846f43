/** The columns of a table, and which of them hold numbers. */
import { type Decimal, hasDecimalComma, readDecimal } from '../text/decimals.ts';
import type { Table } from '../text/tables.ts';

export interface Column {
  readonly name: string;
  readonly index: number;
  /** The number of each row, undefined where its cell is none; only of a column of numbers. */
  readonly numbers?: readonly (Decimal | undefined)[];
}

export function columnsOf({ columns, rows }: Table): Column[] {
  return columns.map((name, index) => {
    const cells = rows.map((row) => row[index] ?? '');
    const comma = hasDecimalComma(cells);
    const numbers = cells.map((cell) => readDecimal(cell, comma));
    const found = numbers.filter((value) => value !== undefined).length;
    const filled = cells.filter((cell) => cell !== '').length;
    return found > 0 && found >= filled / 2 ? { name, index, numbers } : { name, index };
  });
}
