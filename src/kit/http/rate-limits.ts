/** Limits in headers: `retry-after` in its forms, the `*ratelimit-*` families in any order of words, and the fields of the IETF. */
import { boundedDelayMs } from '../../core/errors.ts';
import type { RateLimit } from '../../core/model/provider.ts';
import { fieldLimits } from './rate-limits/fields.ts';

type Headers = Readonly<Record<string, string>>;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const SINGLE = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
/** Plain numbers above these are points in time (epoch seconds, epoch milliseconds), not durations. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MILLISECONDS = 1_000_000_000_000;

/** Texts that name a point in time or a duration are never longer. */
const MAX_CHARACTERS = 100;

/**
 * Milliseconds from now of `6ms`, `1m2s`, `12.5` (seconds), an epoch, an RFC 3339 or an HTTP date; undefined for any other
 * text. Never negative, and at most a day: a longer time counts as a day.
 */
export function parseReset(value: string, nowMs: number): number | undefined {
  return value.length > MAX_CHARACTERS ? undefined : boundedDelayMs(resetOf(value.trim(), nowMs));
}

function resetOf(text: string, nowMs: number): number | undefined {
  if (text === '') return undefined;
  const plain = Number(text);
  if (!Number.isNaN(plain)) return fromNumber(plain, nowMs);
  const [, single, singleUnit = ''] = SINGLE.exec(text) ?? [];
  if (single !== undefined) return Number(single) * (UNIT_MS[singleUnit] ?? 0);
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    let total = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
      total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
    }
    return total;
  }
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : moment - nowMs;
}

function fromNumber(value: number, nowMs: number): number {
  if (value >= EPOCH_MILLISECONDS) return value - nowMs;
  if (value >= EPOCH_SECONDS) return value * 1000 - nowMs;
  return value * 1000;
}

/** The wait that the server asks for, in milliseconds, at most a day: `retry-after-ms`, `x-ms-retry-after-ms`, or `retry-after` in seconds or as a date. */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = headers['retry-after-ms'] ?? headers['x-ms-retry-after-ms'];
  if (milliseconds !== undefined) {
    const value = Number(milliseconds);
    if (milliseconds.trim() !== '' && value >= 0) return boundedDelayMs(value);
  }
  const retryAfter = headers['retry-after'];
  return retryAfter === undefined ? undefined : parseReset(retryAfter, nowMs);
}

/** True for headers that tell how long to wait: a delay, or the reset of a limit of which nothing is left. */
export function tellsDelay(headers: Headers): boolean {
  if (headers['retry-after'] ?? headers['retry-after-ms'] ?? headers['x-ms-retry-after-ms']) return true;
  return parseExhaustedReset(headers, 0) !== undefined;
}

/**
 * Milliseconds until the limits are reset of which nothing is left, the longest of them; of limits that do not say what is
 * left, the shortest. Undefined if the headers state no such reset. At most a day.
 */
export function parseExhaustedReset(headers: Headers, nowMs: number): number | undefined {
  let exhausted: number | undefined;
  let unknown: number | undefined;
  let isStated = false;
  for (const { remaining, resetMs } of bucketsOf(headers, nowMs)?.values() ?? []) {
    if (remaining !== undefined) isStated = true;
    if (resetMs === undefined) continue;
    if (remaining === undefined) unknown = Math.min(unknown ?? resetMs, resetMs);
    else if (remaining === 0) exhausted = Math.max(exhausted ?? 0, resetMs);
  }
  return exhausted ?? (isStated ? undefined : unknown);
}

type Draft = { -readonly [Field in keyof RateLimit]: RateLimit[Field] };

/** The meaning of a header, by its name. */
interface Meaning {
  readonly kind: RateLimit['kind'];
  readonly counts: RateLimit['counts'] | undefined;
  readonly windowMs: number | undefined;
  /** The name without its field: a server may have several limits of one kind. */
  readonly bucket: string;
  readonly field: 'limit' | 'remaining' | 'reset';
}

/** Cached, because servers send the same few names with every answer and parsing a name is the most expensive step here. */
const meanings = new Map<string, Meaning | null>();
const MAX_NAMES = 256;

/**
 * Every limit that the headers name, one per bucket: `x-ratelimit-remaining-tokens`, `<vendor>-ratelimit-tokens-remaining`,
 * `x-ratelimit-remaining-req-minute`, `ratelimit-remaining`. Buckets of other units than requests and tokens are left out.
 */
