/** Which figures an instruction asks for: sums, counts, averages and extremes, in the words of several languages. */

export type Operation = 'sum' | 'average' | 'median' | 'highest' | 'lowest' | 'count';

const WORDS: readonly (readonly [Operation, RegExp])[] = [
  [
    'average',
    /(?<![\p{L}\d])(?:averages?|avg|mean|durchschnitt(?:lich\p{L}*|s?\p{L}*)?|mittelwert|moyennes?|promedio|media|média|gemiddelde)(?![\p{L}\d])|平均|평균/giu,
  ],
  ['median', /(?<![\p{L}\d])(?:median|médiane|mediana)(?![\p{L}\d])|中央値/giu],
  [
    'sum',
    /(?<![\p{L}\d])(?:sums?|totals?|sum up|add(?:ed)? up|add|altogether|summen?|summiere|gesamt\p{L}*|insgesamt|zusammengezählt|sommes?|totale|suma|soma|somma|totaal)(?![\p{L}\d])|合計|总和|总计|總和|합계/giu,
  ],
  [
    'highest',
    /(?<![\p{L}\d])(?:highest|maximum|max|largest|biggest|greatest|most|tallest|longest|oldest|top|best|höchste[nrs]?|größte[nrs]?|meisten?|maximal\p{L}*|maximale?|plus (?:élevée?|grande?|haute?)|le plus|mayor|más (?:alto|alta|grande)|máxim[oa]|maggiore|massim[oa]|hoogste)(?![\p{L}\d])|最大|最高|最多|최대/giu,
  ],
  [
    'lowest',
    /(?<![\p{L}\d])(?:lowest|minimum|min|smallest|fewest|least|shortest|youngest|niedrigste[nrs]?|kleinste[nrs]?|wenigsten?|minimale?|plus (?:bas|basse|petite?)|le moins|menor|mínim[oa]|minore|minim[oa]|laagste)(?![\p{L}\d])|最小|最低|最少|최소/giu,
  ],
  [
    'count',
    /(?<![\p{L}\d])(?:how many|number of|count(?: of)?|wie ?viele?|anzahl(?: der)?|combien d[e'’]|combien|nombre d[e'’]|cu[aá]nt[oa]s|número de|quant[iaeo]s?|numero di|hoeveel|aantal)(?![\p{L}\d])|いくつ|何[行件個人]|多少|몇/giu,
  ],
];
/** A table or breakdown of one column by another one is a sum of each. */
const BROKEN_DOWN =
  /(?<![\p{L}])(?:table|breakdown|tabulate|overview|tabelle|übersicht|tableau|tabla|tabella)(?![\p{L}])[^.?!\n]{0,120}?(?<![\p{L}])(?:by|per|for each|je|pro|nach|par|por)(?![\p{L}])/iu;
/** What stands before a figure that is asked for without a question mark. */
const OPENING =
  /^\W*(?:(?:please|can you|could you|bitte|give me|show me|tell me|show|find|get|list|calculate|compute|work out|determine|make|create|build|berechne|ermittle|bilde|zeige(?: mir)?|calcule[zr]?|donne[- ]moi|calcula|dame|calcola|what(?:'s| is| are| was| were)|the|die|das|den|der|la|le|les|el|il|me|a|an|eine?|une?|una)\s+){0,6}(?:row |line |word |grand |overall )?/iu;

export interface Asked {
  readonly operation: Operation;
  readonly at: number;
  readonly length: number;
}

/** The operations that an instruction names, in order. */
export function operationsIn(instruction: string): Asked[] {
  const text = instruction.slice(0, 2000);
  return WORDS.flatMap(([operation, pattern]) =>
    [...text.matchAll(pattern)].map((match) => ({ operation, at: match.index, length: match[0].length })),
  ).sort((a, b) => a.at - b.at);
}

export const isBreakdown = (instruction: string): boolean => BROKEN_DOWN.test(instruction.slice(0, 2000));

/** True for an instruction that begins with a figure (`Average of …`), so that it needs no table to be recognised. */
export function opensWithFigure(instruction: string): boolean {
  const text = instruction.slice(0, 2000);
  // A question may ask for what a sentence says; whether it asks for a figure, its material decides.
  if (/[?？]/.test(text)) return false;
  if (isBreakdown(text)) return true;
  const start = OPENING.exec(text)?.[0].length ?? 0;
  return operationsIn(text).some(({ at, operation, length }) => {
    if (at !== start) return false;
    if (operation === 'count') return true;
    // "Most people like tea" and "Total war" open a text: a figure is of, in or per something.
    const rest = text.slice(at + length, at + length + 200);
    const behind =
      /^[^.?!\n]{0,80}?(?<![\p{L}])(?:of|in|per|by|from|the|for|each|der|des|die|von|aus|je|pro|nach|du|de|des|la|les|par|del|por|di|dei)(?![\p{L}])/iu;
    return /^\s*:/.test(rest) || behind.test(rest);
  });
}

/** True where an instruction may ask for a figure of a table; whether it does, only the table can tell. */
export const mayAskFigure = (instruction: string): boolean =>
  operationsIn(instruction).length > 0 || isBreakdown(instruction);
