/** Sums, counts, averages and extremes of a table, exact; and the same as expressions for the tool `calculate`. */
import { add, type Decimal, divide, order, written } from '../text/decimals.ts';
import type { Table } from '../text/tables.ts';
import { type AskedFigure, type Measure, readFigure } from './asked-figure.ts';
import type { Column } from './columns.ts';

export interface Figure {
  /** What it is of: `sum of amount`, `North`. */
  readonly of: string;
  readonly value: string;
  /** Arithmetic that gives the value, in at most 1,000 characters. */
  readonly expression: string;
}

export interface Figures {
  /** Empty where the table lacks what is asked for, and `note` says what. */
  readonly figures: readonly Figure[];
  /** The column whose values the figures are of, where they are of groups. */
  readonly by?: string;
  readonly title: string;
  readonly note: string;
}

const AVERAGE_DECIMALS = 6;
const MOST_GROUPS = 500;
const LONGEST_EXPRESSION = 900;
const MOST_ARGUMENTS = 90;

/** @param names words that name the material, such as its file */
export function figuresOf(instruction: string, table: Table, names: readonly string[]): Figures {
  const found = figuresWithin(instruction, table, names);
  return table.note === ''
    ? found
    : { ...found, note: [found.note, table.note].filter((note) => note !== '').join(' ') };
}

function figuresWithin(instruction: string, table: Table, names: readonly string[]): Figures {
  const asked = readFigure(instruction, table, names);
  if ('lacking' in asked) return { figures: [], title: '', note: asked.lacking };
  const rows = [...table.rows.keys()].filter((row) => asked.conditions.every(({ holds }) => holds(row)));
  if (rows.length === 0 && asked.measures.some(({ operation }) => operation !== 'count'))
    return { figures: [], title: '', note: `No row of the table has ${saidOf(asked)}.` };
  if (asked.which !== undefined) return extremes(asked, asked.which, table, rows);
  const [first] = asked.measures;
  if (first?.operation === 'count' && first.column !== undefined) return different(asked, first.column, table, rows);
  const group = asked.group;
  if (group === undefined) return overall(asked, rows);
  return grouped(asked, group, table, rows);
}

const saidOf = ({ conditions }: AskedFigure): string => conditions.map(({ said }) => said).join(' and ');
const nameOf = ({ operation, column }: Measure): string =>
  operation === 'count' ? 'number of rows' : `${operation} of ${column?.name ?? ''}`;

function overall(asked: AskedFigure, rows: readonly number[]): Figures {
  const where = asked.conditions.length === 0 ? '' : ` where ${saidOf(asked)}`;
  const figures = asked.measures.flatMap((one) => {
    const found = measure(one, rows);
    return found === undefined ? [] : [{ ...found, of: `${nameOf(one)}${where}` }];
  });
  const notes = [...new Set(asked.measures.map(({ column }) => noteOn(column, rows)))];
  return { figures, title: '', note: notes.filter((note) => note !== '').join(' ') };
}

function different(asked: AskedFigure, column: Column, table: Table, rows: readonly number[]): Figures {
  const values = new Set(rows.map((row) => table.rows[row]?.[column.index] ?? '').filter((cell) => cell !== ''));
  const where = asked.conditions.length === 0 ? '' : ` where ${saidOf(asked)}`;
  const value = String(values.size);
  return {
    figures: [{ of: `number of different ${column.name}${where}`, value, expression: value }],
    title: '',
    note: '',
  };
}

function noteOn(column: Column | undefined, rows: readonly number[]): string {
  const without = rows.filter((row) => column?.numbers?.[row] === undefined).length;
  if (column === undefined || without === 0) return '';
  return `${without} of ${rows.length} rows have no number in ${column.name} and are left out.`;
}

function groupsOf(column: Column, table: Table, rows: readonly number[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const row of rows) {
    const key = table.rows[row]?.[column.index] ?? '';
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [row]);
    else known.push(row);
  }
  return groups;
}

function grouped(asked: AskedFigure, group: Column, table: Table, rows: readonly number[]): Figures {
  const [first = { operation: 'count' }, ...others] = asked.measures;
  const groups = groupsOf(group, table, rows);
  const figures = [...groups].slice(0, MOST_GROUPS).flatMap(([key, members]) =>
    asked.measures.flatMap((one) => {
      const found = measure(one, members);
      const of = key === '' ? '(empty)' : key;
      return found === undefined ? [] : [{ ...found, of: others.length === 0 ? of : `${of}, ${nameOf(one)}` }];
    }),
  );
  const cut = groups.size > MOST_GROUPS ? `Only the first ${MOST_GROUPS} of ${groups.size} groups are shown.` : '';
  const where = asked.conditions.length === 0 ? '' : ` where ${saidOf(asked)}`;
  return {
    figures,
    by: group.name,
    title: `${others.length === 0 ? nameOf(first) : 'value'}${where}`,
    note: cut || noteOn(first.column, rows),
  };
}

