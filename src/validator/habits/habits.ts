/**
 * Repairs what models write again and again and what can mean only one thing: fields that say nothing, a text for a list, a
 * number for an object, types and inputs under the names of other formats, ids with capitals. Only a plan that is not valid as it
 * is written is changed, in place, and each change is told.
 *
 * H1. No name of a tool, a model or a field of data becomes another one: see docs/decisions/validation-repairs.md.
 * H2. The work is linear in the size of the document, whose bounds were checked before.
 */
import type { Catalogue, PlanRepair } from '../../core/plan/validation.ts';
import { isRecord, pointerToken } from '../document/document.ts';
import { mendTypes } from './field-types.ts';
import { mendIds } from './ids.ts';
import type { Fields, Mending } from './mending.ts';
import { mendNode } from './nodes.ts';
import { mendPlan, mendVersion, unwrapped } from './wrapping.ts';

export interface Mended {
  readonly document: unknown;
  readonly repaired: readonly PlanRepair[];
}

/** @param document our own copy, within the bounds of plans */
export function mendHabits(document: unknown, catalogue: Catalogue): Mended {
  const mending: Mending = { catalogue, repaired: [] };
  const plan = unwrapped(document, mending);
  if (!isRecord(plan)) return { document, repaired: [] };
  mendVersion(plan, mending);
  mendOne(plan, '', mending);
  if (isRecord(plan.workflows)) {
    for (const [name, member] of Object.entries(plan.workflows))
      if (isRecord(member)) mendOne(member, `/workflows/${pointerToken(name)}`, mending);
  }
  return { document: plan, repaired: mending.repaired };
}

function mendOne(plan: Fields, path: string, mending: Mending): void {
  mendPlan(plan, path, mending);
  if (isRecord(plan.input)) mendTypes(plan.input, `${path}/input`, mending);
  mendIds(plan, path, mending);
  if (!Array.isArray(plan.nodes)) return;
  const ids = new Set(plan.nodes.flatMap((node) => (isRecord(node) && typeof node.id === 'string' ? [node.id] : [])));
  plan.nodes.forEach((node, index) => {
    if (isRecord(node)) mendNode(node, `${path}/nodes/${index}`, ids, mending);
  });
}
