/**
 * The fields `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers: `"default";r=50;t=30` with
 * `"default";q=100;w=60` (from draft 08 on), and `limit=100, remaining=50, reset=5` with `100;w=60` (draft 07). Drafts before
 * have one header a value, as other servers do.
 */
import { boundedDelayMs } from '../../../core/errors.ts';
import type { RateLimit } from '../../../core/model/provider.ts';

const MAX_CHARACTERS = 2000;
const MAX_ITEMS = 16;

interface Item {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Limits in units other than requests and tokens are left out. Never throws. */
export function fieldLimits(field: string, policy: string | undefined): readonly RateLimit[] {
  const policies = policy === undefined ? [] : itemsOf(policy);
  const [first] = itemsOf(field.replaceAll(',', ';'));
  if (first?.parameters.has('remaining')) return unnamed(first, policies[0]);
  return itemsOf(field).flatMap(({ name, parameters }) => {
    const rule = policies.find((one) => one.name === name);
    const kind = kindOf(rule?.parameters.get('qu') ?? parameters.get('qu'));
    const remaining = numberOf(parameters.get('r'));
    if (kind === undefined || remaining === undefined) return [];
    return [
      limitOf(kind, numberOf(rule?.parameters.get('q')), remaining, parameters.get('t'), rule?.parameters.get('w')),
    ];
  });
}

function unnamed({ parameters }: Item, policy: Item | undefined): readonly RateLimit[] {
  const remaining = numberOf(parameters.get('remaining'));
  if (remaining === undefined) return [];
  const limit = numberOf(parameters.get('limit'));
  return [limitOf('requests', limit, remaining, parameters.get('reset'), policy?.parameters.get('w'))];
}

function limitOf(
  kind: RateLimit['kind'],
  limit: number | undefined,
  remaining: number,
  reset: string | undefined,
  window: string | undefined,
): RateLimit {
  const [resetMs, windowMs] = [millisecondsOf(reset), millisecondsOf(window)];
  return {
    kind,
    remaining,
    ...(limit === undefined ? {} : { limit }),
    ...(resetMs === undefined ? {} : { resetMs }),
    ...(windowMs === undefined ? {} : { windowMs }),
  };
}

function kindOf(unit: string | undefined): RateLimit['kind'] | undefined {
  if (unit === undefined || unit === 'requests') return 'requests';
  return unit === 'tokens' ? 'tokens' : undefined;
}

/** A list of structured fields, as far as these fields need it: an item, and its parameters behind semicolons. */
function itemsOf(text: string): readonly Item[] {
  if (text.length > MAX_CHARACTERS) return [];
  return text
    .split(',')
    .slice(0, MAX_ITEMS)
    .map((item) => {
      const [first = '', ...rest] = item.split(';').map((part) => part.trim());
      const isParameter = first.includes('=');
      return { name: bare(first), parameters: parametersOf(isParameter ? [first, ...rest] : rest) };
    });
}

function parametersOf(parts: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    parts.map((part) => {
      const at = part.indexOf('=');
      return at === -1 ? ([part, ''] as const) : ([part.slice(0, at), bare(part.slice(at + 1))] as const);
    }),
  );
}

const bare = (text: string): string => (text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text);

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function millisecondsOf(seconds: string | undefined): number | undefined {
  const number = numberOf(seconds);
  return number === undefined ? undefined : boundedDelayMs(number * 1000);
}
