import { PolyphonyError } from '../../core/errors.ts';
import { isUsd } from '../../core/money/money.ts';

const AMOUNT = /^usd$|Usd$/;

/**
 * The numbers of a config that nobody read against its schema: a cap that is no number would refuse every call under it, and only then.
 *
 * @throws invalid-config naming the field, its value and what it may be
 */
export function assertNumbers(value: unknown, path = 'config', name = ''): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, part] of Object.entries(value)) assertNumbers(part, `${path}.${key}`, key);
    return;
  }
  if (typeof value !== 'number') return;
  if (AMOUNT.test(name) && !isUsd(value))
    throw new PolyphonyError('invalid-config', `${path} is ${value}: give a number of US dollars from 0 to 9,000,000.`);
  if (Number.isNaN(value))
    throw new PolyphonyError('invalid-config', `${path} is NaN: give a number, or leave the field out.`);
}
