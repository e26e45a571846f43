/** Resolves references during a run. */
import type { NodeResult } from '../../core/run/engine.ts';
import type { TemplateScope } from '../../language/template.ts';
import { dateAt } from '../../system/clock.ts';
import type { RunState } from './run-state.ts';
import type { Task, Unit } from './task.ts';

/** The node that reads, and the unit of it where that is known. */
type Reader = Pick<Unit, 'task'> & Partial<Pick<Unit, 'item' | 'value' | 'round' | 'previous'>>;

/**
 * Heads of a node's templates: `input`, its item, index, round and previous round, `run`, and the outputs of nodes that ended;
 * null for skipped, cancelled and failed ones. `self` is the result of a `repeat` round.
 */
export function scopeOf(run: RunState, unit?: Reader, self?: Pick<NodeResult, 'output' | 'meta'>): TemplateScope {
  return (head, part) => {
    const task = isOwnName(head, unit) ? undefined : run.tasks.get(head);
    const result = task === undefined ? (head === 'self' ? self : undefined) : resultOf(task);
    if (part === 'meta') return hasOwnMeta(task ?? unit?.task, result?.output) ? undefined : result?.meta;
    if (task !== undefined) return result?.output ?? null;
    switch (head) {
      case 'input':
        return run.input;
      case 'item':
        return unit?.value;
      case 'index':
        return unit === undefined || unit.item === -1 ? undefined : unit.item;
      case 'round':
        return unit?.round === 0 ? undefined : unit?.round;
      case 'run':
        return { startedAt: dateAt(run.begunAt).toISOString() };
      case 'prev':
        return unit?.previous;
      default:
        return result?.output;
    }
  };
}

/** `run` and `round` are nodes where the reader waits for nodes of that name. */
const isOwnName = (head: string, reader: Reader | undefined): boolean =>
  (head === 'run' || head === 'round') && reader !== undefined && !reader.task.valid.dependencies.includes(head);

const resultOf = ({ ending, result }: Task): Task['result'] =>
  ending === 'done' || ending === 'handled' ? result : undefined;

/** Then `meta` is an ordinary field of the output, also where this one lacks it. */
function hasOwnMeta(task: Task | undefined, output: unknown): boolean {
  const own = task?.valid.ownMeta;
  if (own !== 'maybe') return own === 'always';
  return typeof output === 'object' && output !== null && Object.hasOwn(output, 'meta');
}
