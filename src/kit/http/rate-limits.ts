/** What headers say of limits: `retry-after` in its forms, and the `*ratelimit-*` families, whichever way round they are named. */
import type { RateLimit } from '../../core/model/provider.ts';

type Headers = Readonly<Record<string, string>>;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** Plain numbers above these are moments (epoch seconds, epoch milliseconds), not durations. */
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MILLISECONDS = 1_000_000_000_000;

/**
 * Milliseconds from now of `6ms`, `1m2s`, `12.5` (seconds), an epoch, an RFC 3339 or an HTTP date; undefined where it is
 * none of them, never negative.
 */
export function parseReset(value: string, nowMs: number): number | undefined {
  const text = value.trim();
  if (text === '') return undefined;
  const plain = Number(text);
  if (Number.isFinite(plain)) return fromNumber(plain, nowMs);
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    let total = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
      total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
    }
    return Math.ceil(total);
  }
  const moment = Date.parse(text);
  return Number.isNaN(moment) ? undefined : Math.max(0, moment - nowMs);
}

function fromNumber(value: number, nowMs: number): number {
  if (value >= EPOCH_MILLISECONDS) return Math.max(0, Math.ceil(value - nowMs));
  if (value >= EPOCH_SECONDS) return Math.max(0, Math.ceil(value * 1000 - nowMs));
  return Math.max(0, Math.ceil(value * 1000));
}

/** How long the server asked us to wait: `retry-after-ms`, `x-ms-retry-after-ms`, or `retry-after` in seconds or as a date. */
export function parseRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = headers['retry-after-ms'] ?? headers['x-ms-retry-after-ms'];
  if (milliseconds !== undefined) {
    const value = Number(milliseconds);
    if (milliseconds.trim() !== '' && Number.isFinite(value) && value >= 0) return Math.ceil(value);
  }
  const told = headers['retry-after'];
  return told === undefined ? undefined : parseReset(told, nowMs);
}

interface Draft {
  kind: RateLimit['kind'];
  limit?: number;
  remaining?: number;
  resetMs?: number;
}

/**
 * Every limit that the headers name, one a bucket: `x-ratelimit-remaining-tokens`, `<vendor>-ratelimit-tokens-remaining`,
 * `x-ratelimit-remaining-req-minute`, `ratelimit-remaining`. Buckets of anything but requests and tokens are left out.
 */
export function parseRateLimits(headers: Headers, nowMs: number): readonly RateLimit[] {
  const buckets = new Map<string, Draft>();
  for (const name in headers) {
    const at = name.indexOf('ratelimit-');
    if (at === -1) continue;
    const value = headers[name];
    if (value !== undefined) note(buckets, name.slice(at + 'ratelimit-'.length), value, nowMs);
  }
  return [...buckets.values()].filter((draft) => draft.limit !== undefined || draft.remaining !== undefined);
}

function note(buckets: Map<string, Draft>, name: string, value: string, nowMs: number): void {
  const words = name.split('-');
  const field = words.find((word) => word === 'limit' || word === 'remaining' || word === 'reset');
  if (field === undefined) return;
  const bucket = words.filter((word) => word !== field).join('-');
  const kind = kindOf(bucket);
  const number = field === 'reset' ? parseReset(value, nowMs) : Number(value);
  if (kind === undefined || number === undefined || !Number.isFinite(number) || value.trim() === '') return;
  const draft = buckets.get(bucket) ?? { kind };
  if (field === 'limit') draft.limit = number;
  else if (field === 'remaining') draft.remaining = Math.max(0, number);
  else draft.resetMs = number;
  buckets.set(bucket, draft);
}

function kindOf(bucket: string): RateLimit['kind'] | undefined {
  if (bucket === '' || /^req(uests)?\b/.test(bucket)) return 'requests';
  return /\btokens\b/.test(bucket) && !bucket.includes('cost') ? 'tokens' : undefined;
}
