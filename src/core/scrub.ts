/**
 * Keeps secrets out of what people and files see. Two things are a secret: a value that was registered by the code that reads
 * it, and a text in the shape of a vendor's key, a bearer header, a signed token or a private key.
 *
 * S1. Every PolyphonyError is clean when it is made: message, details and cause. So are results, events, journals, ledgers and
 *     whatever else keeps errors.
 * S2. Log records are cleaned at any depth, and hide fields by their names too.
 * S3. Answers of models and outputs of tools are data and are not changed.
 * S4. What an error says is bounded, because it is written to journals and logs again and again, and whoever is called may
 *     throw a text of any length: the message is cut, and so are long texts in cause and details.
 */
import { consistsOfNames, removeSecretShapes } from './secret-shapes.ts';

export const SCRUBBED = '[scrubbed]';

/** Shorter values may be ordinary words or numbers ("local", "EMPTY", "1"), and removing these would garble texts. */
const LONG = 8;
/** A shorter value that is neither a word nor a number, from five characters on, is removed where it stands alone. */
const SHORT_KEY = /^(?=.*[A-Za-z])(?=.*[^A-Za-z]).{5,7}$/;
/** What a key is set to where nobody checks it: "postgres", "lm-studio", "not-needed". */
const WORDS = /^(?=.{8,15}$)(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_. ](?:[A-Z]?[a-z]+|[A-Z]+))*$/;
/** What comes before words that are used as a secret: "password=", `"api_key": "`, "API key provided: ". */
const NAMED =
  /(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|key)(?:\s(?:is|was|provided))?["'\\\s]{0,4}[:=]?["'\\\s]{0,4}$/i;
const NAME_CHARACTERS = 40;
/** Where something is: a variable such as SSH_KEY may name the file of a key. */
const PLACE = /^(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/]|[a-z][-+.a-z]*:\/\/(?![^/]*@))/;
/** The oldest are forgotten first: short-lived tokens are registered again and again. */
const MOST_REGISTERED = 2000;

const SECRET_NAME =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-?key|apikeys|.*secret.*|.*password.*|.*credential-?value.*|access-?token|refresh-?token|id-?token|bearer|x-goog-api-key)$/i;

const registered = new Set<string>();
/** All registered values in one pattern; undefined until it is needed again. */
let pattern: RegExp | undefined;

/**
 * From now on the value is removed from errors and logs, also where it is URL-encoded, base64 or escaped in JSON. A value of
 * less than eight characters is ignored if it is a word or a number, or has less than five; so are paths and addresses that
 * consist of names. Words of up to fifteen characters are removed only after a name such as "password".
 */
export function rememberSecret(value: string): void {
  if (registered.has(value) || (value.length < LONG && !SHORT_KEY.test(value))) return;
  if (!/[\p{L}\p{N}]/u.test(value) || (PLACE.test(value) && consistsOfNames(value))) return;
  const oldest = registered.size >= MOST_REGISTERED ? registered.values().next().value : undefined;
  if (oldest !== undefined) registered.delete(oldest);
  registered.add(value);
  pattern = undefined;
}

const HARMLESS_HEADER =
  /^(?:accept(?:-.*)?|content-(?:type|language|encoding)|user-agent|http-referer|referer|x-title|.*-(?:version|beta))$/i;
const BASIC = /^Basic\s+(\S+)\s*$/i;
const SCHEME = /^(?:Bearer|Basic|Token|Api-?Key)\s+/i;

/** The values of headers that a user sets, except those that only describe the request. */
export function rememberHeaders(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (HARMLESS_HEADER.test(name) || typeof value !== 'string') continue;
    rememberSecret(value);
    rememberSecret(value.replace(SCHEME, ''));
    const [, encoded] = BASIC.exec(value) ?? [];
    // Both parts, because servers repeat them as they read them.
    if (encoded !== undefined)
      for (const part of Buffer.from(encoded, 'base64').toString().split(/:(.*)/s)) rememberSecret(part);
  }
}

