/** Drawings of plans and runs: terminal tree, Mermaid, SVG. */
import type { ValidPlan } from '../core/plan/plan.ts';
import { listReferences } from '../language/template.ts';
import { drawingOf, type States } from './layout.ts';
import { drawMermaid } from './mermaid.ts';
import { drawSvg } from './svg.ts';
import { drawTree } from './tree.ts';

export const DRAWING_FORMATS = ['tree', 'mermaid', 'svg'] as const;
export type DrawingFormat = (typeof DRAWING_FORMATS)[number];

/** Draws a plan as text. `states` marks the nodes of a run; `columns` is the width of a tree, @default no limit */
export function draw(plan: ValidPlan, format: DrawingFormat, states?: States, columns?: number): string {
  const heads = listReferences(plan.plan.output).flatMap(({ reference }) =>
    reference.alternatives.flatMap((alternative) => (alternative.type === 'path' ? [alternative.head] : [])),
  );
  const drawing = drawingOf(plan, new Set(heads));
  if (format === 'tree') return drawTree(drawing, states, columns);
  return format === 'mermaid' ? drawMermaid(drawing, states) : drawSvg(drawing, states);
}
