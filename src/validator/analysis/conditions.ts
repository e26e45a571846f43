/** Conditions compiled once: their references do not depend on the plan that contains them. */
import { CEL_RESERVED, type CompiledCondition, compileCondition } from '../../language/condition.ts';

const MOST_KEPT = 1000;
const LONGEST_KEPT = 400;
const kept = new Map<string, CompiledCondition>();
/** Every name counts as a head, except those that CEL reserves; the caller checks which heads are allowed. */
const OPTIONS = { heads: (name: string): boolean => !CEL_RESERVED.has(name) };

export function readCondition(source: string): CompiledCondition {
  const known = kept.get(source);
  if (known !== undefined) return known;
  const compiled = compileCondition(source, OPTIONS);
  if (source.length <= LONGEST_KEPT) {
    const [oldest] = kept.keys();
    if (kept.size >= MOST_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(source, compiled);
  }
  return compiled;
}
