/** A schema as a graph: its parts, what each holds and refers to. Reading it is linear in its size and bounded. */
import type { JsonSchema } from '../../../core/model/model.ts';
import { isPlainObject } from '../../../language/shorthand.ts';
import { beginningOf, shownText } from '../../../language/shown.ts';
import { DEFINITIONS, IN_PLACE, INNER, type KeywordKind, REFERENCES, SHAPES } from './keywords.ts';
import { resolvePointer } from './pointer.ts';
import { type Check, type JsonIssue, pointerToken } from './run.ts';

export interface SchemaEdge {
  readonly keyword: string;
  /** The name in a map; empty in a list and for a single schema. */
  readonly name: string;
  readonly part: SchemaPart;
  /** It applies to the same value as the part that holds it. */
  readonly inPlace: boolean;
}

export interface SchemaPart {
  readonly schema: JsonSchema | boolean;
  /** JSON pointer into the schema. */
  readonly path: string;
  readonly edges: SchemaEdge[];
  /** The base that its references are resolved against. */
  readonly base: SchemaBase;
  /** It refers to a part that leads back to it. Set once all references are known. */
  closesCycle: boolean;
  /** Whether a value is valid. Set when the schema is compiled. */
  check: Check;
}

const notCompiled: Check = () => true;

export interface SchemaBase {
  readonly uri: string;
  readonly root: unknown;
}

/** Why a schema cannot be used. The path is a pointer into the schema. */
export interface SchemaIssue extends JsonIssue {
  /** Invalid: it is no JSON Schema. Unsafe: a check by it could take too long, or could not be made at all. */
  readonly code: 'schema.invalid' | 'schema.unsafe';
}

export interface SchemaBounds {
  readonly levels: number;
  readonly parts: number;
}

export interface ReadSchema {
  readonly root: SchemaPart | undefined;
  readonly parts: readonly SchemaPart[];
  readonly issues: readonly SchemaIssue[];
}

interface Reading {
  readonly bounds: SchemaBounds;
  readonly parts: SchemaPart[];
  readonly issues: SchemaIssue[];
  /** The first part of each schema object: what references lead to. */
  readonly known: Map<object, SchemaPart>;
  /** Schemas with a name: by the URI of their base, or by it and their anchor. */
  readonly named: Map<string, SchemaBase>;
  full: boolean;
}

const MOST_ISSUES = 20;
const LOCAL = 'schema://local/';

/** Reads a schema with all that its references lead to. Never throws; whatever is not a schema is an issue. */
export function readParts(schema: unknown, bounds: SchemaBounds): ReadSchema {
  const reading: Reading = { bounds, parts: [], issues: [], known: new Map(), named: new Map(), full: false };
  const root = readPart(schema, '', { uri: LOCAL, root: schema }, 0, reading);
  // The list grows while references lead to schemas at places that no keyword knows.
  for (let at = 0; at < reading.parts.length && !reading.full; at += 1) {
    const part = reading.parts[at];
    if (part !== undefined) followReferences(part, reading);
  }
  return { root, parts: reading.parts, issues: reading.issues };
}

function report(reading: Reading, path: string, message: string, code: SchemaIssue['code'] = 'schema.invalid'): void {
  if (reading.issues.length < MOST_ISSUES) reading.issues.push({ code, path, message });
}

function readPart(
  schema: unknown,
  path: string,
  base: SchemaBase,
  level: number,
  reading: Reading,
): SchemaPart | undefined {
  if (reading.full) return undefined;
  if (typeof schema !== 'boolean' && !isPlainObject(schema)) {
    report(reading, path, 'A schema must be an object, true or false: correct it.');
    return undefined;
  }
  const { levels, parts: most } = reading.bounds;
  if (level > levels || reading.parts.length >= most) {
    reading.full = true;
    reading.issues.length = 0;
    report(reading, path, `A schema can have at most ${levels} levels and ${most} parts: flatten it.`, 'schema.unsafe');
    return undefined;
  }
  const own = typeof schema === 'boolean' ? base : baseOf(schema, base, reading);
  const part: SchemaPart = { schema, path, edges: [], base: own, closesCycle: false, check: notCompiled };
  reading.parts.push(part);
  if (typeof schema === 'boolean') return part;
  if (!reading.known.has(schema)) reading.known.set(schema, part);
  for (const keyword of Object.keys(schema)) readKeyword(keyword, schema[keyword], part, level, reading);
  return part;
}

