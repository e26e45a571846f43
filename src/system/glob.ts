/** Simple globs without a regular expression: `*` within a name, `?` for one character, `**` for any folders. */

/** True when the path matches. Both are split at `/`. At most names × names steps. */
export function globMatches(pattern: readonly string[], path: readonly string[]): boolean {
  // Row by row: reached[j] is true when the pattern so far matches the first j names.
  let reached = [true, ...path.map(() => false)];
  for (const part of pattern) {
    const next = path.map(() => false);
    next.unshift(false);
    if (part === '**') {
      let open = false;
      for (const [index, was] of reached.entries()) {
        open ||= was;
        next[index] = open;
      }
    } else {
      for (const [index, name] of path.entries()) next[index + 1] = reached[index] === true && nameMatches(part, name);
    }
    reached = next;
  }
  return reached.at(-1) === true;
}

/** Linear in practice, at worst length × length: on a mismatch only the last `*` matches one more character. */
export function nameMatches(pattern: string, name: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let n = 0; n < name.length; ) {
    if (pattern[p] === '*') {
      star = p;
      p += 1;
      resume = n;
    } else if (pattern[p] === '?' || (pattern[p] !== undefined && pattern[p] === name[n])) {
      p += 1;
      n += 1;
    } else if (star !== -1) {
      p = star + 1;
      resume += 1;
      n = resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
