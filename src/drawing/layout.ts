/** The layout of a plan's nodes: columns of nodes that may run at the same time, ordered so that few edges cross. */

import type { PlanNode, ValidPlan } from '../core/plan/plan.ts';
import { handledAs } from '../core/plan/stand-in.ts';
import type { NodeState } from '../core/run/engine.ts';

export interface DrawnNode {
  readonly id: string;
  readonly use: string;
  /** Tier, each, when, repeat, wait in a few words. */
  readonly notes: readonly string[];
  /** Ids that it takes data from. */
  readonly data: readonly string[];
  /** Ids that it only waits for. */
  readonly control: readonly string[];
  /** The longest path of nodes before it, from 0. */
  readonly column: number;
  readonly inOutput: boolean;
}

export interface Drawing {
  readonly title: string;
  readonly columns: readonly (readonly DrawnNode[])[];
}

export type States = ReadonlyMap<string, NodeState>;

/** The reference or the expression itself. */
const withoutBraces = (text: string): string => text.replace(/^\{\{=?\s*|\s*\}\}$/g, '');

const keyOf = (thread: NonNullable<PlanNode['thread']>): string => (typeof thread === 'string' ? thread : thread.key);

function notesOf(node: PlanNode): string[] {
  const notes: string[] = [];
  if (node.model?.id !== undefined) notes.push(withoutBraces(node.model.id));
  else if (node.model?.tier !== undefined) notes.push(withoutBraces(node.model.tier));
  if (node.thread !== undefined) notes.push(`thread ${withoutBraces(keyOf(node.thread))}`);
  if (node.each !== undefined) notes.push(`each ${withoutBraces(node.each)}`);
  if (node.when !== undefined) notes.push(`when ${node.when}`);
  if (node.repeat !== undefined) notes.push(`until ${node.repeat.until}, at most ${node.repeat.max} rounds`);
  if (node.wait === 'any') notes.push('first to finish');
  else if (typeof node.wait === 'object') notes.push(`${node.wait.atLeast} of them`);
  if (node.escalate !== undefined) notes.push(`below ${node.escalate.below ?? 0.7} to ${node.escalate.to.join(', ')}`);
  if (node.undo !== undefined) notes.push(`undone by ${typeof node.undo === 'string' ? node.undo : node.undo.use}`);
  if (node.finish === true) notes.push('ends the run');
  if (handledAs(node) === 'keep') notes.push('keeps its error');
  return notes;
}

/** Columns by longest path; rows by the mean row of the dependencies of a node (the barycentre method of Sugiyama). */
export function drawingOf(valid: ValidPlan, referencedByOutput: ReadonlySet<string>): Drawing {
  const columnOf = new Map<string, number>();
  const columns: DrawnNode[][] = [];
  for (const { node, data, dependencies } of valid.nodes) {
    const column = dependencies.reduce((longest, id) => Math.max(longest, (columnOf.get(id) ?? 0) + 1), 0);
    columnOf.set(node.id, column);
    const drawn: DrawnNode = {
      id: node.id,
      use: node.use,
      notes: notesOf(node),
      data,
      control: dependencies.filter((id) => !data.includes(id)),
      column,
      inOutput: referencedByOutput.has(node.id),
    };
    const place = columns[column] ?? [];
    place.push(drawn);
    columns[column] = place;
  }
  const rowOf = new Map<string, number>();
  for (const column of columns) {
    const wish = new Map(column.map((node, index) => [node.id, barycentre(node, rowOf, index)]));
    column.sort((a, b) => (wish.get(a.id) ?? 0) - (wish.get(b.id) ?? 0));
    column.forEach((node, row) => {
      rowOf.set(node.id, row);
    });
  }
  return { title: valid.plan.goal ?? valid.plan.id ?? 'plan', columns };
}

function barycentre(node: DrawnNode, rowOf: ReadonlyMap<string, number>, fallback: number): number {
  const rows = [...node.data, ...node.control].map((id) => rowOf.get(id) ?? 0);
  return rows.length === 0 ? fallback : rows.reduce((sum, row) => sum + row, 0) / rows.length;
}