/** A schema with an `$id` is the document that the references in it point into. */
function baseOf(schema: JsonSchema, base: SchemaBase, { named }: Reading): SchemaBase {
  const { $id: id } = schema;
  const own = typeof id === 'string' && !id.startsWith('#') ? { uri: resolveUri(id, base.uri), root: schema } : base;
  if (own !== base && !named.has(own.uri)) named.set(own.uri, own);
  const legacy = typeof id === 'string' && id.startsWith('#') ? id.slice(1) : undefined;
  for (const anchor of [schema.$anchor, schema.$dynamicAnchor, legacy]) {
    if (typeof anchor === 'string') named.set(`${own.uri}#${anchor}`, { uri: own.uri, root: schema });
  }
  return own;
}

function resolveUri(reference: string, base: string): string {
  try {
    const { href } = new URL(reference, base);
    return href.endsWith('#') ? href.slice(0, -1) : href;
  } catch {
    return reference;
  }
}

function readKeyword(keyword: string, value: unknown, part: SchemaPart, level: number, reading: Reading): void {
  if (value === undefined) return;
  const inPlace = IN_PLACE.get(keyword);
  const kind = inPlace ?? INNER.get(keyword) ?? (DEFINITIONS.has(keyword) ? 'map' : undefined);
  const path = `${part.path}/${pointerToken(beginningOf(keyword))}`;
  if (kind !== undefined) {
    readHeld(keyword, value, kind, { part, path, level, inPlace: inPlace !== undefined }, reading);
    return;
  }
  const shape = SHAPES.get(keyword);
  if (shape === undefined || shape.fits(value)) return;
  report(reading, part.path, `The keyword ${keyword} of a schema must be ${shape.rule}: correct it.`);
}

interface Holding {
  readonly part: SchemaPart;
  readonly path: string;
  readonly level: number;
  readonly inPlace: boolean;
}

function readHeld(keyword: string, value: unknown, kind: KeywordKind, holding: Holding, reading: Reading): void {
  const { part, path } = holding;
  // A list in `items` is the older form of `prefixItems`.
  if (kind === 'list' || (keyword === 'items' && Array.isArray(value))) {
    if (!Array.isArray(value) || (kind === 'list' && value.length === 0)) {
      report(reading, part.path, `The keyword ${keyword} of a schema must be a list of schemas: correct it.`);
      return;
    }
    const name = kind === 'list' ? keyword : 'prefixItems';
    value.forEach((item, index) => void hold(name, '', item, `${path}/${index}`, holding, reading));
  } else if (kind === 'schema') hold(keyword, '', value, path, holding, reading);
  else if (isPlainObject(value)) {
    for (const name of Object.keys(value)) {
      // In the older `dependencies`, a list holds the names that are required.
      if (keyword === 'dependencies' && Array.isArray(value[name])) continue;
      hold(keyword, name, value[name], `${path}/${pointerToken(beginningOf(name))}`, holding, reading);
    }
  } else report(reading, part.path, `The keyword ${keyword} of a schema must be a map of schemas: correct it.`);
}

function hold(
  keyword: string,
  name: string,
  schema: unknown,
  path: string,
  { part, level, inPlace }: Holding,
  reading: Reading,
): void {
  const held = readPart(schema, path, part.base, level + 1, reading);
  if (held !== undefined && !DEFINITIONS.has(keyword)) part.edges.push({ keyword, name, part: held, inPlace });
}

function followReferences(part: SchemaPart, reading: Reading): void {
  if (typeof part.schema === 'boolean') return;
  for (const keyword of REFERENCES) {
    const reference = Object.hasOwn(part.schema, keyword) ? part.schema[keyword] : undefined;
    if (typeof reference !== 'string') continue;
    const target = targetOf(reference, part.base, reading);
    if (target === undefined || (typeof target.root !== 'boolean' && !isPlainObject(target.root))) {
      const message = `${keyword} ${shownText(reference)} leads to no schema: refer to one that is there.`;
      report(reading, part.path, message, 'schema.unsafe');
      continue;
    }
    const { root, uri } = target;
    const known = typeof root === 'boolean' ? undefined : reading.known.get(root);
    const base = { uri, root: reading.named.get(uri)?.root ?? part.base.root };
    const held = known ?? readPart(root, beginningOf(reference, 400).slice(1), base, 0, reading);
    if (held !== undefined) part.edges.push({ keyword, name: '', part: held, inPlace: true });
  }
}

/** The schema that a reference names, as the root of a base. */
function targetOf(reference: string, base: SchemaBase, { named }: Reading): SchemaBase | undefined {
  const hash = reference.indexOf('#');
  const fragment = hash === -1 ? '' : reference.slice(hash + 1);
  const document =
    hash === 0 ? base : named.get(resolveUri(hash === -1 ? reference : reference.slice(0, hash), base.uri));
  if (document === undefined) return undefined;
  if (fragment === '') return document;
  if (!fragment.startsWith('/')) return named.get(`${document.uri}#${fragment}`);
  const root = resolvePointer(document.root, `#${fragment}`);
  return root === undefined ? undefined : { uri: document.uri, root };
}
