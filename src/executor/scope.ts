/** What references mean while a run goes on. */
import type { TemplateScope } from '../core/template.ts';
import type { RunState } from './run-state.ts';
import type { Task, Unit } from './task.ts';

/**
 * Heads of a node's templates: `input`, its item, index and previous round, and the outputs of nodes that ended; null for
 * skipped, cancelled and failed ones.
 */
export function scopeOf(run: RunState, unit?: Unit, self?: unknown): TemplateScope {
  return (head) => {
    const task = run.tasks.get(head);
    if (task !== undefined) return viewOf(task);
    switch (head) {
      case 'input':
        return run.input;
      case 'item':
        return unit?.value;
      case 'index':
        return unit === undefined || unit.item === -1 ? undefined : unit.item;
      case 'prev':
        return unit?.previous;
      case 'self':
        return self;
      default:
        return undefined;
    }
  };
}

function viewOf(task: Task): unknown {
  if (task.ending !== 'done' && task.ending !== 'handled') return null;
  if (task.view === undefined) task.view = withMeta(task.result?.output ?? null, task.result?.meta);
  return task.view;
}

/** `meta` can be referred to and is not enumerable, so that a whole output in a prompt does not drag it along. */
export function withMeta(output: unknown, meta: unknown): unknown {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return output;
  return Object.defineProperty({ ...output }, 'meta', { value: meta });
}
