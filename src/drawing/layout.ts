/** The layout of a plan's nodes: columns of nodes that may run at the same time, ordered so that few edges cross. */

import type { ValidPlan } from '../core/plan/plan.ts';
import { memberPlan, workflowNameOf } from '../core/plan/plan-workflows.ts';
import type { NodeState } from '../core/run/engine.ts';
import { notesOf } from './notes.ts';

export interface DrawnNode {
  readonly id: string;
  readonly use: string;
  /** Tier, tools, agents, each, when, repeat, wait in a few words. */
  readonly notes: readonly string[];
  /** Ids that it takes data from. */
  readonly data: readonly string[];
  /** Ids that it only waits for. */
  readonly control: readonly string[];
  /** The longest path of nodes before it, from 0. */
  readonly column: number;
  readonly inOutput: boolean;
  /** It runs a workflow of the plan, which has nodes of its own. */
  readonly isFolded: boolean;
}

export interface Drawing {
  readonly title: string;
  readonly columns: readonly (readonly DrawnNode[])[];
}

export type States = ReadonlyMap<string, NodeState>;

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
      notes: notesOf(node, valid.plan),
      isFolded: memberPlan(valid.plan, workflowNameOf(node.use) ?? '') !== undefined,
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
