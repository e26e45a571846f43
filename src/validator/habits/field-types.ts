/** Types of fields as other languages and formats write them, as the shorthand of plans. */
import { fromShorthand, isShorthand } from '../../language/shorthand.ts';
import { isRecord, pointerToken } from '../document/document.ts';
import { shown } from '../document/report.ts';
import { type Fields, type Mending, tell } from './mending.ts';

const NAMES: ReadonlyMap<string, string> = new Map([
  ...['string', 'str', 'text', 'char', 'varchar', 'date', 'datetime', 'timestamp', 'time', 'url', 'uri', 'email'].map(
    to('string'),
  ),
  ...['uuid', 'markdown', 'html'].map(to('string')),
  ...['number', 'float', 'double', 'decimal', 'num', 'float32', 'float64'].map(to('number')),
  ...['integer', 'int', 'int32', 'int64', 'long', 'whole number'].map(to('integer')),
  ...['boolean', 'bool'].map(to('boolean')),
  ...['any', 'object', 'dict', 'dictionary', 'map', 'record', 'json', 'unknown', 'mixed'].map(to('any')),
  ...['array', 'list', 'tuple'].map(to('any[]')),
]);

function to(type: string): (name: string) => readonly [string, string] {
  return (name) => [name, type];
}

const LONGEST = 300;
const DEEPEST = 8;
const LIST = /^(?:list|array|sequence|set)\s*(?:<(.+)>|\[(.+)\]|\((.+)\)|\s+of\s+(.+))$/i;
const OPTIONAL =
  /^(?:optional\s*[<[(]\s*(.+?)\s*[>\])]|optional\s+(.+)|(.+?)\s*\(optional\)|(.+?)\s*(?:\||\s+or\s+)\s*(?:null|none|undefined))$/i;
const CHOICE = /^(?:enum|literal|one of|oneof)\s*[:([<]\s*([^)\]>]+?)\s*[)\]>]?$/i;
const TOLD = /^([a-z]+(?:\[\])?\??)\s*(?:[-:,–—(]|\/\/)\s*\S/i;

/** The type as the shorthand writes it; undefined: it is none that is known. */
export function typeNamed(text: string, depth = 0): string | undefined {
  const wanted = text.trim();
  if (wanted === '' || wanted.length > LONGEST || depth > DEEPEST) return undefined;
  if (wanted.endsWith('?')) return suffixed(typeNamed(wanted.slice(0, -1), depth + 1), '?');
  if (wanted.endsWith('[]')) return suffixed(typeNamed(wanted.slice(0, -2), depth + 1), '[]');
  const known = NAMES.get(wanted.toLowerCase());
  if (known !== undefined) return known;
  const list = LIST.exec(wanted);
  if (list !== null) {
    const inner = (list[1] ?? list[2] ?? list[3] ?? list[4] ?? '').trim();
    return suffixed(typeNamed(inner, depth + 1) ?? typeNamed(inner.replace(/s$/, ''), depth + 1), '[]');
  }
  const optional = OPTIONAL.exec(wanted);
  if (optional !== null)
    return suffixed(typeNamed(optional.slice(1).find((part) => part !== undefined) ?? '', depth + 1), '?');
  return choiceIn(wanted) ?? toldType(wanted);
}

const suffixed = (type: string | undefined, suffix: string): string | undefined =>
  type === undefined ? undefined : `${type}${suffix}`;

/** `enum(a, b)`, and `'a' | 'b'` with the quotes. */
function choiceIn(text: string): string | undefined {
  const listed = CHOICE.exec(text)?.[1]?.split(/[,|]/) ?? (text.includes('|') ? text.split('|') : []);
  return choiceOf(listed.map((value) => value.trim().replace(/^(["'`])(.*)\1$/, '$2')));
}

/** Names of types are no choice. */
function choiceOf(values: readonly string[]): string | undefined {
  const isChoice =
    values.length > 1 &&
    values.every((value) => value !== '' && !/[|?[\]]/.test(value) && !NAMES.has(value.toLowerCase()));
  return isChoice && new Set(values).size === values.length ? values.join('|') : undefined;
}

/** `string: the title` says more than the type. */
function toldType(text: string): string | undefined {
  const name = TOLD.exec(text)?.[1];
  return name === undefined ? undefined : typeNamed(name, DEEPEST - 1);
}

/** Replaces the types of a map that are not valid; a JSON Schema stays as it is. */
export function mendTypes(map: unknown, path: string, mending: Mending, depth = 0): void {
  if (!isRecord(map) || depth > DEEPEST || !isShorthand(map)) return;
  for (const [name, type] of Object.entries(map)) {
    const at = `${path}/${pointerToken(name)}`;
    if (isValid(type)) continue;
    if (isRecord(type)) mendTypes(type, at, mending, depth + 1);
    else mendType(map, name, type, at, mending);
  }
}

function isValid(type: unknown): boolean {
  try {
    fromShorthand({ type });
    return true;
  } catch {
    return false;
  }
}

function mendType(map: Fields, name: string, type: unknown, path: string, mending: Mending): void {
  const target = typeof type === 'string' ? typeNamed(type) : Array.isArray(type) ? listType(type) : undefined;
  if (target === undefined || !isValid(target)) return;
  map[name] = target;
  const written = typeof type === 'string' ? shown(type) : (JSON.stringify(type) ?? '').slice(0, 80);
  tell(
    mending,
    'type.rewritten',
    path,
    `The type ${written} was written as ${(JSON.stringify(target) ?? '').slice(0, 80)}.`,
  );
}

/** `["string"]` is a list, `["x", "y"]` a choice, and `[{ … }]` a list of objects. */
function listType(types: readonly unknown[]): string | Fields | undefined {
  const [only, second] = types;
  if (second === undefined && typeof only === 'string') return suffixed(typeNamed(only), '[]');
  if (second === undefined && isRecord(only) && isShorthand(only) && isValid(only))
    return { type: 'array', items: { ...fromShorthand(only) } };
  const values = types.filter((value) => typeof value === 'string');
  return values.length === types.length ? choiceOf(values) : undefined;
}
