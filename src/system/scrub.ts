/** Removes secrets from log records at any depth, including messages and stacks. */

const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-?key|apikeys|.*secret.*|.*password.*|.*credential-?value.*|access-?token|refresh-?token|id-?token|bearer|x-goog-api-key)$/i;

/** The formats of vendors' keys, and bearer headers; long enough not to match ordinary words. */
const SECRET_TEXT =
  /\b(?:sk|rk|pk|gsk|key|ghp|glpat|AKIA|AIza)[-_A-Za-z0-9]{16,}\b|\bBearer\s+[-._~+/A-Za-z0-9]{8,}=*|([?&](?:key|api_key|apikey|token|sig|signature)=)[^&\s"']+/g;

export const SCRUBBED = '[scrubbed]';

/** Registered by the code that reads keys, so that keys of unknown formats are also removed. */
const known = new Set<string>();

/** From now on `scrub` removes the value. Values shorter than eight characters are ignored. */
export function rememberSecret(value: string): void {
  if (value.length >= 8) known.add(value);
}

export function scrubText(text: string): string {
  let clean = text;
  for (const secret of known) if (clean.includes(secret)) clean = clean.replaceAll(secret, SCRUBBED);
  return clean.replace(SECRET_TEXT, (_, prefix: string | undefined) => `${prefix ?? ''}${SCRUBBED}`);
}

/** A copy without secrets: at most 12 levels deep, errors as plain objects, cycles cut. */
export function scrub(value: unknown, depth = 0, seen: ReadonlySet<object> = new Set()): unknown {
  if (typeof value === 'string') return scrubText(value);
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  if (depth >= 12 || seen.has(value)) return '[cut]';
  const inner = new Set(seen).add(value);
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1, inner));
  const entries = value instanceof Error ? errorEntries(value) : Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, part]) => [
      name,
      SECRET_NAME.test(name) && part !== undefined ? SCRUBBED : scrub(part, depth + 1, inner),
    ]),
  );
}

function errorEntries(error: Error): [string, unknown][] {
  return [
    ['name', error.name],
    ['message', error.message],
    ['stack', error.stack],
    ['cause', error.cause],
    ...Object.entries(error),
  ];
}
