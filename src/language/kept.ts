/** Results for the texts of plans: the same ones are read in every check, estimate and run of a plan. */

const MOST_KEPT = 1000;
const LONGEST_KEPT = 400;

/** The function, with its results for the last thousand different texts kept; those for long texts are not. */
export function keptFor<T>(make: (text: string) => T): (text: string) => T {
  const kept = new Map<string, T>();
  return (text) => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const made = make(text);
    if (text.length > LONGEST_KEPT) return made;
    if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value ?? '');
    kept.set(text, made);
    return made;
  };
}
