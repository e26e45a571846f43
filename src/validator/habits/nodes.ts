/** The fields of a node in forms that other formats have, or that a model falls into. Each of them can mean one thing only. */
import { isRecord } from '../document/document.ts';
import { NODE_FIELDS } from '../document/shape.ts';
import { mendTypes } from './field-types.ts';
import { mendInputs, placeInput } from './inputs.ts';
import {
  drop,
  type Fields,
  flagIn,
  isBlank,
  isProse,
  type Mending,
  move,
  numberIn,
  rename,
  rewrite,
  saysNothing,
} from './mending.ts';
import { mendModel, placeModel } from './models.ts';

const FIELDS: ReadonlySet<string> = new Set(NODE_FIELDS);
/** Where `false` says that the field is not used. */
const NOT_USED: ReadonlySet<string> = new Set([
  ...['needs', 'each', 'repeat', 'wait', 'out', 'model', 'escalate', 'limits', 'onError', 'undo', 'thread'],
]);
/** An object or a list with nothing in it says nothing there; no `needs` and no `each` are lists that may be empty. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set(['needs', 'each']);
const NOT_EMPTY: ReadonlySet<string> = new Set(['in', ...[...NOT_USED].filter((field) => !MAY_BE_EMPTY.has(field))]);
/** Where a word such as "none" cannot be meant as a value. */
const NO_WORDS: ReadonlySet<string> = new Set([
  ...[...NOT_USED].filter((field) => field !== 'thread'),
  ...['when', 'sensitivity', 'cache', 'urgency'],
]);

export function mendNode(node: Fields, path: string, ids: ReadonlySet<string>, mending: Mending): void {
  mendUse(node, path, mending);
  for (const key of Object.keys(node)) {
    const value = node[key];
    if (key === 'id' || key === 'use') continue;
    if (!FIELDS.has(key)) placeField(node, key, path, mending);
    else if (isUnused(key, value, ids)) drop(node, key, path, 'it says nothing', mending);
  }
  mendLists(node, path, ids, mending);
  mendNested(node, path, mending);
  mendControl(node, path, ids, mending);
  mendModel(node, path, mending);
  mendInputs(node, path, mending);
  if (isRecord(node.out)) mendTypes(node.out, `${path}/out`, mending);
}

function isUnused(key: string, value: unknown, ids: ReadonlySet<string>): boolean {
  if (value === null) return true;
  if (typeof value === 'string') {
    const isWord = NO_WORDS.has(key) && !ids.has(value.trim()) && saysNothing(value);
    // Without `out`, an answer is a text.
    const isText = key === 'out' && /^\s*(?:string|text|str)\s*$/i.test(value);
    return isBlank(value) || isWord || isText;
  }
  if (value === false) return NOT_USED.has(key);
  if (value === true) return key === 'when' || key === 'wait';
  if (typeof value !== 'object') return false;
  return NOT_EMPTY.has(key) && Object.keys(value).length === 0 && !(key === 'in' && !Array.isArray(value));
}

/** `{ "use": "tool", "tool": "search" }`, and an object with the name in it. */
function mendUse(node: Fields, path: string, mending: Mending): void {
  const { use, tool, workflow } = node;
  if (isRecord(use)) {
    const [[kind, name] = [], another] = Object.entries(use);
    if (another === undefined && typeof name === 'string' && typeof kind === 'string')
      rewrite(node, 'use', kind === 'tool' || kind === 'workflow' ? `${kind}:${name}` : name, path, mending);
  }
  const kind = typeof use === 'string' ? use : node.type;
  const named = kind === 'tool' ? (tool ?? node.name) : kind === 'workflow' ? (workflow ?? node.name) : undefined;
  if (typeof named !== 'string' || typeof kind !== 'string' || named.trim() === '') return;
  const key =
    kind === 'tool' && named === tool ? 'tool' : kind === 'workflow' && named === workflow ? 'workflow' : 'name';
  if (key === 'name' && node.id === undefined) return;
  if (use === undefined) rename(node, 'type', 'use', path, mending);
  rewrite(node, 'use', named.startsWith(`${kind}:`) ? named : `${kind}:${named}`, path, mending);
  drop(node, key, path, 'it says what "use" says', mending);
}

const LIMITS: ReadonlyMap<string, string> = new Map([
  ...['retries', 'maxRetries', 'max_retries', 'retry', 'retry_count'].map(limit('retries')),
  ...['tokens', 'maxTokens', 'max_tokens', 'tokenLimit', 'token_limit'].map(limit('tokens')),
  ...['concurrency', 'maxConcurrency', 'max_concurrency', 'parallelism', 'max_parallel'].map(limit('concurrency')),
  ...['seconds', 'timeoutSeconds', 'timeout_seconds', 'maxSeconds', 'max_seconds'].map(limit('seconds')),
  ...['usd', 'maxUsd', 'max_usd', 'maxCost', 'max_cost', 'costLimit', 'cost_limit'].map(limit('usd')),
  ['attemptSeconds', 'attemptSeconds'],
  ['attempt_seconds', 'attemptSeconds'],
]);

