/** Drawings of plans and runs: terminal tree, Mermaid, SVG. */
import type { ValidPlan } from '../core/plan/plan.ts';
import { listReferences } from '../language/template.ts';
import { type Drawing, drawingOf, type States } from './layout.ts';
import { drawMermaid } from './mermaid.ts';
import { drawSvg } from './svg.ts';
import { drawTree } from './tree.ts';

export const DRAWING_FORMATS = ['tree', 'mermaid', 'svg'] as const;
export type DrawingFormat = (typeof DRAWING_FORMATS)[number];

/** A workflow of the plan that is drawn open, beside the plan in which it is a box. */
export interface OpenedWorkflow {
  readonly name: string;
  readonly plan: ValidPlan;
}

/**
 * Draws a plan as text. `states` marks the nodes of a run; `columns` is the width of a tree, @default no limit. Workflows are boxes
 * with their names, and those of `opened` are drawn behind the plan too, @default none
 */
export function draw(
  plan: ValidPlan,
  format: DrawingFormat,
  states?: States,
  columns?: number,
  opened: readonly OpenedWorkflow[] = [],
): string {
  const drawing = drawingFor(plan);
  const inside = opened.map(({ name, plan: inner }) => titled(`workflow:${name}`, inner));
  if (format === 'tree') return drawTree(drawing, states, columns, inside);
  return format === 'mermaid' ? drawMermaid(drawing, states, inside) : drawSvg(drawing, states, inside);
}

function drawingFor(plan: ValidPlan): Drawing {
  const heads = listReferences(plan.plan.output).flatMap(({ reference }) =>
    reference.alternatives.flatMap((alternative) => (alternative.type === 'path' ? [alternative.head] : [])),
  );
  return drawingOf(plan, new Set(heads));
}

function titled(name: string, inner: ValidPlan): Drawing {
  const { goal } = inner.plan;
  return { ...drawingFor(inner), title: goal === undefined ? name : `${name}: ${goal}` };
}
