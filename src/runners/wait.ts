/** `wait`: waits for a moment or an event. */
import type { Clock } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import { readMoment } from '../core/plan/moment.ts';
import { MOST_WAIT_SECONDS } from '../core/plan/steps.ts';
import { type NodeCall, type NodeRunner, SuspendRun, type WaitedFor } from '../core/run/engine.ts';
import { isShorthand, refuseUnsafeSchema, toJsonSchema } from '../kit/json/json-schema.ts';
import { isPlainObject } from '../language/shorthand.ts';
import { beginningOf, shownJson } from '../language/shown.ts';
import { dateAt } from '../system/clock.ts';

const LONGEST_NAME = 200;

/**
 * Its inputs: one of `seconds`, `until` (ISO 8601 with a time zone) and `event` (a name). With an event, `match` has fields that its
 * payload has to have, and `schema` says what the payload is. It gives `{ at, payload? }` once the engine says that this has come.
 *
 * @throws invalid-request when they do not say what to wait for
 */
export function waitRunner(clock: Pick<Clock, 'now'>): NodeRunner {
  return async (call) => {
    if (call.answer !== undefined) return { value: call.answer.value, costNanoUsd: 0 };
    const wait = waitedFor(call, clock.now());
    throw new SuspendRun({ question: inWords(wait), wait });
  };
}

const inWords = (wait: WaitedFor): string =>
  'until' in wait
    ? `Waits until ${dateAt(wait.until).toISOString()}.`
    : `Waits for the event ${beginningOf(wait.event, LONGEST_NAME)}.`;

function waitedFor({ node, inputs }: NodeCall, now: number): WaitedFor {
  const { seconds, until, event, match, schema } = withoutNulls(inputs);
  const given = [seconds, until, event].filter((value) => value !== undefined);
  if (given.length !== 1) throw invalid(node.id, 'has to wait for exactly one of "seconds", "until" and "event"');
  if (seconds !== undefined) return { until: now + millisecondsOf(node.id, seconds) };
  if (until !== undefined) return { until: momentOf(node.id, until) };
  if (typeof event !== 'string' || event === '' || event.length > LONGEST_NAME) {
    throw invalid(
      node.id,
      `cannot wait for the event ${shownJson(event)}: set "event" to a name of 1 to ${LONGEST_NAME} characters`,
    );
  }
  if (match !== undefined && !isPlainObject(match)) {
    throw invalid(node.id, `cannot match ${shownJson(match)}: set "match" to an object of fields and their values`);
  }
  return {
    event,
    ...(match === undefined ? {} : { match }),
    ...(schema === undefined ? {} : { schema: schemaOf(node.id, schema) }),
  };
}

/** A missing value of a reference is null. */
const withoutNulls = (inputs: NodeCall['inputs']): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null));

function millisecondsOf(nodeId: string, seconds: unknown): number {
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= MOST_WAIT_SECONDS) return Math.ceil(seconds * 1000);
  throw invalid(
    nodeId,
    `cannot wait ${shownJson(seconds)} seconds: set "seconds" to a number from 0 to ${MOST_WAIT_SECONDS}`,
  );
}

function momentOf(nodeId: string, until: unknown): number {
  const moment = typeof until === 'string' ? readMoment(until) : undefined;
  if (moment !== undefined) return moment;
  const rule = 'set "until" to a time such as 2026-03-31T09:00:00Z, with its time zone';
  throw invalid(nodeId, `cannot wait until ${shownJson(until)}: ${rule}`);
}

function schemaOf(nodeId: string, schema: unknown): JsonSchema {
  if (!isPlainObject(schema)) {
    throw invalid(
      nodeId,
      `has ${shownJson(schema)} as the schema of the payload: give names with types, or a JSON Schema`,
    );
  }
  try {
    const json = toJsonSchema(schema);
    const [refused] = refuseUnsafeSchema(json);
    // Who sends an event says more than one plan reads.
    if (refused === undefined) return isShorthand(schema) ? opened(json) : json;
    throw invalid(nodeId, `has a schema of the payload that cannot be used: ${refused.message}`);
  } catch (error) {
    if (error instanceof PolyphonyError) throw error;
    throw invalid(nodeId, `has a schema of the payload that is none: ${String(error).slice(0, 300)}`);
  }
}

/** The schema of a shorthand with any further fields. */
function opened({ additionalProperties, ...schema }: JsonSchema): JsonSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(additionalProperties === undefined || additionalProperties === false ? {} : { additionalProperties }),
    ...(isPlainObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, openedPart(of)])) }
      : {}),
    ...(items === undefined ? {} : { items: openedPart(items) }),
  };
}

const openedPart = (part: unknown): unknown => (isPlainObject(part) ? opened(part as JsonSchema) : part);

const invalid = (nodeId: string, message: string): PolyphonyError =>
  new PolyphonyError('invalid-request', `Node ${nodeId} ${message}${message.endsWith('.') ? '' : '.'}`);
