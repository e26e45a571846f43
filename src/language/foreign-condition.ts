/**
 * Conditions in the words of JavaScript, Python or SQL, as CEL. Only what has one meaning there is replaced, outside texts in quotes.
 * Linear in the length of the source, which is bounded as that of a condition is.
 */
import { CONDITION_BOUNDS } from './condition-rules.ts';

/** What `includes` asks: whether a text holds a text, or a list an item. Undefined: it may be either. */
export type Holder = 'text' | 'list' | undefined;

export interface ForeignRules {
  /** Whether a node or an input has the name, so that it is no word of a language. */
  readonly isName: (word: string) => boolean;
  /** @param path as it is written: `a.labels` */
  readonly holderOf: (path: string) => Holder;
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ...['and', 'AND', 'And'].map((word) => [word, '&&'] as const),
  ...['or', 'OR', 'Or'].map((word) => [word, '||'] as const),
  ...['None', 'NULL', 'Null', 'nil', 'undefined'].map((word) => [word, 'null'] as const),
  ...['True', 'TRUE'].map((word) => [word, 'true'] as const),
  ...['False', 'FALSE'].map((word) => [word, 'false'] as const),
  ...['IN', 'In'].map((word) => [word, 'in'] as const),
]);

const TOKENS =
  /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|===|!==|==|!=|<>|<=|>=|=>|\?\.|&&|\|\||=|[\p{L}_$][\p{L}\p{N}_]*|\s+|./gsu;

/** The condition in CEL; undefined when nothing of it was foreign, or something could mean two things. */
export function fromForeign(source: string, rules: ForeignRules): string | undefined {
  if (source.length > CONDITION_BOUNDS.length) return undefined;
  const tokens = (source.match(TOKENS) ?? []).map((token, place, all) => replaced(token, place, all, rules));
  const text = withoutMethods(inline(tokens), rules);
  return text === undefined || text === source ? undefined : text;
}

function replaced(token: string, place: number, all: readonly string[], { isName }: ForeignRules): string {
  switch (token) {
    case '===':
    case '=':
      return '==';
    case '!==':
    case '<>':
      return '!=';
    case '?.':
      return '.';
    default:
  }
  if (token.startsWith('`')) return token.includes('${') ? token : JSON.stringify(token.slice(1, -1));
  const before = all[place - 1];
  // A field of that name, or a name of the plan.
  if (before === '.' || before === '?.' || isName(token)) return token;
  return WORDS.get(token) ?? token;
}

/** `is not`, `is` and `not`, which are more than one word for one. */
function inline(tokens: readonly string[]): string {
  const parts: string[] = [];
  for (const token of tokens) {
    const last = parts.findLastIndex((part) => part.trim() !== '');
    if (/^(?:is|IS)$/.test(token) && last >= 0) parts.push('==');
    else if (/^(?:not|NOT)$/.test(token) && parts[last] === '==' && isJust(tokens, token)) {
      parts.splice(last, parts.length, '!=');
    } else parts.push(token);
  }
  return parts.join('');
}

const isJust = (tokens: readonly string[], token: string): boolean =>
  tokens.some((other, place) => other === token && /^(?:is|IS)$/.test(tokens[place - 2] ?? ''));

const PATH = '[\\p{L}_][\\p{L}\\p{N}_]*(?:\\.[\\p{L}_][\\p{L}\\p{N}_]*|\\[[0-9]{1,9}\\]){0,32}';
const TEXT = '"(?:\\\\.|[^"\\\\])*"|\'(?:\\\\.|[^\'\\\\])*\'';
const QUOTED_OR = (pattern: string): RegExp => new RegExp(`${pattern}|${TEXT}`, 'gu');

const LENGTH = QUOTED_OR(`(?<![\\p{L}\\p{N}_.])(${PATH})\\.(?:length|size)(?![\\p{L}\\p{N}_])(?:\\(\\))?`);
const LEN = QUOTED_OR('(?<![\\p{L}\\p{N}_.])len\\(');
const INCLUDES = QUOTED_OR(`(?<![\\p{L}\\p{N}_.])(${PATH})\\.(?:includes|contains)\\((${TEXT}|${PATH}|[0-9.]+)\\)`);
const NOT_IN = QUOTED_OR(`(?<![\\p{L}\\p{N}_.'"])(${TEXT}|${PATH})\\s+not\\s+in\\s+(${PATH}|\\[[^\\[\\]]*\\])`);
const NOT = QUOTED_OR(`(?<![\\p{L}\\p{N}_.])not\\s+(\\(|${PATH}(?=\\s*(?:$|&&|\\|\\||\\))))`);

function withoutMethods(source: string, { holderOf }: ForeignRules): string | undefined {
  let isUnclear = false;
  const text = source
    .replace(LENGTH, (part: string, path: string | undefined) => (path === undefined ? part : `size(${path})`))
    .replace(LEN, (part) => (part === 'len(' ? 'size(' : part))
    .replace(INCLUDES, (part: string, path: string | undefined, item: string) => {
      if (path === undefined) return part;
      const holder = holderOf(path);
      if (holder === undefined) isUnclear ||= part.includes('.includes(');
      return holder === 'text' ? `${path}.contains(${item})` : holder === 'list' ? `(${item} in ${path})` : part;
    })
    .replace(NOT_IN, (part: string, item: string | undefined, list: string) =>
      item === undefined ? part : `!(${item} in ${list})`,
    )
    .replace(NOT, (part: string, operand: string | undefined) => (operand === undefined ? part : `!${operand}`));
  return isUnclear ? undefined : text;
}
