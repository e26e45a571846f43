/** Words of one family that a light stem keeps apart: `elected` and `election`, `leitet` and `Leiterin`. */

/** Letters that both must share at the beginning. */
const SHARED = 4;
/** What may follow them: endings of verbs, and of the nouns made of them, without accents. */
const ENDING =
  /^(?:|e?[dnrst]|e?st|en?d|i?n[gd]|ing|er?inn?|er?i?|ers?|ors?|ung|ion|ation|ations?|tion|ment|ance|ence|able|al|ive|ist|ier|iert?|et|te|ten|tet|eur|euse|trice|ice|ir|irent|ait|aient|ent|ant|i[es]?|u[es]?|ar|id|ido|ida|ad|ado|ada|io|yo|uyo|uido|uida|o|a|or|ora|dor|dora|tore|cion|zion|zione|ato|ata|ito|ita|uto|uta|ava|iva|iert|keit|heit|lich|ly|ness|ship)$/;

const plain = (stem: string): string => stem.normalize('NFD').replace(/\p{M}/gu, '');

/** Finds, for a stem that a text lacks, the one of its family that the text has; the longest shared beginning wins. */
export function kinFinder(stems: ReadonlyMap<string, number>): (stem: string) => string | undefined {
  let index: Map<string, string[]> | undefined;
  return (stem) => {
    const wanted = plain(stem);
    if (wanted.length < SHARED || !/^\p{L}+$/u.test(wanted)) return undefined;
    index ??= byBeginning(stems);
    let best: string | undefined;
    let most = 0;
    for (const other of index.get(wanted.slice(0, SHARED)) ?? []) {
      const candidate = plain(other);
      const shared = sharedBeginning(wanted, candidate);
      if (shared <= most) continue;
      most = shared;
      best = other;
    }
    return best;
  };
}

/** The longest shared beginning behind which both have a known ending; 0 without one. */
function sharedBeginning(a: string, b: string): number {
  let shared = SHARED;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  const least = Math.max(SHARED, Math.ceil(0.5 * Math.min(a.length, b.length)));
  for (; shared >= least; shared--) if (ENDING.test(a.slice(shared)) && ENDING.test(b.slice(shared))) return shared;
  return 0;
}

function byBeginning(stems: ReadonlyMap<string, number>): Map<string, string[]> {
  const index = new Map<string, string[]>();
  for (const stem of stems.keys()) {
    const beginning = plain(stem).slice(0, SHARED);
    if (beginning.length < SHARED || !/^\p{L}+$/u.test(beginning)) continue;
    const list = index.get(beginning);
    if (list === undefined) index.set(beginning, [stem]);
    else if (list.length < 200) list.push(stem);
  }
  return index;
}
