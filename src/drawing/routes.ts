/**
 * Positions of boxes and routes of edges, after Sugiyama: an edge that passes a column gets a slot in it, so that no line
 * runs behind a box. Slots are ordered by the mean row of their neighbours, in forward and backward sweeps.
 */
import type { Drawing, DrawnNode } from './layout.ts';

/** A box, or the slot of passing edges when it has no node. */
export interface Slot {
  readonly key: string;
  readonly node: DrawnNode | undefined;
  readonly column: number;
  readonly before: Slot[];
  readonly after: Slot[];
  row: number;
  /** Vertical position of its middle, in pixels. */
  y: number;
}

export interface Route {
  readonly control: boolean;
  /** From a box through slots of passing edges to a box. */
  readonly stops: readonly Slot[];
}

export interface Placement {
  readonly columns: readonly (readonly Slot[])[];
  readonly routes: readonly Route[];
  /** From the top of the highest slot to the bottom of the lowest one, in pixels. */
  readonly height: number;
}

export interface Sizes {
  readonly gap: number;
  heightOf(node: DrawnNode): number;
}

const SWEEPS = 6;
const PASSING_HEIGHT = 6;

export function placementOf(drawing: Drawing, sizes: Sizes): Placement {
  const columns: Slot[][] = drawing.columns.map(() => []);
  const slots = new Map<string, Slot>();
  const slotAt = (key: string, column: number, node?: DrawnNode): Slot => {
    const known = slots.get(key);
    if (known !== undefined) return known;
    const slot = { key, node, column, before: [], after: [], row: columns[column]?.length ?? 0, y: 0 };
    slots.set(key, slot);
    columns[column]?.push(slot);
    return slot;
  };
  for (const node of drawing.columns.flat()) slotAt(node.id, node.column, node);
  const routes = drawing.columns
    .flat()
    .flatMap((node) => [
      ...node.data.map((id) => routeOf(id, node, false, slots, slotAt)),
      ...node.control.map((id) => routeOf(id, node, true, slots, slotAt)),
    ]);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forwards = sweep % 2 === 1;
    for (const column of forwards ? columns : [...columns].reverse()) order(column, forwards ? 'before' : 'after');
  }
  return { columns, routes, height: stack(columns, sizes) };
}

/** Edges from the same node and of the same kind share their slots, and so one line. */
function routeOf(
  from: string,
  to: DrawnNode,
  control: boolean,
  slots: ReadonlyMap<string, Slot>,
  slotAt: (key: string, column: number) => Slot,
): Route {
  const start = slots.get(from);
  const end = slots.get(to.id);
  if (start === undefined || end === undefined) return { control, stops: [] };
  const stops = [start];
  for (let column = start.column + 1; column < end.column; column += 1) {
    stops.push(slotAt(`${from}${control ? '~' : '>'}${column}`, column));
  }
  stops.push(end);
  stops.forEach((slot, index) => {
    const next = stops[index + 1];
    if (next === undefined || slot.after.includes(next)) return;
    slot.after.push(next);
    next.before.push(slot);
  });
  return { control, stops };
}

function order(column: Slot[], side: 'before' | 'after'): void {
  const wish = new Map(column.map((slot) => [slot, mean(slot[side].map(({ row }) => row)) ?? slot.row]));
  column.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
  column.forEach((slot, row) => {
    slot.row = row;
  });
}

const mean = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Sets `y` of every slot, as near to its predecessors as the slots above it allow. Returns the total height. */
function stack(columns: readonly (readonly Slot[])[], { gap, heightOf }: Sizes): number {
  const half = (slot: Slot): number => (slot.node === undefined ? PASSING_HEIGHT : heightOf(slot.node)) / 2;
  for (const column of columns) {
    const wishes = column.map((slot) => mean(slot.before.map(({ y }) => y)));
    let bottom = Number.NEGATIVE_INFINITY;
    column.forEach((slot, index) => {
      const lowest = bottom === Number.NEGATIVE_INFINITY ? (wishes[index] ?? half(slot)) : bottom + gap + half(slot);
      slot.y = Math.max(lowest, wishes[index] ?? lowest);
      bottom = slot.y + half(slot);
    });
    // Slots were only pushed down; shifting the whole column compensates for that.
    const shift = mean(column.flatMap((slot, index) => (wishes[index] === undefined ? [] : [wishes[index] - slot.y])));
    for (const slot of column) slot.y += shift ?? 0;
  }
  const all = columns.flat();
  const top = Math.min(...all.map((slot) => slot.y - half(slot)));
  for (const slot of all) slot.y -= top;
  return Math.max(...all.map((slot) => slot.y + half(slot)));
}
