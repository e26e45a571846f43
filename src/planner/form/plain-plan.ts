/**
 * A plan in the closed shape becomes one as the format has it: lists of pairs become objects, the pairs of `more` become
 * fields, and fields that are null are left out. What has the form of the format already stays as it is, so that a decoder that
 * does not enforce the shape is read too.
 */
import type { Shape } from './plan-shape.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The shape has three levels; who writes more ignores it. */
const MOST_LEVELS = 40;

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Any document: a plan, nodes that replace others, or what is neither. */
export function plainPlan(document: unknown, shape: Shape): unknown {
  if (!isRecord(document)) return document;
  const plan = plainPart(document, shape);
  const isWhole = Array.isArray(plan.nodes) && !Object.hasOwn(plan, 'version');
  return isWhole ? { version: 1, ...plan } : plan;
}

/** One member of a plan while it is written: the members that it stands for, by name. */
export const plainMembers = (key: string, value: unknown, shape: Shape): Fields =>
  plainPart(Object.fromEntries([[key, value]]), shape);

/** A plan, a workflow, or what a repair replaces. */
function plainPart(part: Fields, shape: Shape): Fields {
  return changed(flat(part), (name, value) => {
    if (name === 'nodes' || name === 'replace')
      return Array.isArray(value) ? value.map((node: unknown) => plainNode(node, shape)) : value;
    if (name === 'input') return plainMap(value, shape);
    if (name === 'budget') return plainFields(value, shape);
    if (name === 'output') return plainValue(value, shape);
    return name === 'workflows' ? plainWorkflows(value, shape) : value;
  });
}

function plainWorkflows(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) {
    if (value.length === 0) return null;
    const named = value.map((one: unknown) => (isRecord(one) ? one : {}));
    if (!areNames(named.map(({ name }) => name))) return value;
    return Object.fromEntries(named.map(({ name, ...workflow }) => [name, plainPart(workflow, shape)]));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, isRecord(inner) ? plainPart(inner, shape) : inner]),
  );
}

export function plainNode(node: unknown, shape: Shape): unknown {
  if (!isRecord(node)) return node;
  return changed(flat(node), (name, value) => {
    switch (name) {
      case 'use':
        return isRecord(value) && typeof value.workflow === 'string' ? `workflow:${value.workflow}` : value;
      case 'in':
      case 'out':
        return plainMap(value, shape);
      case 'model':
      case 'limits':
      case 'escalate':
      case 'thread':
      case 'repeat':
      case 'wait':
        return plainFields(value, shape);
      case 'undo':
        return plainUndo(plainFields(value, shape), shape);
      case 'onError':
        // Null is a value that a node may end with.
        return plainMap(value, shape);
      default:
        return value;
    }
  });
}

const plainUndo = (undo: unknown, shape: Shape): unknown =>
  isRecord(undo) && Array.isArray(undo.in) ? { ...undo, in: plainMap(undo.in, shape) } : undo;

/** The fields that are not null, each as `change` has it. */
function changed(fields: Fields, change: (name: string, value: unknown) => unknown): Fields {
  const kept = Object.entries(fields).flatMap(([name, value]) => {
    const plain = value === null ? null : change(name, value);
    return plain === null ? [] : [[name, plain] as const];
  });
  return Object.fromEntries(kept);
}

/** The fields of `more` in its place; what stands beside them counts before them. */
function flat(fields: Fields): Fields {
  const { more, ...beside } = fields;
  if (!Array.isArray(more) || !more.every(isPair) || !areNames(more.map(({ name }) => name))) return fields;
  const entries = Object.entries(fields).flatMap(([name, value]) =>
    name === 'more' ? more.map((pair) => [pair.name, pair.value] as const) : [[name, value] as const],
  );
  return Object.fromEntries([...entries, ...Object.entries(beside)]);
}

/** Fields with a meaning of their own, such as those of `model`. */
function plainFields(value: unknown, shape: Shape): unknown {
  const fields = plainMap(value, shape);
  return isRecord(fields) ? changed(fields, (_name, inner) => inner) : fields;
}

/** Null for a list without pairs. */
function plainMap(value: unknown, shape: Shape): unknown {
  if (Array.isArray(value)) return value.length === 0 ? null : (fromPairs(value, shape, 0) ?? value);
  return isRecord(value) ? plainValue(value, shape) : value;
}

interface Pair {
  readonly name: string;
  readonly value: unknown;
}

const isPair = (value: unknown): value is Pair =>
  isRecord(value) && typeof value.name === 'string' && Object.hasOwn(value, 'value') && Object.keys(value).length === 2;

const areNames = (names: readonly unknown[]): boolean =>
  names.every((name) => typeof name === 'string') && new Set(names).size === names.length;

/** Undefined for what are no pairs, and where two have one name: nobody knows which one is meant. */
function fromPairs(pairs: readonly unknown[], shape: Shape, level: number): Fields | undefined {
  if (!pairs.every(isPair) || !areNames(pairs.map(({ name }) => name))) return undefined;
  return Object.fromEntries(pairs.map(({ name, value }) => [name, plainValue(value, shape, level + 1)]));
}

/** Only in the closed shape, where an object can be nothing else, `{fields: pairs}` is an object. */
function plainValue(value: unknown, shape: Shape, level = 0): unknown {
  if (shape === 'open' || typeof value !== 'object' || value === null || level > MOST_LEVELS) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => plainValue(item, shape, level + 1));
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === 'fields' && Array.isArray(only[1])) {
    const object = fromPairs(only[1], shape, level + 1);
    if (object !== undefined) return object;
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, plainValue(inner, shape, level + 1)]));
}
