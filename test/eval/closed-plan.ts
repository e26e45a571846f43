/** A plan as a model writes it whose provider enforces the schema of plans: the other way round of what the planner reads. */
import type { Plan } from 'polyphony';

type Fields = Readonly<Record<string, unknown>>;
type Pair = { readonly name: string; readonly value: unknown };

const TYPED = new Set(['out', 'model', 'limits', 'repeat', 'escalate']);

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pairs = (fields: Fields): Pair[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value: closedValue(value) }));

function closedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closedValue);
  return isObject(value) ? { fields: pairs(value) } : value;
}

const closedField = (name: string, value: unknown): unknown =>
  TYPED.has(name) || isObject(value) ? pairs(value as Fields) : value;

/** @param own names of the workflows of the plan */
export function closedNode(
  { id, use, in: given = {}, ...rest }: Plan['nodes'][number],
  own: readonly string[] = [],
): Fields {
  const more = Object.entries(rest).map(([name, value]) => ({ name, value: closedField(name, value) }));
  const workflow = own.find((name) => use === `workflow:${name}`);
  return { id, use: workflow === undefined ? use : { workflow }, in: pairs(given), more };
}

export function closedPlan({ goal = '', nodes, output = null, workflows, ...head }: Plan): Fields {
  const { version: _version, id: _id, ...rest } = head;
  const names = Object.keys(workflows ?? {});
  const own = Object.entries(workflows ?? {}).map(
    ([name, { goal: _goal, nodes: inner, output: result, ...before }]) => ({
      name,
      more: Object.entries(before).map(([field, value]) => ({ name: field, value: closedField(field, value) })),
      nodes: inner.map((node) => closedNode(node, names)),
      output: closedValue(result ?? null),
    }),
  );
  const before = Object.entries(rest).map(([name, value]) => ({ name, value: closedField(name, value) }));
  const more = own.length === 0 ? before : [...before, { name: 'workflows', value: own }];
  return { goal, more, nodes: nodes.map((node) => closedNode(node, names)), output: closedValue(output) };
}
