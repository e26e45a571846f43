/** Figures of tables: exact, the same through `calculate`, and never of something else than what was asked. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arithmeticIn } from '../../../plugins/providers/embedded/figures/arithmetic.ts';
import { describeFigures, figuresOf } from '../../../plugins/providers/embedded/figures/figures.ts';
import { hasDecimalComma, readDecimal, written } from '../../../plugins/providers/embedded/text/decimals.ts';
import { readTable } from '../../../plugins/providers/embedded/text/tables.ts';
import { evaluateArithmetic } from '../../../plugins/tools/calculate.ts';

const GROUPS = ['Ash', 'Birch', 'Cédre'];
const rows = fc.array(
  fc.record({ group: fc.constantFrom(...GROUPS), cents: fc.integer({ min: -9_999_999, max: 99_999_999 }) }),
  {
    minLength: 1,
    maxLength: 400,
  },
);

const asPoint = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${(Math.abs(cents) - (Math.abs(cents) % 100)) / 100}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
const asGerman = (cents: number): string => {
  const [whole = '', fraction = ''] = asPoint(cents).split('.');
  return `${whole.replace(/\B(?=(?:\d{3})+$)/g, '.')},${fraction}`;
};

function tableOf(lines: readonly string[]) {
  const table = readTable(lines.join('\n'));
  if (table === undefined) throw new Error('no table was found');
  return table;
}

describe('sums of a table', () => {
  test.each([
    { name: 'points', separator: ',', write: asPoint },
    { name: 'German commas', separator: ';', write: asGerman },
    { name: 'points between tabs', separator: '\t', write: asPoint },
  ])('are exact with $name, and calculate gives the same', ({ separator, write }) => {
    fc.assert(
      fc.property(rows, (all) => {
        const table = tableOf([
          `kind${separator}paid`,
          ...all.map(({ group, cents }) => `${group}${separator}${write(cents)}`),
        ]);
        const [sum] = figuresOf('What is the sum of paid?', table, []).figures;
        const total = all.reduce((found, { cents }) => found + cents, 0);
        expect(Number(sum?.value)).toBe(total / 100);
        expect(sum?.expression.length).toBeLessThanOrEqual(1000);
        expect(evaluateArithmetic(sum?.expression ?? '')).toBeCloseTo(total / 100, 2);
        const [average] = figuresOf('average paid', table, []).figures;
        expect(Number(average?.value)).toBeCloseTo(total / 100 / all.length, 5);
        expect(evaluateArithmetic(average?.expression ?? '')).toBeCloseTo(total / 100 / all.length, 5);
        const [highest] = figuresOf('Highest paid?', table, []).figures;
        expect(Number(highest?.value)).toBe(Math.max(...all.map(({ cents }) => cents)) / 100);
        expect(evaluateArithmetic(highest?.expression ?? '')).toBe(Number(highest?.value));
      }),
      { numRuns: 60 },
    );
  });

  test('of groups add up to the sum of all, each group once', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const table = tableOf(['kind,paid', ...all.map(({ group, cents }) => `${group},${asPoint(cents)}`)]);
        const { figures, by } = figuresOf('total paid per kind', table, []);
        expect(by).toBe('kind');
        expect(new Set(figures.map(({ of }) => of))).toEqual(new Set(all.map(({ group }) => group)));
        const sum = figures.reduce((found, { value }) => found + Math.round(Number(value) * 100), 0);
        expect(sum).toBe(all.reduce((found, { cents }) => found + cents, 0));
      }),
      { numRuns: 60 },
    );
  });
});

describe('what is asked', () => {
  const table = tableOf(['town,people,unit_price', 'Ulm,120,1.5', 'Bonn,330,2', 'Łódź,670,n/a']);

  test.each([
    ['How many rows are there?', 'number of rows: 3'],
    ['number of towns', 'number of different town: 3'],
    ['sum of the unit price', 'sum of unit_price: 3.5\n\n1 of 3 rows have no number in unit_price and are left out.'],
    [
      'What is the price on average?',
      'average of unit_price: 1.75\n\n1 of 3 rows have no number in unit_price and are left out.',
    ],
    ['How many people live in Łódź?', 'sum of people where town is Łódź: 670'],
    ['Which town has the most people?', '| town | highest sum of people |\n|---|---|\n| Łódź | 670 |'],
    ['How many rows have people over 200?', 'number of rows where people over 200: 2'],
    [
      'Sum of people and average of unit_price in Ulm and Bonn',
      'sum of people where town is Ulm or Bonn: 450\naverage of unit_price where town is Ulm or Bonn: 1.75',
    ],
  ])('%s', (asked, said) => {
    expect(describeFigures(figuresOf(asked, table, []))).toBe(said);
  });

  test('a word that the table lacks gives no figure, and is named', () => {
    const word = fc.stringMatching(/^[bcdfgkpqvwxz]{5,9}$/);
    fc.assert(
      fc.property(word, (missing) => {
        const { figures, note } = figuresOf(`What is the sum of people in ${missing}?`, table, []);
        expect(figures).toEqual([]);
        expect(note).toContain(missing);
        expect(note).toContain('town, people, unit_price');
      }),
    );
  });
});

describe('numbers', () => {
  test.each([
    ['1,250.50', false, '1250.5'],
    ['1.250,50', true, '1250.5'],
    ['45 000', false, '45000'],
    ['$1,200', false, '1200'],
    ['-3.10', false, '-3.1'],
    ['12 %', false, '12'],
  ])('%s is read', (cell, comma, value) => {
    expect(hasDecimalComma([cell])).toBe(comma);
    const read = readDecimal(cell, comma);
    expect(read === undefined ? undefined : written(read)).toBe(value);
  });

  test.each(['', 'n/a', '2024-05-06', '1.2.3', '12 apples', '9'.repeat(50)])('"%s" is none', (cell) => {
    expect(readDecimal(cell, false)).toBeUndefined();
  });
});

test.each([
  ['What is 15% of 240?', 36],
  ['12 times 4', 48],
  ['Wie viel ist 3,5 + 1?', 4.5],
  ['Calculate 1,200 / 4', 300],
  ['the square root of 81', 9],
])('%s is arithmetic', (asked, value) => {
  expect(evaluateArithmetic(arithmeticIn(asked) ?? '')).toBe(value);
});

test.each(['What is 2024-05-06?', '+49 221 555', 'chapter 3 - 4', 'How much is the fish?', '42'])(
  '%s is none',
  (asked) => {
    expect(arithmeticIn(asked)).toBeUndefined();
  },
);

test('cells may hold separators, quotes and line ends, and lines that are left out are counted', () => {
  const text =
    'Our costs:\nitem,paid\n"Rope, ""blue""",10\n"two\nlines",20\nodd line\nNail,5\n\nThat is all, dear reader, for now.';
  const { figures, note } = figuresOf('Sum of paid', tableOf([text]), []);
  expect(figures.map(({ value }) => value)).toEqual(['35']);
  expect(note).toBe('1 lines do not have 2 cells and are left out.');
  expect(readTable('a,b\n"open,1\nx,2')).toBeUndefined();
});

test('prose with commas is no table', () => {
  expect(readTable('Dear Ann, how are you,\nI hope, that all is well,\nand that you, too, are glad.')).toBeUndefined();
});

test('hostile texts are searched in bounded time', () => {
  const texts = [
    'a,b\n'.repeat(200_000),
    `${'-'.repeat(1_000_000)}x`,
    `|${'-|'.repeat(100_000)}x\n`.repeat(3),
    'a;b,c\td|e\n'.repeat(100_000),
    '"'.repeat(1_000_000),
  ];
  const started = performance.now();
  for (const text of texts) readTable(text);
  expect(performance.now() - started).toBeLessThan(5000);
});