export function parseRateLimits(headers: Headers, nowMs: number): readonly RateLimit[] {
  const buckets = bucketsOf(headers, nowMs);
  const fields = headers.ratelimit === undefined ? [] : fieldLimits(headers.ratelimit, headers['ratelimit-policy']);
  if (buckets === undefined) return fields;
  return [
    ...fields,
    ...[...buckets.values()].filter(({ limit, remaining }) => limit !== undefined || remaining !== undefined),
  ];
}

/** Undefined if no header is about a limit. */
function bucketsOf(headers: Headers, nowMs: number): ReadonlyMap<string, Draft> | undefined {
  let buckets: Map<string, Draft> | undefined;
  for (const name in headers) {
    if (!name.includes('limit-') && !name.includes('-call-')) continue;
    const meaning = meaningOf(name);
    const value = headers[name];
    if (meaning === null || value === undefined) continue;
    buckets ??= new Map();
    record(buckets, meaning, value, meaning.field === 'reset' ? serverTime(headers, nowMs) : nowMs);
  }
  return buckets;
}

/** Endpoints say the same second with many answers, and in each once a header. */
let latestDate = '';
let latestMoment = Number.NaN;

/** Moments in headers are on the server's clock, which its date shows; whole seconds, so that a reset counts as late rather than early. */
function serverTime({ date }: Headers, nowMs: number): number {
  if (date === undefined || date.length > MAX_CHARACTERS) return nowMs;
  if (date !== latestDate) {
    latestDate = date;
    latestMoment = Date.parse(date);
  }
  return Number.isNaN(latestMoment) ? nowMs : latestMoment;
}

/** In the names of the headers; the second one counts tokens only, the third one calls of a trial, by the minute. */
const FAMILIES = ['ratelimit-', 'tokenlimit-', 'trial-endpoint-call-'] as const;

const PERIODS_MS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  month: 86_400_000,
};

/** Null for a name that is not about a limit on requests or tokens. */
function meaningOf(name: string): Meaning | null {
  const known = meanings.get(name);
  if (known !== undefined) return known;
  const meaning = meaningOfName(name);
  if (meanings.size < MAX_NAMES) meanings.set(name, meaning);
  return meaning;
}

function meaningOfName(name: string): Meaning | null {
  const family = FAMILIES.find((one) => name.includes(one));
  if (family === undefined) return null;
  const words = name.slice(name.indexOf(family) + family.length).split('-');
  const field = words.find((word) => word === 'limit' || word === 'remaining' || word === 'reset');
  const rest = words.filter((word) => word !== field);
  const bucket = family === 'ratelimit-' ? rest.join('-') : [family, ...rest].join('-');
  const kind = family === 'tokenlimit-' ? 'tokens' : kindOf(rest.join('-'));
  if (field === undefined || kind === undefined) return null;
  const isTrial = family === 'trial-endpoint-call-';
  return {
    kind,
    bucket,
    field,
    counts: kind === 'tokens' ? countsOf(rest) : undefined,
    windowMs: isTrial ? PERIODS_MS.minute : PERIODS_MS[rest.find((word) => Object.hasOwn(PERIODS_MS, word)) ?? ''],
  };
}

function countsOf(words: readonly string[]): RateLimit['counts'] | undefined {
  if (words.includes('input') || words.includes('prompt')) return 'input';
  return words.includes('output') || words.includes('generated') ? 'output' : undefined;
}

function record(
  buckets: Map<string, Draft>,
  { kind, counts, windowMs, bucket, field }: Meaning,
  value: string,
  nowMs: number,
): void {
  // A limit may name its policies behind it: `100, 100;w=60`.
  const number = field === 'reset' ? parseReset(value, nowMs) : Number(value.split(/[,;]/, 1)[0]);
  if (number === undefined || !Number.isFinite(number) || value.trim() === '') return;
  // A count below zero is none: servers write -1 where they do not count.
  if (number < 0) return;
  let draft = buckets.get(bucket);
  if (draft === undefined) {
    draft = { kind };
    if (counts !== undefined) draft.counts = counts;
    if (windowMs !== undefined) draft.windowMs = windowMs;
    buckets.set(bucket, draft);
  }
  if (field === 'limit') draft.limit = number;
  else if (field === 'remaining') draft.remaining = number;
  else draft.resetMs = number;
}

function kindOf(bucket: string): RateLimit['kind'] | undefined {
  if (bucket === '' || /^req(uests)?\b/.test(bucket)) return 'requests';
  return /\btokens\b/.test(bucket) && !bucket.includes('cost') ? 'tokens' : undefined;
}
