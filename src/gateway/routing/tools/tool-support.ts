/** Which parts of schemas the tools of a request use, held against what is known of a model. */
import type { ChatRequest, JsonSchema } from '../../../core/model/model.ts';
import type { ToolSupport } from '../../../core/model/provider.ts';

interface Features {
  /** Objects and lists inside one another; 1 for an object of plain fields. */
  depth: number;
  enums: boolean;
  unions: boolean;
  references: boolean;
}

/** Schemas that are looked at; what lies behind them is not known to be unsupported. */
const MOST_SCHEMAS = 10_000;
const MOST_LEVELS = 64;

const UNIONS = ['anyOf', 'oneOf', 'allOf'] as const;
/** Keywords whose value is a schema, a list of them, or a map of them. */
const NESTED = [
  'items',
  'prefixItems',
  'additionalProperties',
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
];

/** A cache, because callers pass the same schemas again and again. */
const known = new WeakMap<JsonSchema, Features>();

/** What the tools use that the model does not support, as predicates such as `does not support unions in tools (search)`. */
export function unsupportedTools({ tools = [] }: ChatRequest, support: ToolSupport): readonly string[] {
  const { count = Number.POSITIVE_INFINITY, depth = Number.POSITIVE_INFINITY } = support;
  const failed: string[] = [];
  if (tools.length > count)
    failed.push(`takes at most ${count} ${count === 1 ? 'tool' : 'tools'}, but the request has ${tools.length}`);
  const those = (what: string, uses: (features: Features) => boolean): void => {
    const names = tools.filter(({ inputSchema }) => uses(featuresOf(inputSchema))).map(({ name }) => name);
    if (names.length > 0)
      failed.push(`does not support ${what} in the input of tools (${names.slice(0, 4).join(', ')})`);
  };
  if (support.depth !== undefined)
    those(`more than ${depth} ${depth === 1 ? 'level' : 'levels'}`, (features) => features.depth > depth);
  if (support.enums === false) those('fixed values (enum, const)', ({ enums }) => enums);
  if (support.unions === false) those('unions (anyOf, oneOf, allOf, several types)', ({ unions }) => unions);
  if (support.references === false) those('references ($ref)', ({ references }) => references);
  return failed;
}

function featuresOf(schema: JsonSchema): Features {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const features: Features = { depth: 0, enums: false, unions: false, references: false };
  let left = MOST_SCHEMAS;
  const look = (value: unknown, level: number): void => {
    if (typeof value !== 'object' || value === null || level > MOST_LEVELS || left <= 0) return;
    left -= 1;
    const inside = value as JsonSchema;
    const { type } = inside;
    const isNested =
      type === 'object' || type === 'array' || inside.properties !== undefined || inside.items !== undefined;
    const below = isNested ? level + 1 : level;
    features.depth = Math.max(features.depth, below);
    features.enums ||= inside.enum !== undefined || inside.const !== undefined;
    features.unions ||= UNIONS.some((word) => inside[word] !== undefined) || isSeveral(type);
    features.references ||= inside.$ref !== undefined;
    for (const word of NESTED) lookInside(inside[word], word, (part) => look(part, below));
    for (const word of UNIONS) lookInside(inside[word], word, (part) => look(part, level));
  };
  look(schema, 0);
  known.set(schema, features);
  return features;
}

/** `['string', 'null']` is an optional text for most models, and no union. */
const isSeveral = (type: unknown): boolean => Array.isArray(type) && type.filter((one) => one !== 'null').length > 1;

function lookInside(value: unknown, word: string, look: (part: unknown) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const part of value) look(part);
  else if (word === 'items' || word === 'additionalProperties') look(value);
  else for (const name of Object.keys(value)) look((value as Readonly<Record<string, unknown>>)[name]);
}