/** A segment of a path that is no word of an API: keys are long, and have digits or letters of both cases. */
const KEY_LIKE = /^(?=.*\d|.*[a-z].*[A-Z]|.*[A-Z].*[a-z])\S{12,}$/;
/** A segment of this length is a key unless it consists of words that paths of APIs have. */
const LONG_SEGMENT = 20;
const PATH_WORDS: ReadonlySet<string> = new Set(
  `account accounts api app apis application audio base batch batches beta chat cloud completion completions compatible compatibility
   compute default deployment deployments development embedding embeddings endpoint endpoints engine engines enterprise external
   foundation gateway generate generation global image images inference integration internal invocations language llm local
   location locations message messages mode model models moderation moderations multi organization organizations platform
   prediction predictions private production project projects provider providers proxy public publisher publishers region regional
   rerank response responses router routing runtime server serverless service services serving speech staging stream streaming
   studio tenant tenants text transcriptions translations v versions vision workspace workspaces`.split(/\s+/),
);

const isKeyLike = (segment: string): boolean =>
  KEY_LIKE.test(segment) ||
  (segment.length >= LONG_SEGMENT && !segment.split(/[-_.~:]/).every((word) => PATH_WORDS.has(word.toLowerCase())));

/**
 * What of a base URL may be a key: the user, the password, values of the query, and segments of the path that look like one. A
 * segment of less than twelve characters, or of less than twenty without digits and in one case, is taken for a word.
 */
export function rememberAddress(address: string): void {
  if (!URL.canParse(address)) return;
  const { username, password, pathname, searchParams } = new URL(address);
  const segments = pathname.split('/').filter(isKeyLike);
  for (const part of [username, password, ...segments]) {
    rememberSecret(part);
    rememberSecret(unescaped(part));
  }
  if (password !== '') rememberSecret(Buffer.from(`${unescaped(username)}:${unescaped(password)}`).toString('base64'));
  for (const value of searchParams.values()) rememberSecret(value);
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const SECRET_VARIABLE = /(?:_KEY|_TOKEN|_SECRET|_PASSWORD|_CREDENTIALS)$/;

/** Variables of the environment whose name says that they are secret. */
export function rememberEnvironment(environment: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && SECRET_VARIABLE.test(name)) rememberSecret(value);
  }
}

/** May be a part of an ordinary text. */
const standsAlone = (value: string): boolean => value.length < LONG || WORDS.test(value);