function limit(field: string): (name: string) => readonly [string, string] {
  return (name) => [name, field];
}

/** A field that no node has: one of `in`, `limits` or `model` that stands too high, or words. */
function placeField(node: Fields, key: string, path: string, mending: Mending): void {
  const value = node[key];
  if (value === null || (typeof value === 'string' && value.trim() === '')) {
    drop(node, key, path, 'it is empty', mending);
    return;
  }
  if (placeInput(node, key, path, mending) || placeModel(node, key, path, mending)) return;
  const target = LIMITS.get(key);
  if (target !== undefined && (typeof value === 'number' || numberIn(value) !== undefined)) {
    if (move(node, key, 'limits', target, path, mending)) return;
  }
  if ((key === 'name' || key === 'key') && node.id === undefined) return;
  if (isProse(key, value)) drop(node, key, path, 'it is only told', mending);
}

// ---------------------------------------------------------------------------------------------------- lists

/** `"a"` and `"a, b"` for a list, and references for ids. */
function mendLists(node: Fields, path: string, ids: ReadonlySet<string>, mending: Mending): void {
  const { needs } = node;
  if (typeof needs === 'string') rewrite(node, 'needs', namesIn(needs, ids), path, mending);
  else if (Array.isArray(needs)) {
    const names = needs.flatMap((need) => namesIn(need, ids));
    if (names.length !== needs.length || names.some((name, index) => name !== needs[index]))
      rewrite(node, 'needs', names, path, mending);
  }
  const { escalate } = node;
  if (isRecord(escalate) && typeof escalate.to === 'string' && escalate.to.trim() !== '')
    rewrite(escalate, 'to', listed(escalate.to), `${path}/escalate`, mending);
}

const listed = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** The ids in what a node waits for; what is none stays as it is, and is reported. */
function namesIn(need: unknown, ids: ReadonlySet<string>): unknown[] {
  if (isRecord(need)) {
    const values = Object.values(need);
    return values.length === 1 && typeof values[0] === 'string' && ids.has(values[0]) ? values : [need];
  }
  if (typeof need !== 'string') return isBlank(need) ? [] : [need];
  if (ids.has(need)) return [need];
  if (need.trim() === '') return [];
  const names = need.split(/[\s,;]+/).filter((name) => name !== '');
  const known = names.map((name) => headOf(name));
  return known.every((name) => ids.has(name)) ? [...new Set(known)] : [need];
}

