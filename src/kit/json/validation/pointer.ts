/** The value that `#/a/b` refers to, also percent-encoded; undefined if there is none. */
export function resolvePointer(root: unknown, pointer: string): unknown {
  if (pointer === '#') return root;
  if (!pointer.startsWith('#/')) return undefined;
  const found = follow(root, pointer.slice(2));
  if (found !== undefined || !pointer.includes('%')) return found;
  try {
    return follow(root, decodeURIComponent(pointer.slice(2)));
  } catch {
    return undefined;
  }
}

function follow(root: unknown, path: string): unknown {
  let current = root;
  for (const token of path.split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}
