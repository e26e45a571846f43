/**
 * A map for names that callers choose: it keeps those that were used last, between `most` and twice as many, and forgets the others.
 * Two halves instead of an order of uses, so that a use costs one look-up.
 */
export interface RecentMap<Value> {
  /** What is kept under the name, which counts as a use. */
  get(name: string): Value | undefined;
  set(name: string, value: Value): void;
}

export function recentMap<Value>(most: number): RecentMap<Value> {
  let recent = new Map<string, Value>();
  let before = new Map<string, Value>();
  const set = (name: string, value: Value): void => {
    if (recent.size >= most && !recent.has(name)) {
      before = recent;
      recent = new Map();
    }
    recent.set(name, value);
  };
  return {
    get(name) {
      const known = recent.get(name);
      if (known !== undefined || before.size === 0) return known;
      const older = before.get(name);
      if (older !== undefined) set(name, older);
      return older;
    },
    set,
  };
}
