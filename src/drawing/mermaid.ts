/** A plan as a Mermaid flowchart. */
import type { Drawing, DrawnNode, States } from './layout.ts';

/** Mermaid reads `#` entities; quotes, brackets and line ends must not reach its parser. */
const escapeText = (text: string): string =>
  text.replace(/[&<>"#;`{}[\]()|\\]/g, (sign) => `#${sign.codePointAt(0)};`).replace(/\s+/g, ' ');

/** Node ids such as `end` are words of Mermaid, so all get a prefix. */
const key = (id: string): string => `n_${id}`;

function box(node: DrawnNode): string {
  const label = [`<b>${escapeText(node.id)}</b>`, escapeText(node.use), ...node.notes.map(escapeText)].join('<br/>');
  if (node.use === 'human') return `${key(node.id)}{{"${label}"}}`;
  return node.use.startsWith('tool:') ? `${key(node.id)}[/"${label}"/]` : `${key(node.id)}["${label}"]`;
}

export function drawMermaid(drawing: Drawing, states?: States): string {
  const nodes = drawing.columns.flat();
  const lines = nodes.flatMap((node) => [
    `  ${box(node)}`,
    ...node.data.map((id) => `  ${key(id)} --> ${key(node.id)}`),
    ...node.control.map((id) => `  ${key(id)} -.-> ${key(node.id)}`),
  ]);
  const outputs = nodes.filter((node) => node.inOutput).map((node) => `  ${key(node.id)} --> output`);
  const classes = nodes.flatMap((node) => {
    const state = states?.get(node.id);
    return state === undefined ? [] : [`  class ${key(node.id)} ${state}`];
  });
  const styles =
    classes.length === 0
      ? []
      : [
          '  classDef done fill:#d7f0dd,stroke:#2f7d46',
          '  classDef failed fill:#f8d7d7,stroke:#a33',
          '  classDef skipped stroke-dasharray:4',
        ];
  return [
    'flowchart LR',
    ...lines,
    ...(outputs.length > 0 ? ['  output(["output"])', ...outputs] : []),
    ...classes,
    ...styles,
  ].join('\n');
}
