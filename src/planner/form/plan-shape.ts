/**
 * The schema of what a planner writes, in two shapes.
 *
 * - `closed`, for decoders that enforce it: every object lists its fields and requires all of them. Maps from names are lists of
 *   `{name, value}`, an object inside a value is `{fields: [{name, value}]}`, and what may be left out is such a pair in `more`, so
 *   that nothing has to be written as null. Every provider sends the schema with each request, so inner fields that the prompt
 *   explains are pairs too.
 * - `open`, for the arguments of a tool: the plan as the prompt shows it.
 *
 * What stands before the nodes comes first, so that a node can start while those after it are written.
 */
import type { JsonSchema } from '../../core/model/model.ts';
import { SENSITIVITIES, TIERS } from '../../core/model/request.ts';

export type Shape = 'closed' | 'open';
/** A whole plan, or the nodes that a repair replaces. */
export type Wanted = 'plan' | 'nodes';

/** More names would make the schema longer than the prompt. */
const MOST_USES = 64;

type Fields = Readonly<Record<string, JsonSchema>>;

const text: JsonSchema = { type: 'string' };
const flag: JsonSchema = { type: 'boolean' };
const number: JsonSchema = { type: 'number' };
const integer: JsonSchema = { type: 'integer' };
const node: JsonSchema = { $ref: '#/$defs/node' };
const oneOf = (...values: string[]): JsonSchema => ({ type: 'string', enum: values });
const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
const either = (...anyOf: JsonSchema[]): JsonSchema => ({ anyOf });
const whole = (properties: Fields): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** @param uses steps and tools that can be named: the closed shape lists up to 64 */
export function planShape(shape: Shape, wanted: Wanted, uses: readonly string[]): JsonSchema {
  if (shape === 'open') return openShape(wanted);
  // A workflow of the plan itself has no name yet.
  const use = uses.length > MOST_USES ? text : either(oneOf(...uses), whole({ workflow: text }));
  return closedShape(wanted, use);
}

const VALUE: JsonSchema = { $ref: '#/$defs/value' };
const PAIRS: JsonSchema = { $ref: '#/$defs/pairs' };
const pairsOf = (value: JsonSchema): JsonSchema => list(whole({ name: text, value }));
/** A scalar, or a list or an object of what is one level deeper. */
const deeper = (inner: JsonSchema): JsonSchema =>
  either({ $ref: '#/$defs/scalar' }, list(inner), whole({ fields: pairsOf(inner) }));

/** Two levels, because not every provider takes a schema that leads back to itself. */
const VALUES: Fields = {
  scalar: { type: ['string', 'number', 'boolean', 'null'] },
  inner: deeper({ $ref: '#/$defs/scalar' }),
  value: deeper({ $ref: '#/$defs/inner' }),
  pairs: { ...pairsOf(VALUE), description: 'an object: a pair for each field' },
};

/** Fields that may be left out, by what they hold. */
const more = (...kinds: readonly (readonly [names: readonly string[], value: JsonSchema])[]): JsonSchema => ({
  ...list(either(...kinds.map(([names, value]) => whole({ name: oneOf(...names), value })))),
  description: 'the other fields',
});

function closedShape(wanted: Wanted, use: JsonSchema): JsonSchema {
  const $defs: Fields = { ...VALUES, node: whole({ id: text, use, in: PAIRS, more: CLOSED_MORE }) };
  if (wanted === 'nodes') return { ...whole({ replace: list(node), more: more([['output'], VALUE]) }), $defs };
  const head = [['input', 'budget'], PAIRS] as const;
  const body: Fields = { nodes: list(node), output: VALUE };
  const workflow = whole({ name: text, more: more(head), ...body });
  const root = more(head, [['workflows'], list(workflow)], [['failFast'], flag]);
  return { ...whole({ goal: text, more: root, ...body }), $defs };
}

const CLOSED_MORE = more(
  [['when', 'each', 'wait', 'onError', 'thread', 'undo', 'session', 'sensitivity', 'cache', 'urgency'], text],
  [['out', 'model', 'limits', 'repeat', 'escalate', 'wait', 'onError', 'thread', 'undo'], PAIRS],
  [['needs'], list(text)],
  [['finish'], flag],
);

const some = (properties: Fields, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const MAP: JsonSchema = { type: 'object' };

function openShape(wanted: Wanted): JsonSchema {
  const $defs: Fields = { node: some({ id: text, use: text, in: MAP, ...OPEN_MORE }, ['id', 'use', 'in']) };
  if (wanted === 'nodes') return { ...some({ replace: list(node), output: {} }, ['replace']), $defs };
  const head: Fields = { goal: text, input: MAP, budget: some({ usd: number, seconds: number }) };
  const body: Fields = { nodes: list(node), output: {} };
  const names = ['nodes', 'output'];
  const workflows = { type: 'object', additionalProperties: some({ ...head, ...body }, names) };
  return { ...some({ ...head, workflows, failFast: flag, ...body }, names), $defs };
}

const OPEN_MORE: Fields = {
  out: MAP,
  model: some({ tier: oneOf(...TIERS), strengths: list(text), can: list(text), id: text }),
  needs: list(text),
  when: text,
  each: text,
  repeat: some({ until: text, max: integer }, ['until', 'max']),
  wait: either(oneOf('all', 'any'), some({ atLeast: integer }, ['atLeast'])),
  escalate: some({ evaluator: text, below: number, to: list(text) }, ['evaluator', 'to']),
  limits: some({ usd: number, seconds: number, concurrency: integer }),
  onError: either(oneOf('fail', 'skip', 'replan'), MAP),
  finish: flag,
  thread: either(text, MAP),
  undo: either(text, MAP),
  session: text,
  sensitivity: oneOf(...SENSITIVITIES),
  cache: oneOf('use', 'skip', 'refresh'),
  urgency: oneOf('batch'),
};
