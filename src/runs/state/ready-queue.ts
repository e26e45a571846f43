/** A binary heap: the node with the longest expected remaining path first, then the plan's order. */

export interface Ranked {
  readonly priority: number;
  readonly index: number;
}

export interface ReadyQueue<T extends Ranked> {
  push(entry: T): void;
  pop(): T | undefined;
  size(): number;
  clear(): void;
}

const before = (a: Ranked, b: Ranked): boolean =>
  a.priority === b.priority ? a.index < b.index : a.priority > b.priority;

export function readyQueue<T extends Ranked>(): ReadyQueue<T> {
  let heap: T[] = [];
  return {
    push: (entry) => siftUp(heap, entry),
    pop() {
      const first = heap[0];
      const last = heap.pop();
      if (last !== undefined && last !== first) siftDown(heap, last);
      return first;
    },
    size: () => heap.length,
    clear() {
      heap = [];
    },
  };
}

function siftUp<T extends Ranked>(heap: T[], entry: T): void {
  let at = heap.length;
  heap.push(entry);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || before(parent, entry)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = entry;
}

function siftDown<T extends Ranked>(heap: T[], entry: T): void {
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    let child = heap[below];
    if (child === undefined) break;
    const right = heap[below + 1];
    if (right !== undefined && before(right, child)) {
      below += 1;
      child = right;
    }
    if (before(entry, child)) break;
    heap[at] = child;
    at = below;
  }
  heap[at] = entry;
}
