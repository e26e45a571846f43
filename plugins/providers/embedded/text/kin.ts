/** Words of one family that a light stem keeps apart: `elected` and `election`, `leitet` and `Leiterin`. */

/** Letters that both must share at the beginning. */
const SHARED = 4;
/** What may follow them: endings of verbs, and of the nouns made of them, without accents. */
const ENDING =
  /^(?:|e?[dnrst]|e?st|en?d|i?n[gd]|ing|er?in|er?|ers?|ors?|ung|ion|ation|ations?|tion|ment|ance|ence|able|al|ive|ist|ier|iert?|et|te|ten|tet|eur|euse|trice|ice|ir|irent|ait|aient|ent|ant|i[es]?|u[es]?|ar|ido|ida|ado|ada|io|yo|uyo|uido|uida|o|a|or|ora|dor|dora|tore|cion|zion|zione|ato|ata|ito|ita|uto|uta|ava|iva|iert|keit|heit|lich|ly|ness|ship)$/;

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
      let shared = SHARED;
      while (shared < wanted.length && wanted[shared] === candidate[shared]) shared++;
      const rests = [wanted.slice(shared), candidate.slice(shared)];
      if (shared <= most || shared < 0.6 * Math.min(wanted.length, candidate.length)) continue;
      if (!rests.every((rest) => ENDING.test(rest))) continue;
      most = shared;
      best = other;
    }
    return best;
  };
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
