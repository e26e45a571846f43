/**
 * A fast check of the shape of a plan, in a tenth of the time that the schema takes. Only `true` counts: the schema checks
 * everything else again and writes the messages. A property test keeps the two in agreement.
 */
import { CAPABILITIES, SENSITIVITIES, TIERS } from '../../core/model/model.ts';
import { isUsd } from '../../core/money/money.ts';
import { NODE_ID, type Plan, WORKFLOW_NAME } from '../../core/plan/plan.ts';
import { MOST_WAIT_SECONDS } from '../../core/plan/steps.ts';
import { isRecord } from './document.ts';

type Check = (value: unknown) => boolean;

const text =
  (most: number, least = 0): Check =>
  (value) =>
    typeof value === 'string' && value.length <= most && value.length >= least;
const oneOf = (values: readonly string[]): Check => {
  const known: ReadonlySet<unknown> = new Set(values);
  return (value) => known.has(value);
};
const number =
  (least: number, most: number): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most;
const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value) =>
    Number.isSafeInteger(value) && number(least, most)(value);
const time: Check = (value) => typeof value === 'number' && value > 0 && value <= MOST_WAIT_SECONDS;
const list =
  (item: Check, most: number, least = 0): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.length >= least && value.every(item);
const flag: Check = (value) => typeof value === 'boolean';
const anything: Check = () => true;

/** An object with only these fields, and with all that are required. */
function shape(fields: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  const checks = new Map(Object.entries(fields));
  return (value) => {
    if (!isRecord(value)) return false;
    for (const key in value) {
      const check = checks.get(key);
      if (check === undefined || !check(value[key])) return false;
    }
    for (const key of required) if (value[key] === undefined) return false;
    return true;
  };
}

const either =
  (first: Check, second: Check): Check =>
  (value) =>
    first(value) || second(value);

/** A reference or an expression as a whole. */
const isByData: Check = (value) =>
  typeof value === 'string' &&
  value.length >= 4 &&
  value.length <= 2000 &&
  value.startsWith('{{') &&
  value.endsWith('}}');

const isNode = shape(
  {
    id: (value) => typeof value === 'string' && NODE_ID.test(value),
    use: text(120, 1),
    in: isRecord,
    needs: list(text(Number.MAX_SAFE_INTEGER), 256),
    when: text(2000),
    each: text(2000),
    repeat: shape({ until: text(2000), max: integer(1) }, ['until', 'max']),
    wait: either(oneOf(['all', 'any']), shape({ atLeast: integer(1) }, ['atLeast'])),
    out: isRecord,
    model: shape({
      id: either(text(200, 1), isByData),
      tier: either(oneOf(TIERS), isByData),
      strict: flag,
      can: list(oneOf(CAPABILITIES), CAPABILITIES.length),
      strengths: list(text(40), 20),
      route: either(text(100, 1), isByData),
    }),
    escalate: shape(
      {
        evaluator: text(100, 1),
        below: number(0, 1),
        to: list(text(200, 1), 8, 1),
        context: oneOf(['fresh', 'with-draft']),
      },
      ['evaluator', 'to'],
    ),
    limits: shape({
      usd: isUsd,
      seconds: time,
      attemptSeconds: time,
      retries: integer(0, 10),
      concurrency: integer(1, 1000),
      tokens: integer(1),
    }),
    onError: either(
      oneOf(['fail', 'skip', 'replan']),
      either(shape({ value: anything }, ['value']), shape({ keep: (value) => value === true }, ['keep'])),
    ),
    finish: flag,
    undo: either(text(120, 1), shape({ use: text(120, 1), in: isRecord }, ['use'])),
    session: text(500),
    thread: either(
      text(500, 1),
      shape({ key: text(500, 1), last: integer(2, 200), tokens: integer(1, 1_000_000), summarise: flag }, ['key']),
    ),
    sensitivity: oneOf(SENSITIVITIES),
    cache: oneOf(['use', 'skip', 'refresh']),
    urgency: oneOf(['batch']),
  },
  ['id', 'use'],
);

const WORKFLOW_FIELDS = {
  goal: text(10_000),
  input: isRecord,
  budget: shape({ usd: isUsd, seconds: time }),
  nodes: list(isNode, Number.MAX_SAFE_INTEGER, 1),
  output: anything,
};
const isPlanWorkflow = shape(WORKFLOW_FIELDS, ['nodes']);

const arePlanWorkflows: Check = (value) => {
  if (!isRecord(value)) return false;
  for (const name in value) if (!WORKFLOW_NAME.test(name) || !isPlanWorkflow(value[name])) return false;
  return true;
};

const isPlan = shape(
  {
    ...WORKFLOW_FIELDS,
    version: (value) => value === 1,
    id: text(120),
    failFast: flag,
    workflows: arePlanWorkflows,
  },
  ['version', 'nodes'],
);

/** The document must be our own copy of plain JSON, without getters or proxies. */
export const hasPlanShape = (document: unknown): document is Plan => isPlan(document);