/** `{{a.text}}` and `$a` name node `a`. */
const headOf = (name: string): string =>
  /^(?:\{\{|\$)?([a-z][a-z0-9_]*)(?:[.[][^\s]*)?(?:\}\})?$/.exec(name)?.[1] ?? name;

// ---------------------------------------------------------------------------------------------------- fields of fields

const OBJECTS = ['limits', 'model', 'escalate', 'repeat', 'wait', 'onError', 'undo', 'thread'] as const;
const NUMBERS: ReadonlySet<string> = new Set([
  ...['usd', 'seconds', 'attemptSeconds', 'retries', 'concurrency', 'tokens', 'below', 'max', 'atLeast', 'last'],
]);
const FLAGS: ReadonlySet<string> = new Set(['strict', 'summarise', 'keep']);

function mendNested(node: Fields, path: string, mending: Mending): void {
  for (const key of OBJECTS) {
    const value = node[key];
    if (isRecord(value)) mendFields(key, value, `${path}/${key}`, mending);
    if (isRecord(value) && Object.keys(value).length === 0) drop(node, key, path, 'it says nothing', mending);
  }
  const finish = flagIn(node.finish);
  if (finish !== undefined) rewrite(node, 'finish', finish, path, mending);
  if (typeof node.cache === 'boolean') rewrite(node, 'cache', node.cache ? 'use' : 'skip', path, mending);
}

function mendFields(field: string, value: Fields, path: string, mending: Mending): void {
  for (const name of Object.keys(value)) {
    const known = field === 'limits' ? (LIMITS.get(name) ?? name) : name;
    if (field === 'onError' && name === 'value') continue;
    if (isBlank(value[name])) drop(value, name, path, 'it is empty', mending);
    else if (known !== name && !Object.hasOwn(value, known)) rename(value, name, known, path, mending);
    const number = NUMBERS.has(known) ? numberIn(value[known]) : undefined;
    const flag = FLAGS.has(known) ? flagIn(value[known]) : undefined;
    if (number !== undefined || flag !== undefined) rewrite(value, known, number ?? flag, path, mending);
    if (Object.hasOwn(value, name) && known === name && isProse(name, value[name]) && field !== 'model')
      drop(value, name, path, 'it is only told', mending);
  }
}

// ---------------------------------------------------------------------------------------------------- control

const ON_ERROR: ReadonlyMap<string, string> = new Map([
  ...['continue', 'ignore', 'skip', 'pass', 'proceed'].map((name) => [name, 'skip'] as const),
  ...['fail', 'stop', 'abort', 'throw', 'raise', 'halt', 'exit'].map((name) => [name, 'fail'] as const),
  ...['replan', 're-plan', 'plan again'].map((name) => [name, 'replan'] as const),
]);
const WAIT: ReadonlyMap<string, string> = new Map([
  ...['all', 'every', 'both'].map((name) => [name, 'all'] as const),
  ...['any', 'first', 'one', 'race'].map((name) => [name, 'any'] as const),
]);
const MAX_NAMES = [
  'times',
  'count',
  'n',
  'rounds',
  'iterations',
  'maxRounds',
  'max_rounds',
  'maxIterations',
  'max_iterations',
];

function mendControl(node: Fields, path: string, ids: ReadonlySet<string>, mending: Mending): void {
  mendRepeat(node, path, mending);
  mendWait(node, path, ids, mending);
  const { onError, each } = node;
  if (typeof onError === 'string') replaceWord(node, 'onError', ON_ERROR, path, mending);
  else if (isRecord(onError)) mendStandIn(node, onError, path, mending);
  if (isRecord(each)) {
    const [only, another] = Object.values(each);
    if (another === undefined && typeof only === 'string') rewrite(node, 'each', only, path, mending);
  }
}

function replaceWord(
  node: Fields,
  key: string,
  words: ReadonlyMap<string, string>,
  path: string,
  mending: Mending,
): void {
  const target = words.get(String(node[key]).trim().toLowerCase());
  if (target !== undefined && target !== node[key]) rewrite(node, key, target, path, mending);
}

/** `{ "action": "skip" }` for a word, and other names for the value that stands in. */
function mendStandIn(node: Fields, onError: Fields, path: string, mending: Mending): void {
  const [[name, value] = [], another] = Object.entries(onError);
  if (another !== undefined || name === undefined || name === 'value' || name === 'keep') return;
  if (name === 'default' || name === 'fallback') rename(onError, name, 'value', `${path}/onError`, mending);
  else if (
    typeof value === 'string' &&
    (name === 'action' || name === 'do' || name === 'strategy' || name === 'type')
  ) {
    const target = ON_ERROR.get(value.trim().toLowerCase());
    if (target !== undefined) rewrite(node, 'onError', target, path, mending);
  }
}

/** A number of rounds is a loop that nothing ends before. */
function mendRepeat(node: Fields, path: string, mending: Mending): void {
  const { repeat } = node;
  const times = typeof repeat === 'number' ? repeat : numberIn(repeat);
  if (times !== undefined) {
    if (times <= 1) drop(node, 'repeat', path, 'a node runs once anyway', mending);
    else rewrite(node, 'repeat', { until: 'false', max: times }, path, mending);
    return;
  }
  if (!isRecord(repeat)) return;
  const at = `${path}/repeat`;
  const name = repeat.max === undefined ? MAX_NAMES.find((known) => typeof repeat[known] === 'number') : undefined;
  if (name !== undefined) rename(repeat, name, 'max', at, mending);
  if (typeof repeat.until === 'boolean') rewrite(repeat, 'until', String(repeat.until), at, mending);
  if (repeat.until === undefined && typeof repeat.max === 'number' && Object.keys(repeat).length === 1)
    rewrite(node, 'repeat', { until: 'false', max: repeat.max }, path, mending);
}

function mendWait(node: Fields, path: string, ids: ReadonlySet<string>, mending: Mending): void {
  const { wait } = node;
  const count = typeof wait === 'number' ? wait : numberIn(wait);
  if (count !== undefined) rewrite(node, 'wait', { atLeast: count }, path, mending);
  else if (typeof wait === 'string' && ids.has(wait) && node.needs === undefined && !WAIT.has(wait)) {
    rename(node, 'wait', 'needs', path, mending);
    rewrite(node, 'needs', [wait], path, mending);
  } else if (typeof wait === 'string') replaceWord(node, 'wait', WAIT, path, mending);
  else if (Array.isArray(wait) && node.needs === undefined && wait.every((id) => typeof id === 'string' && ids.has(id)))
    rename(node, 'wait', 'needs', path, mending);
}
