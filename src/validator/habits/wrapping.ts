/** The plan inside other objects or lists, and its own fields under other names. */
import { isRecord } from '../document/document.ts';
import {
  drop,
  type Fields,
  flagIn,
  isBlank,
  isProse,
  type Mending,
  numberIn,
  rename,
  rewrite,
  tell,
} from './mending.ts';

const DEEPEST = 4;
const LIST_NAMES = ['nodes', 'steps', 'tasks', 'actions', 'stages', 'plan', 'workflow', 'graph'] as const;
const OUTPUT_NAMES = [
  'outputs',
  'result',
  'results',
  'returns',
  'return',
  'final',
  'final_output',
  'finalOutput',
  'answer',
];
const INPUT_NAMES = ['inputs', 'parameters', 'params', 'args'];
const GOAL_NAMES = ['objective', 'task', 'request'];
const USD_NAMES = ['maxUsd', 'max_usd', 'cost', 'maxCost', 'max_cost', 'dollars', 'amount'];
const SECONDS_NAMES = ['maxSeconds', 'max_seconds', 'timeoutSeconds', 'timeout_seconds'];

/** Anything that could be a node: an object, or one by its id. */
const areNodes = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.length > 0 && value.every((node) => isRecord(node) && hasStep(node))
    : isRecord(value) &&
      Object.values(value).length > 0 &&
      Object.values(value).every((node) => isRecord(node) && hasStep(node));

const STEP_NAMES = ['use', 'uses', 'tool', 'type', 'action', 'step', 'kind'] as const;
const hasStep = (node: Fields): boolean =>
  STEP_NAMES.some((name) => typeof node[name] === 'string' || isRecord(node[name]));

const listOf = (value: Fields): string | undefined => LIST_NAMES.find((name) => areNodes(value[name]));
const looksLikePlan = (value: unknown): value is Fields => isRecord(value) && listOf(value) !== undefined;

/**
 * The plan within the document: the document itself, the only plan among the values of an object or of a list of one, or a list
 * of nodes as a plan. Two plans are two meanings.
 */
export function unwrapped(document: unknown, mending: Mending, depth = 0): unknown {
  if (depth > DEEPEST || looksLikePlan(document)) return document;
  if (Array.isArray(document)) {
    const [only] = document;
    if (document.length === 1 && !areNodes(document))
      return told(document, unwrapped(only, mending, depth + 1), mending);
    return areNodes(document) ? told(document, { version: 1, nodes: document }, mending) : document;
  }
  if (!isRecord(document) || Array.isArray(document.nodes)) return document;
  const inside = Object.entries(document).flatMap(([key, value]) => {
    const plan =
      key === 'workflows' || typeof value !== 'object'
        ? undefined
        : unwrapped(value, { ...mending, repaired: [] }, depth + 1);
    return looksLikePlan(plan) ? [plan] : [];
  });
  const [plan, another] = inside;
  return plan === undefined || another !== undefined ? document : told(document, plan, mending);
}

function told(from: unknown, plan: unknown, mending: Mending): unknown {
  const isFound = looksLikePlan(plan) && plan !== from;
  if (isFound) tell(mending, 'plan.unwrapped', '', 'The plan was taken out of the object or list around it.');
  return isFound || looksLikePlan(plan) ? plan : from;
}

/** The fields of a plan, or of a workflow within one. */
export function mendPlan(plan: Fields, path: string, mending: Mending): void {
  const list = listOf(plan);
  if (!Object.hasOwn(plan, 'nodes') && list !== undefined) rename(plan, list, 'nodes', path, mending);
  if (isRecord(plan.nodes) && areNodes(plan.nodes)) listNodes(plan, plan.nodes, path, mending);
  renameFirst(plan, OUTPUT_NAMES, 'output', path, mending);
  renameFirst(plan, INPUT_NAMES, 'input', path, mending);
  renameFirst(plan, GOAL_NAMES, 'goal', path, mending);
  for (const key of Object.keys(plan)) {
    const value = plan[key];
    if (key === 'nodes' || key === 'version') continue;
    if (isBlank(value) && key !== 'goal') drop(plan, key, path, 'it is empty', mending);
    else if (!PLAN_FIELDS.has(key) && isProse(key, value)) drop(plan, key, path, 'it is only told', mending);
    else if (FIELDS_OF_OBJECTS.has(key) && (value === false || (Array.isArray(value) && value.length === 0)))
      drop(plan, key, path, 'it is empty', mending);
  }
  if (plan.goal === null) drop(plan, 'goal', path, 'it is empty', mending);
  if (typeof plan.id === 'number') rewrite(plan, 'id', String(plan.id), path, mending);
  const failFast = flagIn(plan.failFast);
  if (failFast !== undefined) rewrite(plan, 'failFast', failFast, path, mending);
  mendBudget(plan, path, mending);
}

const PLAN_FIELDS: ReadonlySet<string> = new Set([
  ...['version', 'id', 'goal', 'input', 'budget', 'nodes', 'output', 'failFast', 'workflows'],
]);
const FIELDS_OF_OBJECTS: ReadonlySet<string> = new Set(['input', 'budget', 'workflows']);

const VERSION = /^\s*v?1(?:\.0){0,2}\s*$/i;

/** There is only one version yet. */
export function mendVersion(plan: Fields, mending: Mending): void {
  const { version } = plan;
  if (version === 1) return;
  if (version === undefined || version === null || version === '') {
    plan.version = 1;
    tell(mending, 'field.added', '/version', 'The version of the format was added.');
  } else if (typeof version === 'string' && VERSION.test(version)) rewrite(plan, 'version', 1, '', mending);
}

function renameFirst(plan: Fields, names: readonly string[], to: string, path: string, mending: Mending): void {
  if (plan[to] !== undefined && plan[to] !== null) return;
  const found = names.filter((name) => plan[name] !== undefined && plan[name] !== null);
  const [name] = found;
  if (name === undefined || found.length > 1) return;
  delete plan[to];
  rename(plan, name, to, path, mending);
}

/** `{ "a": { "use": … } }` for a list of nodes with ids. */
function listNodes(plan: Fields, nodes: Fields, path: string, mending: Mending): void {
  plan.nodes = Object.entries(nodes).map(([id, node]) => ({ id, ...(isRecord(node) ? node : {}) }));
  tell(mending, 'value.rewritten', `${path}/nodes`, 'The nodes were written as a list, each with its name as its id.');
}

function mendBudget(plan: Fields, path: string, mending: Mending): void {
  const { budget } = plan;
  const usd = typeof budget === 'number' ? budget : numberIn(budget);
  if (usd !== undefined) rewrite(plan, 'budget', { usd }, path, mending);
  if (!isRecord(budget)) return;
  const at = `${path}/budget`;
  renameFirst(budget, USD_NAMES, 'usd', at, mending);
  renameFirst(budget, SECONDS_NAMES, 'seconds', at, mending);
  for (const key of Object.keys(budget)) {
    const number = numberIn(budget[key]);
    if (isBlank(budget[key])) drop(budget, key, at, 'it is empty', mending);
    else if (number !== undefined) rewrite(budget, key, number, at, mending);
  }
}
