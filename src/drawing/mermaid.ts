/** A plan as a Mermaid flowchart. */
import type { NodeState } from '../core/run/engine.ts';
import type { Drawing, DrawnNode, States } from './layout.ts';
import { oneLine } from './plain-text.ts';

/**
 * Labels are quoted, and inside quotes Mermaid reads `#60;` as `<`. Every character except letters, digits and plain
 * punctuation is escaped this way, so that no text of a plan is parsed as Mermaid, Markdown or HTML.
 */
const escapeText = (text: string): string =>
  oneLine(text).replace(/[^\p{L}\p{M}\p{N} .,:!?/=+'_-]/gu, (sign) => `#${sign.codePointAt(0)};`);

/** Ids such as `end` are keywords of Mermaid, so all ids get a prefix. */
const key = (id: string): string => `n_${id}`;

function box(node: DrawnNode, key: (id: string) => string): string {
  const label = [`<b>${escapeText(node.id)}</b>`, escapeText(node.use), ...node.notes.map(escapeText)].join('<br/>');
  if (node.use === 'human' || node.use === 'wait') return `${key(node.id)}{{"${label}"}}`;
  if (node.isFolded) return `${key(node.id)}[["${label}"]]`;
  return node.use.startsWith('tool:') ? `${key(node.id)}[/"${label}"/]` : `${key(node.id)}["${label}"]`;
}

const STYLES: Readonly<Partial<Record<NodeState, string>>> = {
  running: 'fill:#fff3d6,stroke:#b7791f',
  suspended: 'fill:#f3e6fb,stroke:#7b3fa0',
  done: 'fill:#dff3e4,stroke:#2f7d46',
  failed: 'fill:#fbe1e1,stroke:#a83232',
  skipped: 'fill:#f4f4f4,stroke:#b3b3b3,stroke-dasharray:4',
  cancelled: 'fill:#f4f4f4,stroke:#a83232',
};

/** @param opened drawings of workflows, each a part of the chart with its title. @default none */
export function drawMermaid(drawing: Drawing, states?: States, opened: readonly Drawing[] = []): string {
  const nodes = drawing.columns.flat();
  const outputs = nodes.filter((node) => node.inOutput).map((node) => `  ${key(node.id)} --> output`);
  // Every id of the plan starts with `n_` or `w`, so `output` is free.
  return [
    'flowchart LR',
    ...statementsOf(nodes, key),
    ...(outputs.length > 0 ? ['  output(["output"])', ...outputs] : []),
    ...opened.flatMap(partOf),
    ...stateLines(nodes, states),
  ].join('\n');
}

function statementsOf(nodes: readonly DrawnNode[], keyOf: (id: string) => string): string[] {
  const edges = nodes.flatMap((node) => [
    ...node.data.map((id) => `  ${keyOf(id)} --> ${keyOf(node.id)}`),
    ...node.control.map((id) => `  ${keyOf(id)} -.-> ${keyOf(node.id)}`),
  ]);
  return [...nodes.map((node) => `  ${box(node, keyOf)}`), ...edges];
}

/** An opened workflow; its place makes its ids differ from those of the plan and of the others. */
function partOf({ title, columns }: Drawing, place: number): string[] {
  const statements = statementsOf(columns.flat(), (id) => `w${place}_${id}`);
  return [`  subgraph w${place}["${escapeText(title)}"]`, ...statements, '  end'];
}

/** Only the states that occur, each with its style. */
function stateLines(nodes: readonly DrawnNode[], states: States | undefined): string[] {
  return Object.entries(STYLES).flatMap(([state, style]) => {
    const keys = nodes.flatMap(({ id }) => (states?.get(id) === state ? [key(id)] : []));
    // Names such as `default` are keywords of Mermaid, so states also get a prefix.
    return keys.length === 0 ? [] : [`  classDef s_${state} ${style}`, `  class ${keys.join(',')} s_${state}`];
  });
}
