/** Summaries as a list: as many points as were asked for, where the text has as many. */
import { type Effort, type Extract, summarise } from './summary.ts';
import { prose, type Reading } from './text/passages.ts';

const NOUNS = 'bullet points?|bullets|points?|takeaways|stichpunkte?n?|punkte?n?|puntos|punti|pontos|punten';
const LISTED =
  /(?<!\p{L})(?:bullets?|bullet points?|bulleted|(?:key|main|important) (?:points|takeaways)|stichpunkte?n?|aufzählung|points clés|liste à puces|puntos clave|viñetas|punti chiave|elenco puntato)(?!\p{L})|箇条書き/iu;
const COUNTED = new RegExp(`(?:^|[\\s-])(?:${NOUNS})(?!\\p{L})`, 'iu');
/** Where a sentence can be divided into two points. */
const CLAUSE =
  /;\s+|\s[–—]\s|,\s+(?=(?:and|but|while|whereas|so|und|aber|während|et|mais|tandis|y|pero|mientras|e|ma|mentre)\s)|(?<=[。；、])/u;

/** @param count the number of points that the instruction names, if any */
export const asksBullets = (instruction: string, count: number | undefined): boolean =>
  LISTED.test(instruction) || (count !== undefined && COUNTED.test(instruction));

/** The nouns before which a number means so many points. */
export const BULLET_NOUNS = NOUNS;

/** The points as lines; a last line says so where the text has fewer than were asked for. */
export function bulletPoints(reading: Reading, wanted: number, effort: Effort): Extract {
  const summary = summarise(reading, { effort, sentences: wanted });
  const all = prose(reading).map(({ text }) => text);
  const points = summary.sentences.length >= wanted ? summary.sentences : divided(all, wanted);
  const lines = points.map((point) => `- ${point}`);
  if (points.length < wanted && points.length > 0)
    lines.push(
      '',
      `(The text has only ${points.length} ${points.length === 1 ? 'point' : 'points'} that can be quoted.)`,
    );
  return { text: lines.join('\n'), sentences: points, confidence: summary.confidence };
}

/** All sentences of a text that has too few, the longest divided at its clauses until there are enough. */
function divided(sentences: readonly string[], wanted: number): string[] {
  let points = sentences.slice(0, wanted);
  while (points.length < wanted) {
    const longest = points
      .map((point, at) => ({ at, parts: inTwo(point), length: point.length }))
      .filter(({ parts }) => parts.length === 2)
      .sort((a, b) => b.length - a.length)[0];
    if (longest === undefined) break;
    points = [...points.slice(0, longest.at), ...longest.parts, ...points.slice(longest.at + 1)];
  }
  return points;
}

/** The two parts of a sentence around its first clause break; itself where it has none, or a part would be too short. */
function inTwo(point: string): string[] {
  const found = CLAUSE.exec(point);
  if (found === null) return [point];
  const parts = [point.slice(0, found.index), point.slice(found.index + found[0].length)].map((part) => part.trim());
  return parts.every((part) => part.length > 4) ? parts : [point];
}