/** Each form in which a value appears in texts. */
function formsOf(value: string): readonly string[] {
  if (standsAlone(value)) return [value];
  const bytes = Buffer.from(value);
  return [
    value,
    // Through bytes, because half a surrogate pair cannot be encoded.
    encodeURIComponent(bytes.toString()),
    JSON.stringify(value).slice(1, -1),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

function registeredPattern(): RegExp {
  if (pattern !== undefined) return pattern;
  const forms = [...new Set([...registered].flatMap(formsOf))];
  // The longest first, so that a secret that contains another one is removed whole.
  forms.sort((a, b) => b.length - a.length);
  const alone = (form: string): string =>
    standsAlone(form) ? `(?<![A-Za-z0-9])${escaped(form)}(?![A-Za-z0-9])` : escaped(form);
  pattern = new RegExp(forms.map(alone).join('|'), 'g');
  return pattern;
}

export function scrubText(text: string): string {
  const clean = registered.size === 0 ? text : text.replace(registeredPattern(), replaceRegistered);
  return removeSecretShapes(clean, SCRUBBED);
}

function replaceRegistered(value: string, offset: number, text: string): string {
  if (!WORDS.test(value)) return SCRUBBED;
  return NAMED.test(text.slice(Math.max(0, offset - NAME_CHARACTERS), offset)) ? SCRUBBED : value;
}

/** The longest message of an error, in characters. */
const LONGEST_MESSAGE = 16_384;
/** The most characters of all texts in the cause of an error. */
const MOST_IN_CAUSE = 65_536;
/** The most characters of the details of an error, which may list hundreds of issues. */
const MOST_IN_DETAILS = 262_144;

/** The clean beginning of a message: at most 16,384 characters, and a note where it was cut. */
export const scrubMessage = (text: string): string => cleanBeginning(text, LONGEST_MESSAGE);

function cleanBeginning(text: string, longest: number): string {
  if (text.length <= longest) return scrubText(text);
  const clean = scrubText(text.slice(0, 2 * longest));
  // The end of what was looked at may be the first half of a secret, which nothing can tell any more: it is left out.
  const sure = text.length <= 2 * longest ? clean.length : clean.length - longest;
  const kept = clean.slice(0, Math.max(0, Math.min(longest, sure))).replace(/[\ud800-\udbff]$/, '');
  return `${kept}… (cut from ${text.length} characters)`;
}

const DEEPEST = 12;
/** A cause may hang on to a socket, and through it to half of the process. */
const MOST_VALUES = 5000;
const CUT = '[cut]';

interface Walk {
  /** Something was hidden or cut. */
  changed: boolean;
  left: number;
  /** Characters that texts may still have. */
  characters: number;
}

const newWalk = (characters: number): Walk => ({ changed: false, left: MOST_VALUES, characters });

/** A copy without secrets: at most 12 levels deep and of 5000 values, errors as plain objects, cycles cut. */
export const scrub = (value: unknown): unknown => copyOf(value, newWalk(Number.POSITIVE_INFINITY), []);

function copyOf(value: unknown, walk: Walk, above: readonly object[]): unknown {
  if (typeof value === 'string') {
    const clean = textOf(value, walk);
    if (clean !== value) walk.changed = true;
    return clean;
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? String(value) : value;
  walk.left -= 1;
  if (above.length >= DEEPEST || walk.left < 0 || above.includes(value)) {
    walk.changed = true;
    return CUT;
  }
  const inner = [...above, value];
  if (Array.isArray(value)) return value.map((item) => copyOf(item, walk, inner));
  return Object.fromEntries(
    entriesOf(value).map(([name, part]) => {
      if (!SECRET_NAME.test(name) || part === undefined) return [name, copyOf(part, walk, inner)];
      walk.changed = true;
      return [name, SCRUBBED];
    }),
  );
}

function textOf(text: string, walk: Walk): string {
  if (walk.characters === Number.POSITIVE_INFINITY) return scrubText(text);
  if (walk.characters <= 0) return CUT;
  const clean = cleanBeginning(text, Math.min(LONGEST_MESSAGE, walk.characters));
  walk.characters -= clean.length;
  return clean;
}

/** An object may have a getter that throws, or be a proxy. */
function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  try {
    if (!(value instanceof Error)) return Object.entries(value);
    const { name, message, stack, cause } = value;
    return [...Object.entries({ name, message, stack, cause }), ...Object.entries(value)];
  } catch {
    return [];
  }
}

/** The same cause if it holds no secret and no long text, else an error or a value of its text without them. */
export function scrubCause(cause: unknown): unknown {
  if (cause === undefined) return undefined;
  try {
    const walk = newWalk(MOST_IN_CAUSE);
    const copy = copyOf(cause, walk, []);
    if (!walk.changed) return cause;
    if (!(cause instanceof Error)) return copy;
    return Object.assign(new Error(), copy);
  } catch {
    // A proxy that refuses to be read says nothing.
    return CUT;
  }
}

/** The same details if they hold no secret and are not too long. JSON only: what is no JSON is made it. */
export function scrubDetails(
  details: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (details === undefined) return undefined;
  try {
    const text = JSON.stringify(details);
    if (text.length > MOST_IN_DETAILS) return boundedDetails(details);
    const clean = scrubText(text);
    return clean === text ? details : (JSON.parse(clean) as Readonly<Record<string, unknown>>);
  } catch {
    return boundedDetails(details);
  }
}

const boundedDetails = (details: object): Readonly<Record<string, unknown>> =>
  copyOf(details, newWalk(MOST_IN_DETAILS), []) as Readonly<Record<string, unknown>>;
