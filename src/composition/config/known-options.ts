/** Options of a caller: one that is not known may be a store or a limit that is misspelt, so it is refused. */
import { type KnownFields, shown, unknownField } from '../../core/checked-options.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { nearest } from '../../language/suggest.ts';
import { isUnfinished, isWorkflow, unfinished } from '../../workflow/built.ts';

/** @throws invalid-config naming the first unknown option, and the nearest one */
export function assertKnownOptions<T extends object>(what: string, options: T, known: KnownFields<T>): void {
  for (const name in options) {
    if (Object.hasOwn(known, name) || options[name] === undefined) continue;
    const { message } = unknownField(what, name, Object.keys(known), nearest);
    throw new PolyphonyError('invalid-config', message);
  }
}

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
