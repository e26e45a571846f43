/**
 * Looks at records that come back from a file. A file may hold anything: damaged pages, edits by hand, rows of another
 * program. What passes here has the fields that every reader relies on; fields that only some readers need are theirs to check.
 */
import type { RunEvent } from '../core/run/engine.ts';
import type { LedgerRow } from '../core/stores.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** Undefined where the text is no JSON. */
export function parsedText(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number';
const isCost: Check = (value) => value === null || typeof value === 'number';
const isPlan: Check = (value) => isObject(value) && Array.isArray(value.nodes) && value.nodes.every(isObject);
const areRepairs: Check = (value) =>
  Array.isArray(value) && value.every((one) => isObject(one) && isText(one.path) && isText(one.message));
const isResult: Check = (value) => isObject(value) && isCost(value.costNanoUsd);
const isError: Check = (value) => isObject(value) && isText(value.code) && isText(value.message);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const NODE = { nodeId: isText, item: optional(isNumber), round: optional(isNumber) };
const TOTALS = { usage: isObject, costNanoUsd: isCost, ms: isNumber };

/** The fields of each type of event, beside those of all events. A type that this release does not know has none. */
const EVENT_FIELDS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  'run-started': {
    plan: isPlan,
    repaired: optional(areRepairs),
    paid: optional(isObject),
    parent: optional(isObject),
    approval: optional(isObject),
  },
  'plan-delta': { nodes: (value) => Array.isArray(value) && value.every(isObject) },
  'plan-answered': { costNanoUsd: isCost },
  'plan-revised': {
    plan: isPlan,
    repaired: optional(areRepairs),
    again: optional(Array.isArray),
    kept: optional(isObject),
  },
  'node-ready': NODE,
  'node-started': NODE,
  'node-escalated': NODE,
  'node-retried': NODE,
  'model-answered': { ...NODE, content: Array.isArray, costNanoUsd: isCost },
  'tool-call': { ...NODE, name: isText, index: isNumber, error: optional(isError) },
  'item-finished': { ...NODE, result: isResult },
  'round-finished': { ...NODE, result: isResult },
  'node-finished': { ...NODE, result: isResult },
  'node-skipped': NODE,
  'node-failed': { ...NODE, error: isError },
  'node-cancelled': NODE,
  'node-suspended': { ...NODE, question: isObject },
  answer: NODE,
  'undo-started': { reason: isText, error: optional(isError) },
  'node-undone': { ...NODE, use: isText, error: optional(isError), costNanoUsd: isCost },
  'run-finished': TOTALS,
  'run-failed': { ...TOTALS, error: isError },
  'run-cancelled': TOTALS,
};

function fits(record: Fields, fields: Readonly<Record<string, Check>>): boolean {
  for (const name in fields) if (fields[name]?.(record[name]) === false) return false;
  return true;
}

/** Whether the value is an event of this run. */
export function isStoredEvent(value: unknown, runId: string): value is RunEvent {
  if (!isObject(value) || value.runId !== runId || !isNumber(value.seq) || !isNumber(value.at)) return false;
  const { type } = value;
  return typeof type === 'string' && (!Object.hasOwn(EVENT_FIELDS, type) || fits(value, EVENT_FIELDS[type] ?? {}));
}

const isScope: Check = (value) => isObject(value) && isText(value.kind) && isText(value.id);
const isTarget: Check = (value) => isObject(value) && isText(value.provider) && isText(value.model);
const ROW_FIELDS: Readonly<Record<string, Check>> = {
  key: isText,
  target: isTarget,
  purpose: isText,
  outcome: isText,
  startedAt: isNumber,
  costNanoUsd: isCost,
  scopes: (value) => Array.isArray(value) && value.every(isScope),
};

export const isStoredRow = (value: unknown): value is LedgerRow => isObject(value) && fits(value, ROW_FIELDS);
