/** Names near to one that is not there. */

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours; cut off at `most`. */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) best = Math.min(best, (older[column - 2] ?? 0) + 1);
      current.push(best);
    }
    older = previous;
    previous = current;
  }
  return previous[b.length] ?? most + 1;
}

/** At most three names, nearest first and each under its shortest form: those within a third of the length, or that contain what was asked for. */
export function suggest(asked: string, names: readonly string[]): readonly string[] {
  const wanted = asked.slice(0, 200).toLowerCase();
  const most = Math.max(1, Math.floor(wanted.length / 3));
  const near = names.map((name) => {
    const candidate = name.toLowerCase();
    const tail = candidate.slice(candidate.lastIndexOf('/') + 1);
    const contained = wanted.length >= 3 && candidate.includes(wanted) ? 1 : most + 1;
    return {
      name,
      distance: Math.min(contained, editDistance(wanted, candidate, most), editDistance(wanted, tail, most)),
    };
  });
  return near
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
    .filter(({ name }, index, sorted) => !sorted.slice(0, index).some((shorter) => name.endsWith(`/${shorter.name}`)))
    .slice(0, 3)
    .map(({ name }) => name);
}
