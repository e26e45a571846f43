/**
 * The text of a web page, for a message: a space for each tag, nothing of scripts and styles. Each character is looked at a
 * fixed number of times, whatever the page holds; a pattern would start over at every bracket that is never closed.
 */
export function withoutTags(page: string): string {
  const pieces: string[] = [];
  /** Ends that do not come any more, so that they are not looked for again. */
  const missing = new Set<string>();
  const endOf = (end: string, from: number): number => {
    const at = missing.has(end) ? -1 : page.indexOf(end, from);
    if (at === -1) missing.add(end);
    return at === -1 ? -1 : at + end.length;
  };
  let at = 0;
  for (let open = page.indexOf('<'); open !== -1; open = page.indexOf('<', at)) {
    const end = hiddenEnd(page, open, endOf);
    const close = end === -1 ? endOf('>', open) : end;
    if (close === -1) break;
    pieces.push(page.slice(at, open));
    at = close;
  }
  pieces.push(page.slice(at));
  return pieces.join(' ');
}

/** Where the script or style that begins here ends; -1 for any other tag, and for one that is not closed. */
function hiddenEnd(page: string, open: number, endOf: (end: string, from: number) => number): number {
  for (const name of ['script', 'style']) if (page.startsWith(name, open + 1)) return endOf(`</${name}>`, open);
  return -1;
}