/** The rows, or the groups by their sums, with the highest or lowest number; several where they are equal. */
function extremes(asked: AskedFigure, which: Column, table: Table, rows: readonly number[]): Figures {
  const [asking] = asked.measures;
  const operation = asking?.operation ?? 'highest';
  const column = asking?.column;
  const lowest = operation === 'lowest';
  const measured = [...groupsOf(which, table, rows)].flatMap(([key, members]) => {
    const values = members.flatMap((row) => column?.numbers?.[row] ?? []);
    const found = measure(
      { operation: asked.summed ? ('sum' as const) : operation, ...(column === undefined ? {} : { column }) },
      members,
    );
    const value = asked.summed
      ? add(values)
      : values.reduce((most, one) => (order(one, most) < 0 === lowest ? one : most), values[0] ?? add([]));
    return found === undefined ? [] : [{ key, value, found }];
  });
  const [first, ...others] = measured;
  if (first === undefined) return { figures: [], title: '', note: 'The column holds no numbers.' };
  const best = others.reduce(
    (most, { value }) => (order(value, most) < 0 === lowest && order(value, most) !== 0 ? value : most),
    first.value,
  );
  const figures = measured
    .filter(({ value }) => order(value, best) === 0)
    .slice(0, 20)
    .map(({ key, found }) => ({ ...found, of: key }));
  return {
    figures,
    by: which.name,
    title: `${lowest ? 'lowest' : 'highest'} ${asked.summed ? 'sum of ' : ''}${column?.name ?? ''}`,
    note: noteOn(column, rows),
  };
}

function measure({ operation, column }: Measure, rows: readonly number[]): Omit<Figure, 'of'> | undefined {
  if (operation === 'count') return { value: String(rows.length), expression: String(rows.length) };
  const values = rows.flatMap((row) => column?.numbers?.[row] ?? []);
  const [first] = values;
  if (first === undefined) return undefined;
  const sorted = operation === 'median' ? [...values].sort(order) : [];
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  switch (operation) {
    case 'sum': {
      const sum = add(values);
      return { value: written(sum), expression: `round(${folded('sum', values)}, ${Math.min(15, sum.decimals)})` };
    }
    case 'average':
    case 'median': {
      const taken = operation === 'median' ? middle : values;
      const value = written(divide(add(taken), taken.length, AVERAGE_DECIMALS));
      return { value, expression: `round(${folded('sum', taken)} / ${taken.length}, ${AVERAGE_DECIMALS})` };
    }
    case 'highest':
    case 'lowest': {
      const sign = operation === 'lowest' ? -1 : 1;
      const best = values.reduce((most, value) => (order(value, most) * sign > 0 ? value : most), first);
      return { value: written(best), expression: folded(operation === 'lowest' ? 'min' : 'max', values) };
    }
  }
}

/** `sum(1, 2)`. More numbers than an expression can hold are first folded into as many parts as fit; sums of them are exact. */
function folded(name: 'sum' | 'min' | 'max', values: readonly Decimal[]): string {
  const join = (parts: readonly Decimal[]) => `${name}(${parts.map(written).join(', ')})`;
  const whole = values.length <= MOST_ARGUMENTS ? join(values) : '';
  if (whole !== '' && whole.length <= LONGEST_EXPRESSION) return whole;
  const size = Math.ceil(values.length / 20);
  const parts: Decimal[] = [];
  for (let at = 0; at < values.length; at += size) {
    const part = values.slice(at, at + size);
    parts.push(
      name === 'sum'
        ? add(part)
        : part.reduce((most, value) => (order(value, most) > 0 === (name === 'max') ? value : most)),
    );
  }
  return join(parts);
}

/** The figures as text: a line each, or a table of groups. */
export function describeFigures({ figures, by, title, note }: Figures): string {
  if (figures.length === 0) return note;
  const lines =
    by === undefined
      ? figures.map(({ of, value }) => `${of}: ${value}`)
      : [
          `| ${by} | ${title} |`,
          '|---|---|',
          ...figures.map(({ of, value }) => `| ${of.replaceAll('|', '/')} | ${value} |`),
        ];
  return [lines.join('\n'), note].filter((part) => part !== '').join('\n\n');
}
