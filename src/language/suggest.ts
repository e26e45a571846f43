/**
 * The nearest valid names: by bounded Damerau-Levenshtein distance (optimal string alignment), by equality without
 * case and separators, by shared words, and by containment. The validator and the router use the same rules.
 */

const LONGEST_NAME = 80;
const MOST_CANDIDATES = 1000;
/** Names that differ in more places are not alike, however long they are. */
const MOST_EDITS = 8;

interface Spelling {
  /** In lower case, without separators. */
  readonly squeezed: string;
  readonly words: ReadonlySet<string>;
}

const MOST_KEPT = 5000;
const spellings = new Map<string, Spelling>();

/** Cached, because the names of a catalogue and the ids of a plan are compared many times. */
function spellingOf(name: string): Spelling {
  const known = spellings.get(name);
  if (known !== undefined) return known;
  const words = name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[\s_\-./:]+/)
    .filter((word) => word.length > 1);
  const spelling = { squeezed: name.toLowerCase().replace(/[\s_\-./:]+/g, ''), words: new Set(words) };
  if (spellings.size >= MOST_KEPT) spellings.clear();
  spellings.set(name, spelling);
  return spelling;
}

/** Optimal string alignment distance, or `limit + 1` if it is more than `limit`. */
export function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    let smallest = row;
    // Only cells near the diagonal can be within the limit; those beside them count as above it.
    const first = Math.max(1, row - limit);
    const last = Math.min(right.length, row + limit);
    for (let column = 1; column < first; column += 1) current.push(limit + 1);
    for (let column = first; column <= last; column += 1) {
      const same = left.charCodeAt(row - 1) === right.charCodeAt(column - 1);
      let distance = Math.min(
        (previous[column] ?? limit) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (isSwap(left, right, row, column)) distance = Math.min(distance, (before[column - 2] ?? 0) + 1);
      current.push(distance);
      if (distance < smallest) smallest = distance;
    }
    if (smallest > limit) return limit + 1;
    before = previous;
    previous = current;
  }
  return Math.min(previous[right.length] ?? limit + 1, limit + 1);
}

const isSwap = (left: string, right: string, row: number, column: number): boolean =>
  row > 1 &&
  column > 1 &&
  left.charCodeAt(row - 1) === right.charCodeAt(column - 2) &&
  left.charCodeAt(row - 2) === right.charCodeAt(column - 1);

/** 0: the same name in another spelling; from `WORDS_APART` on, the names share only words or a beginning. */
const WORDS_APART = 10;
/** The other name contains this one, but they share too few words. */
const CONTAINED = 12;

function distanceOf(mine: Spelling, theirs: Spelling): number | undefined {
  const [short, other] = [mine.squeezed, theirs.squeezed];
  if (short === other) return 0;
  const limit = Math.min(MOST_EDITS, Math.max(1, Math.floor(Math.min(short.length, other.length) / 3)));
  const distance = editDistance(short, other, limit);
  if (distance <= limit) return distance;
  if (Math.min(short.length, other.length) >= 3 && (other.startsWith(short) || short.startsWith(other)))
    return WORDS_APART;
  let shared = 0;
  for (const word of mine.words) if (theirs.words.has(word)) shared += 1;
  const share = shared / Math.max(1, mine.words.size, theirs.words.size);
  if (share >= 0.5) return WORDS_APART + 1 - share;
  return short.length >= 3 && other.includes(short) ? CONTAINED : undefined;
}

interface Near {
  readonly name: string;
  readonly distance: number;
}

function nearNames(name: string, candidates: Iterable<string>): Near[] {
  if (name.length > LONGEST_NAME) return [];
  const near: Near[] = [];
  const mine = spellingOf(name);
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MOST_CANDIDATES) break;
    const distance = candidate.length > LONGEST_NAME ? undefined : distanceOf(mine, spellingOf(candidate));
    if (distance !== undefined) near.push({ name: candidate, distance });
  }
  return near.sort((a, b) => a.distance - b.distance);
}

const MOST_SUGGESTED = 3;

/** The nearest names, best first, at most three. */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  return nearNames(name, candidates)
    .slice(0, MOST_SUGGESTED)
    .map((near) => near.name);
}

/** Like `nearest`, for names with and without a prefix (`small`, `acme/small`): returns the shortest form of each. */
export function nearestUnprefixed(name: string, candidates: Iterable<string>): string[] {
  const near = nearNames(name, candidates).sort((a, b) => a.distance - b.distance || a.name.length - b.name.length);
  const names = near.map((one) => one.name);
  return names.filter((one) => !names.some((other) => one.endsWith(`/${other}`))).slice(0, MOST_SUGGESTED);
}

const withoutDigits = (name: string): string => name.replace(/\d+/g, '#');
const digitsOf = (name: string): string => (name.match(/\d+/g) ?? []).join(',');

/**
 * The only name that this one can be a typing error of: one edit (two from eight characters on, three from sixteen on), no
 * digit changed, and no other name nearly as close. Short names and names that differ in a number are never typing errors:
 * `n1` and `n2` are different things.
 */
export function slipOf(name: string, candidates: Iterable<string>): string | undefined {
  const [best, second] = nearNames(name, candidates);
  if (best === undefined || digitsOf(best.name) !== digitsOf(name)) return undefined;
  if (best.distance === 0) return second?.distance === 0 ? undefined : best.name;
  const length = Math.max(withoutDigits(name).length, withoutDigits(best.name).length);
  const allowed = length < 4 ? 0 : length < 8 ? 1 : length < 16 ? 2 : 3;
  if (best.distance > allowed) return undefined;
  return second !== undefined && second.distance < best.distance + 2 ? undefined : best.name;
}
