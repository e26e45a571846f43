/**
 * The bounds of a request as a text: `under $0.01, under 800 ms, accuracy above 90 %`. Read strictly: what is not understood is
 * refused, because a bound that is passed over is no bound.
 */
import { assertKnownFields, type KnownFields, shown } from '../../core/checked-options.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Intent } from '../../core/model/model.ts';
import { nearest } from '../../language/suggest.ts';

const MOST_CHARACTERS = 200;
const FIELDS: KnownFields<Intent> = { usd: true, ms: true, accuracy: true };
const EXAMPLE = '"under $0.01, under 800 ms, accuracy above 90 %"';

/** @throws invalid-request naming what is not understood, or is no possible bound */
export const intentBounds = (intent: string | Intent): Intent =>
  typeof intent === 'string' ? parsed(intent) : checked(intent);

function checked(intent: Intent): Intent {
  if (typeof intent !== 'object' || intent === null || Array.isArray(intent))
    throw invalid(
      `The intent ${shown(intent)} is neither a text nor an object: write ${EXAMPLE}, or { usd, ms, accuracy }.`,
    );
  assertKnownFields('The intent', intent, FIELDS, nearest);
  const { usd, ms, accuracy } = intent;
  assertWithin(
    'intent.usd',
    usd,
    'an amount of US dollars from 0 to 9000000',
    (value) => value >= 0 && value <= 9_000_000,
  );
  assertWithin('intent.ms', ms, 'a number of milliseconds above 0', (value) => value > 0);
  assertWithin('intent.accuracy', accuracy, 'a share from 0 to 1', (value) => value >= 0 && value <= 1);
  if (usd === undefined && ms === undefined && accuracy === undefined)
    throw invalid(`The intent is empty: give a bound, such as ${EXAMPLE}, or leave it out.`);
  return intent;
}

function assertWithin(field: string, value: unknown, rule: string, isRight: (value: number) => boolean): void {
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value) && isRight(value))) return;
  throw invalid(`${field} is ${shown(value)}, but it must be ${rule}.`);
}

// ---------------------------------------------------------------------------------------------------- as a text

const UPPER = '(?:under|below|less than|at most|no more than|within|<=?|≤)';
const LOWER = '(?:above|over|more than|at least|no less than|>=?|≥)';
const NUMBER = '(\\d{1,9}(?:\\.\\d{1,9})?)';

interface Clause {
  readonly bound: keyof Intent;
  readonly pattern: RegExp;
  readonly value: (found: readonly string[]) => number;
}

const TIMES: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  second: 1000,
  seconds: 1000,
};

const CLAUSES: readonly Clause[] = [
  { bound: 'usd', pattern: clause(`(?:costs? )?${UPPER} ?\\$ ?${NUMBER}`), value: ([, usd]) => Number(usd) },
  {
    bound: 'usd',
    pattern: clause(`(?:costs? )?${UPPER} ?${NUMBER} ?(usd|dollars?|cents?)`),
    value: ([, amount, unit]) => Number(amount) / (unit?.startsWith('cent') === true ? 100 : 1),
  },
  {
    bound: 'ms',
    pattern: clause(`(?:latency )?${UPPER} ?${NUMBER} ?(ms|milliseconds?|s|seconds?)`),
    value: ([, amount, unit]) => Number(amount) * (TIMES[unit ?? ''] ?? Number.NaN),
  },
  {
    bound: 'accuracy',
    pattern: clause(`accuracy ${LOWER} ?${NUMBER} ?%`),
    value: ([, percent]) => Number(percent) / 100,
  },
  {
    bound: 'accuracy',
    pattern: clause(`accuracy ${LOWER} ?(0?\\.\\d{1,9}|1(?:\\.0{1,9})?|0)`),
    value: ([, share]) => Number(share),
  },
];

function clause(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`, 'u');
}

function parsed(text: string): Intent {
  if (text.length > MOST_CHARACTERS)
    throw invalid(
      `The intent has ${text.length} characters, but at most ${MOST_CHARACTERS} are read: write ${EXAMPLE}.`,
    );
  const bounds: { -readonly [Bound in keyof Intent]: Intent[Bound] } = {};
  const clauses = text
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .split(/,|;| and /);
  for (const given of clauses.map((one) => one.trim())) {
    const [bound, value] = boundOf(given);
    if (bounds[bound] !== undefined)
      throw invalid(`The intent sets a bound for ${NAMES[bound]} twice: keep one of them.`);
    bounds[bound] = value;
  }
  return checked(bounds);
}

const NAMES: Readonly<Record<keyof Intent, string>> = { usd: 'the cost', ms: 'the latency', accuracy: 'the accuracy' };

function boundOf(given: string): readonly [keyof Intent, number] {
  for (const { bound, pattern, value } of CLAUSES) {
    const found = pattern.exec(given);
    if (found !== null) return [bound, value(found)];
  }
  throw invalid(`The intent has ${shown(given)}, which is not understood: write bounds such as ${EXAMPLE}.`);
}

const invalid = (message: string): PolyphonyError => new PolyphonyError('invalid-request', message);
