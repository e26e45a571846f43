/** Resolves references during a run. */
import type { NodeResult } from '../../core/run/engine.ts';
import type { TemplateScope } from '../../language/template.ts';
import type { RunState } from './run-state.ts';
import type { Task, Unit } from './task.ts';

/**
 * Heads of a node's templates: `input`, its item, index and previous round, and the outputs of nodes that ended; null for
 * skipped, cancelled and failed ones. `self` is the result of a `repeat` round.
 */
export function scopeOf(run: RunState, unit?: Unit, self?: Pick<NodeResult, 'output' | 'meta'>): TemplateScope {
  return (head, part) => {
    const task = run.tasks.get(head);
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
      case 'prev':
        return unit?.previous;
      default:
        return result?.output;
    }
  };
}

const resultOf = ({ ending, result }: Task): Task['result'] =>
  ending === 'done' || ending === 'handled' ? result : undefined;

/** Then `meta` is an ordinary field of the output, also where this one lacks it. */
function hasOwnMeta(task: Task | undefined, output: unknown): boolean {
  const own = task?.valid.ownMeta;
  if (own !== 'maybe') return own === 'always';
  return typeof output === 'object' && output !== null && Object.hasOwn(output, 'meta');
}
