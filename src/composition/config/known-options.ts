/** Options of a caller: one that is not known may be a store or a limit that is misspelt, so it is refused. */
import {
  assertKnownFields,
  BOOLEAN,
  CALLBACK,
  isFields,
  type KnownFields,
  objectWith,
  shown,
  type ValueRule,
} from '../../core/checked-options.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';
import { isUnfinished, isWorkflow, unfinished } from '../../workflow/built.ts';

/** @throws invalid-config naming the first option that is unknown, or cannot have its value */
export function assertKnownOptions<T extends object>(what: string, options: T, known: KnownFields<T>): void {
  assertKnownFields(what, options, known, nearest, 'invalid-config');
}

const hasParts =
  (...names: readonly string[]) =>
  (value: unknown): boolean =>
    isFields(value) && names.every((name) => isFields(value[name]));

/** What the parts that a program brings must be able to do. One that cannot would fail later, at the first call that needs it. */
export const PART_RULES = {
  defaults: BOOLEAN,
  environment: BOOLEAN,
  engine: CALLBACK,
  logger: objectWith('a logger', 'debug', 'info', 'warn', 'error'),
  stores: {
    fits: hasParts('journal', 'ledger', 'keyValue'),
    must: 'stores with journal, ledger and keyValue, such as those of memoryStores()',
  },
  runtime: { fits: hasParts('clock'), must: 'a runtime with clock, random and ids' },
  transport: objectWith('a transport', 'request', 'close'),
} satisfies Readonly<Record<string, ValueRule>>;

interface Lists {
  readonly providers?: unknown;
  readonly plugins?: unknown;
  readonly workflows?: unknown;
}

/** A plan that others may use by its id; what it says is checked when it is used. */
const isNamedPlan = (candidate: unknown): boolean =>
  typeof candidate === 'object' && candidate !== null && 'nodes' in candidate && 'id' in candidate;

/** @throws invalid-config naming the option that is no list, or the entry of `workflows` that is no workflow */
export function assertLists(options: Lists): void {
  for (const name of ['providers', 'plugins', 'workflows'] as const) {
    const given = options[name];
    if (given === undefined || Array.isArray(given)) continue;
    throw new PolyphonyError('invalid-config', `${name} of createPolyphony cannot be ${shown(given)}: give a list.`);
  }
  const workflows = (options.workflows ?? []) as readonly unknown[];
  for (const [index, one] of workflows.entries()) {
    if (isWorkflow(one) || isNamedPlan(one)) continue;
    const place = `workflows[${index}] of createPolyphony`;
    if (typeof one === 'object' && one !== null && isUnfinished(one)) throw unfinished(place, 'invalid-config');
    const message = `${place} cannot be ${shown(one)}: give what workflow(…) … .output(…) returns, or a plan with an id.`;
    throw new PolyphonyError('invalid-config', message);
  }
}
