/** Checks that the input of a run matches the schema that its plan declares. */
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import type { Plan } from '../core/plan/plan.ts';
import { dropOptionalNulls, type JsonIssue, toJsonSchema, validateJson } from '../kit/json/json-schema.ts';
import { isPlainObject } from '../language/shorthand.ts';
import { shownJson, shownText } from '../language/shown.ts';
import { nearest } from '../language/suggest.ts';

type Input = Readonly<Record<string, unknown>>;

const MOST_NAMED = 20;

/** Where an input goes, in the words of an error. */
interface Place {
  /** @default "The input" */
  readonly input?: string;
  /** @default "the plan" */
  readonly taker?: string;
}

/**
 * For a plan or a workflow that the caller chose.
 *
 * @throws invalid-request naming each field that is missing, wrong or not declared, with the nearest name
 */
export function checkedInput(plan: Pick<Plan, 'input'>, input: Input | undefined): Input {
  const given = input ?? {};
  if (plan.input !== undefined) return checkedRequestInput(plan, given);
  const names = Object.keys(given).filter((name) => given[name] !== undefined);
  if (names.length === 0) return given;
  const list = names
    .slice(0, MOST_NAMED)
    .map((name) => shownText(name))
    .join(', ');
  throw new PolyphonyError(
    'invalid-request',
    `The plan takes no input, but ${list} ${names.length === 1 ? 'was' : 'were'} given: leave it out, or declare it in "input" of the plan.`,
  );
}

/**
 * For a plan that was written for a request: it may leave the input unused.
 *
 * @throws as `checkedInput`
 */
export function checkedRequestInput(plan: Pick<Plan, 'input'>, input: Input | undefined, place: Place = {}): Input {
  const given = input ?? {};
  if (plan.input === undefined) return given;
  const schema = toJsonSchema(plan.input);
  const checked = validateJson(schema, given, { trusted: false });
  if (checked.ok) return given;
  const { input: what = 'The input', taker = 'the plan' } = place;
  const [first = '', ...rest] = taker;
  throw new PolyphonyError(
    'invalid-request',
    `${what} does not match what ${taker} declares: ${issuesOf(checked.issues, schema, given)}. ${first.toUpperCase()}${rest.join('')} takes ${shownJson(plan.input, 1000)}.`,
  );
}

/**
 * For the input of a nested run, which is rendered from references: a reference to something that is absent gives null, so null
 * for an optional field counts as absent.
 *
 * @throws as `checkedInput`
 */
export function checkNestedInput(plan: Pick<Plan, 'input'>, input: Input, node: { id: string; use: string }): void {
  if (plan.input === undefined) return;
  const given = dropOptionalNulls(toJsonSchema(plan.input), input) as Input;
  checkedRequestInput(plan, given, { input: `The input of node ${node.id}`, taker: `"${node.use}"` });
}

function issuesOf(issues: readonly JsonIssue[], schema: JsonSchema, given: Input): string {
  const known = isPlainObject(schema.properties) ? Object.keys(schema.properties) : [];
  const unknown =
    schema.additionalProperties === false ? Object.keys(given).filter((name) => !known.includes(name)) : [];
  const others = issues.filter(({ path, message }) => path !== '' || !message.includes('additional properties'));
  return [
    ...others.map(({ path, message }) => `${path === '' ? 'it' : path} ${message}${gotAt(given, path)}`),
    ...unknown.slice(0, MOST_NAMED).map((name) => unknownName(name, known)),
  ].join('; ');
}

function unknownName(name: string, known: readonly string[]): string {
  const [near] = nearest(name, known);
  return `${shownText(name)} is not declared${near === undefined ? '' : ` (did you mean ${shownText(near)}?)`}`;
}

/** What a field is, where its JSON would not tell. The values of a caller stay out of messages. */
function gotAt(given: Input, path: string): string {
  const [, name = '', ...deeper] = path.split('/');
  const value = deeper.length > 0 || !Object.hasOwn(given, name) ? undefined : given[name];
  if (typeof value === 'bigint') return ', not a BigInt';
  if (typeof value === 'number' && !Number.isFinite(value)) return `, not ${value}`;
  return value instanceof Date ? ', not a Date' : '';
}
