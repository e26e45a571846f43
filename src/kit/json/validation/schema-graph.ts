/** What follows from the references of a schema: parts that lead back to themselves, and how much they expand to. */
import type { SchemaEdge, SchemaPart } from './schema-parts.ts';

interface Walk {
  readonly follows: (edge: SchemaEdge) => boolean;
  /** The part has an edge to a part that led to it. */
  readonly onCycle: (part: SchemaPart) => void;
  /** All that the part leads to has been left. */
  readonly onLeave: (part: SchemaPart) => void;
}

/** Depth-first, each part and each edge once; with a stack of its own, because references form long chains. */
function walk(parts: readonly SchemaPart[], { follows, onCycle, onLeave }: Walk): void {
  const open = new Set<SchemaPart>();
  const done = new Set<SchemaPart>();
  for (const start of parts) {
    if (done.has(start)) continue;
    const stack = [{ part: start, next: 0 }];
    open.add(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = top.part.edges[top.next];
      top.next += 1;
      if (edge === undefined) {
        open.delete(top.part);
        done.add(top.part);
        onLeave(top.part);
        stack.pop();
      } else if (!follows(edge) || done.has(edge.part)) continue;
      else if (open.has(edge.part)) onCycle(top.part);
      else {
        open.add(edge.part);
        stack.push({ part: edge.part, next: 0 });
      }
    }
  }
}

/** Marks the references that close a cycle. */
export function markCycles(parts: readonly SchemaPart[]): void {
  const onCycle = (part: SchemaPart): void => {
    part.closesCycle = true;
  };
  walk(parts, { follows: () => true, onCycle, onLeave: () => undefined });
}

export interface InPlaceFacts {
  /** A part that leads back to itself for the same value: no value could ever be checked. */
  readonly endless: SchemaPart | undefined;
  /** The most schemas that apply to one value, one inside the other. */
  readonly height: number;
}

export function inPlaceFacts(parts: readonly SchemaPart[]): InPlaceFacts {
  const heights = new Map<SchemaPart, number>();
  let endless: SchemaPart | undefined;
  let height = 0;
  walk(parts, {
    follows: ({ inPlace }) => inPlace,
    onCycle: (part) => {
      endless ??= part;
    },
    onLeave: (part) => {
      let own = 1;
      for (const edge of part.edges) if (edge.inPlace) own = Math.max(own, 1 + (heights.get(edge.part) ?? 0));
      heights.set(part, own);
      height = Math.max(height, own);
    },
  });
  return { endless, height };
}

/** The parts that a check can visit, with references followed; a reference that closes a cycle counts once. */
export function expandedSize(parts: readonly SchemaPart[]): number {
  const sizes = new Map<SchemaPart, number>();
  let largest = 0;
  const onLeave = (part: SchemaPart): void => {
    let size = 1;
    for (const edge of part.edges) size += sizes.get(edge.part) ?? 1;
    sizes.set(part, size);
    largest = Math.max(largest, size);
  };
  walk(parts, { follows: () => true, onCycle: () => undefined, onLeave });
  return largest;
}
