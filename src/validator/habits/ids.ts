/** Ids with capitals, hyphens or blanks, and ids that are missing: renamed with everything that refers to them. */
import { NODE_ID } from '../../core/plan/plan.ts';
import { isRecord } from '../document/document.ts';
import { shown } from '../document/report.ts';
import { type Fields, type Mending, tell } from './mending.ts';

const LONGEST_ID = 40;
/** With anything else in it, a name could not be told from what stands around it. */
const NAME = /^[\p{L}\p{N}_]+(?:[ -]+[\p{L}\p{N}_]+)*$/u;
const LONGEST_GIVEN = 200;

export function mendIds(plan: Fields, path: string, mending: Mending): void {
  if (!Array.isArray(plan.nodes)) return;
  const nodes = plan.nodes.filter(isRecord);
  const given = new Set(
    nodes.flatMap(({ id }) => (typeof id === 'string' || typeof id === 'number' ? [String(id)] : [])),
  );
  const names = new Map<string, string>();
  const taken = new Set([...given].filter((id) => NODE_ID.test(id)));
  nodes.forEach((node, index) => {
    const id = typeof node.id === 'number' ? String(node.id) : node.id;
    if (id === undefined || id === null || id === '') {
      if (node.use === undefined) return;
      node.id = freeId(`step_${index + 1}`, taken);
      taken.add(String(node.id));
      tell(mending, 'field.added', `${path}/nodes/${index}/id`, `The node was given the id "${String(node.id)}".`);
      return;
    }
    if (
      typeof id !== 'string' ||
      NODE_ID.test(id) ||
      id.length > LONGEST_GIVEN ||
      !NAME.test(id) ||
      isDifference(id, given)
    )
      return;
    const target = names.get(id) ?? freeId(spelt(id), taken);
    if (target === undefined) return;
    names.set(id, target);
    taken.add(target);
    node.id = target;
    const message = `Node ${shown(id)} was renamed to "${target}", because ids have only lower-case letters, digits and underscores.`;
    tell(mending, 'id.renamed', `${path}/nodes/${index}/id`, message);
  });
  if (names.size > 0) renameAll(plan, nodes, names);
}

/** `a-b` where nodes `a` and `b` exist may be a difference in a condition. */
const isDifference = (id: string, given: ReadonlySet<string>): boolean =>
  id.includes('-') && id.split('-').every((part) => given.has(part.trim()));

/** The words of the name in lower case, joined by underscores; undefined when it has none. */
function spelt(id: string): string | undefined {
  const words = id
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');
  if (words === '') return undefined;
  return (/^[a-z]/.test(words) ? words : `n${words}`).slice(0, LONGEST_ID);
}

function freeId(id: string, taken: ReadonlySet<string>): string;
function freeId(id: string | undefined, taken: ReadonlySet<string>): string | undefined;
function freeId(id: string | undefined, taken: ReadonlySet<string>): string | undefined {
  if (id === undefined || !taken.has(id)) return id;
  let count = 2;
  while (taken.has(`${id.slice(0, LONGEST_ID - 5)}_${count}`)) count += 1;
  return `${id.slice(0, LONGEST_ID - 5)}_${count}`;
}

type Names = ReadonlyMap<string, string>;

function renameAll(plan: Fields, nodes: readonly Fields[], names: Names): void {
  const inCode = replacerOf(names);
  const inText = (text: string): string =>
    text.includes('{') ? text.replace(REFERENCE, inCode) : PATH.test(text) ? inCode(text) : text;
  for (const node of nodes) {
    for (const [key, value] of Object.entries(node)) {
      if (key === 'id' || key === 'use' || key === 'out') continue;
      if (key === 'needs') node.needs = inNeeds(value, names);
      else node[key] = inValue(value, key === 'when' || key === 'repeat' ? inCode : inText);
    }
  }
  if (typeof plan.output === 'string' && names.has(plan.output.trim())) plan.output = inCode(plan.output);
  else if (plan.output !== undefined) plan.output = inValue(plan.output, inText);
}

function inNeeds(needs: unknown, names: Names): unknown {
  const nameOf = (id: unknown): unknown => names.get(String(id)) ?? id;
  return Array.isArray(needs) ? needs.map(nameOf) : nameOf(needs);
}

type Replace = (text: string) => string;

function inValue(value: unknown, replace: Replace): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => inValue(item, replace));
  if (!isRecord(value)) return value;
  for (const key of Object.keys(value)) value[key] = inValue(value[key], replace);
  return value;
}

const REFERENCE = /(?:\{\{|\$\{)[^{}]{0,2000}\}\}?/g;
/** A text that is nothing but a name and at least one field of it: one name alone is as likely a word. */
const PATH = /^\s*\$?[\p{L}\p{N}_ -]{1,200}(?:\.[\p{L}\p{N}_]{1,200}|\[[0-9]{1,9}\]){1,32}\s*$/u;
const TOKENS = /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?<![\p{L}\p{N}_.-])[\p{L}\p{N}_]+(?:[ -]+[\p{L}\p{N}_]+)*/gu;

/** Replaces names in references and conditions, but not in their texts. A name may have blanks and hyphens in it. */
const replacerOf =
  (names: Names): Replace =>
  (source) =>
    source.replace(TOKENS, (part) => names.get(part) ?? part);
