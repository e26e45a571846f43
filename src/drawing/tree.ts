/** A plan for the terminal: one line per node, with one bracket around nodes that may run at the same time. */
import type { NodeState } from '../core/run/engine.ts';
import type { Drawing, DrawnNode, States } from './layout.ts';
import { cutToWidth, displayWidth, oneLine, padToWidth } from './plain-text.ts';

export const STATE_MARKS: Readonly<Record<NodeState, string>> = {
  waiting: '·',
  ready: '○',
  running: '◐',
  suspended: '?',
  done: '✓',
  skipped: '–',
  failed: '✗',
  cancelled: '×',
};

/** `first ┬`, `middle ├`, `last └`, `only ─` of a column. */
function bracket(index: number, length: number): string {
  if (length === 1) return '─';
  if (index === 0) return '┬';
  return index === length - 1 ? '└' : '├';
}

const from = (node: DrawnNode): string => {
  const names = [...node.data, ...node.control.map((id) => `(${id})`)];
  return names.length === 0 ? '' : `← ${names.join(', ')}`;
};

/**
 * @param columns width to which lines are cut. @default no limit
 * @param opened drawings of workflows, which follow the plan in the order given. @default none
 */
export function drawTree(
  drawing: Drawing,
  states?: States,
  columns = Number.POSITIVE_INFINITY,
  opened: readonly Drawing[] = [],
): string {
  return [treeOf(drawing, states, columns), ...opened.map((inner) => treeOf(inner, undefined, columns))].join('\n\n');
}

function treeOf(drawing: Drawing, states: States | undefined, columns: number): string {
  const nodes = drawing.columns.flat();
  const idWidth = Math.max(...nodes.map((node) => displayWidth(node.id)));
  const useWidth = Math.max(...nodes.map((node) => displayWidth(oneLine(node.use))));
  const lines = drawing.columns.flatMap((column, columnIndex) =>
    column.map((node, index) => {
      const step = index === 0 ? String(columnIndex + 1).padStart(2) : '  ';
      const state = states?.get(node.id);
      const mark = states === undefined ? '' : ` ${state === undefined ? ' ' : STATE_MARKS[state]}`;
      const facts = [
        padToWidth(oneLine(node.use), useWidth),
        from(node),
        ...node.notes.map((note) => `· ${oneLine(note)}`),
      ];
      const shown = facts.filter((part) => part !== '').join(' ');
      return `${step} ${bracket(index, column.length)}${mark} ${padToWidth(node.id, idWidth)}  ${shown}`.trimEnd();
    }),
  );
  return [oneLine(drawing.title), ...lines].map((line) => cutToWidth(line, columns)).join('\n');
}
