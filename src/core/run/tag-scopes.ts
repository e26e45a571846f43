/** The tags of a run are scopes too: what its calls cost is booked under each of them, and a cap on one holds. */
import type { Scope } from '../model/model.ts';

const NONE: readonly Scope[] = [];

/** Adds the scope `key=value` of each tag, unless the caller gave it, perhaps with a cap of its own. */
export function withTagScopes(
  scopes: readonly Scope[] | undefined,
  tags: Readonly<Record<string, string>> | undefined,
): readonly Scope[] {
  const given = scopes ?? NONE;
  if (tags === undefined) return given;
  const ids = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  const added = ids.filter((id) => !given.some((scope) => scope.kind === 'tag' && scope.id === id));
  return added.length === 0 ? given : [...given, ...added.map((id): Scope => ({ kind: 'tag', id }))];
}
