/** A plan for the terminal: one line a node, those that may run side by side under one bracket. */
import type { Drawing, DrawnNode } from './layout.ts';

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

export function drawTree(drawing: Drawing): string {
  const nodes = drawing.columns.flat();
  const idWidth = Math.max(...nodes.map((node) => node.id.length));
  const useWidth = Math.max(...nodes.map((node) => node.use.length));
  const lines = drawing.columns.flatMap((column, columnIndex) =>
    column.map((node, index) => {
      const step = index === 0 ? String(columnIndex + 1).padStart(2) : '  ';
      const facts = [node.use.padEnd(useWidth), ...node.notes.map((note) => `· ${note}`), from(node)].filter(
        (part) => part !== '',
      );
      return `${step} ${bracket(index, column.length)} ${node.id.padEnd(idWidth)}  ${facts.join(' ')}`.trimEnd();
    }),
  );
  return [drawing.title, ...lines].join('\n');
}
