/** Exact decimal numbers of tables and texts: read as they are written in several countries, added without rounding. */

export interface Decimal {
  readonly units: bigint;
  /** Digits behind the point: the value is `units` divided by 10 to the power of `decimals`. */
  readonly decimals: number;
}

/** A longer cell is no number; this bounds the work on a cell. */
const LONGEST = 40;
const AROUND = /^(?:[$€£¥]|USD|EUR|GBP|CHF|JPY)\s?|\s?(?:[$€£¥%]|USD|EUR|GBP|CHF|JPY)$/gi;
const WITH_POINT = /^[-−+]?(?:\d{1,3}(?:[,'’ \u00A0\u202F]\d{3})+|\d+)(?:\.\d+)?$/;
const WITH_COMMA = /^[-−+]?(?:\d{1,3}(?:[.'’ \u00A0\u202F]\d{3})+|\d+)(?:,\d+)?$/;

/** The number that a cell is, without its currency or percent sign; undefined for a cell that is no number. */
export function readDecimal(cell: string, comma: boolean): Decimal | undefined {
  if (cell.length > LONGEST) return undefined;
  const bare = cell.trim().replace(AROUND, '').trim();
  if (!(comma ? WITH_COMMA : WITH_POINT).test(bare)) return undefined;
  const point = comma ? ',' : '.';
  const [whole = '', fraction = ''] = bare.split(point);
  const digits = whole.replace(/\D/g, '') + fraction;
  const units = BigInt(digits === '' ? '0' : digits);
  return { units: /^[-−]/.test(bare) ? -units : units, decimals: fraction.length };
}

/**
 * True where the numbers of a column have a comma before their decimals. A lone `1,250` can be both: it is read with groups
 * of thousands, unless another number of the column shows the comma.
 */
export function hasDecimalComma(cells: readonly string[]): boolean {
  const bare = cells.filter((cell) => cell.length <= LONGEST).map((cell) => cell.trim().replace(AROUND, '').trim());
  if (bare.some((cell) => /^[-−+]?[\d,]*\d\.\d+$/.test(cell) && !/^[-−+]?\d{1,3}\.\d{3}$/.test(cell))) return false;
  return bare.some(
    (cell) => /^[-−+]?[\d.'’ \u00A0\u202F]*\d,(?:\d{1,2}|\d{4,})$/.test(cell) || /^\d{1,3}(?:\.\d{3})+,\d+$/.test(cell),
  );
}

const scaled = ({ units, decimals }: Decimal, to: number): bigint => units * 10n ** BigInt(to - decimals);

export function add(values: readonly Decimal[]): Decimal {
  const decimals = values.reduce((most, value) => Math.max(most, value.decimals), 0);
  return { units: values.reduce((sum, value) => sum + scaled(value, decimals), 0n), decimals };
}

/** Negative when `a` is the smaller one, 0 when they are equal. */
export function order(a: Decimal, b: Decimal): number {
  const decimals = Math.max(a.decimals, b.decimals);
  const difference = scaled(a, decimals) - scaled(b, decimals);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The quotient, rounded half away from zero to `decimals` digits. */
export function divide({ units, decimals: own }: Decimal, by: number, decimals: number): Decimal {
  const divisor = BigInt(by) * 10n ** BigInt(own);
  const doubled = units * 10n ** BigInt(decimals) * 2n;
  const half = doubled < 0n ? -divisor : divisor;
  return { units: (doubled + half) / (divisor * 2n), decimals };
}

/** `1234.5`: a point, no groups, no zeros at the end. */
export function written({ units, decimals }: Decimal): string {
  const sign = units < 0n ? '-' : '';
  const digits = String(units < 0n ? -units : units).padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
