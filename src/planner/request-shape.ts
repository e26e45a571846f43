/**
 * The shape of a request: its words, with the parts that vary from one request to the next taken out. Two requests have the same
 * shape only if they are the same but for the values of such parts, and if the same parts are equal to each other.
 */

export type PartType = 'number' | 'path' | 'url' | 'quoted';

/** A part that may vary. */
export interface VariablePart {
  readonly type: PartType;
  /** As it stands in the request, without quotes. */
  readonly text: string;
}

export interface RequestShape {
  /** Equal for requests of the same shape, and only for those. */
  readonly shape: string;
  /** In their order, each text once. */
  readonly parts: readonly VariablePart[];
}

const MOST_PARTS = 24;
/** In characters: material that stands in the request itself hardly comes again. */
const LONGEST_REQUEST = 4000;

/**
 * Quoted texts, addresses, paths or names of files, numbers: in this order, because each may hold the ones after it. Every
 * alternative ends at the first character that it does not take, and none is longer than 300, so reading is linear.
 */
const PART =
  /(?<quoted>(?<![\p{L}\p{N}])(?:"[^"\n]{1,300}"|'[^'\n]{1,300}'(?![\p{L}\p{N}])|“[^”\n]{1,300}”|«[^»\n]{1,300}»|`[^`\n]{1,300}`))|(?<url>https?:\/\/[^\s"'<>`]{1,300})|(?<path>(?<![\p{L}\p{N}_./~-])(?:[\p{L}\p{N}_~.-]{0,100}(?:\/[\p{L}\p{N}_~.-]{1,100}){1,12}\/?|[\p{L}\p{N}_-]{1,100}(?:\.[\p{L}\p{N}_-]{1,40}){0,3}\.\p{L}[\p{L}\p{N}]{0,7})(?![\p{L}\p{N}_]))|(?<number>(?<![\p{L}\p{N}_.,])\d{1,15}(?:\.\d{1,6})?(?![\p{L}\p{N}_]))/gu;

/** Undefined: the request is too long, or holds what no plan may be made from twice. */
export function shapeOf(request: string): RequestShape | undefined {
  const text = request.trim();
  if (text.length > LONGEST_REQUEST || text.includes('{{') || text.includes('}}')) return undefined;
  const pieces: unknown[] = [];
  const parts: VariablePart[] = [];
  const known = new Map<string, number>();
  let at = 0;
  for (const match of text.matchAll(PART)) {
    const part = partOf(match);
    if (part === undefined) continue;
    const start = match.index + part.offset;
    const { type } = part;
    pieces.push(text.slice(at, start));
    at = start + part.text.length;
    const same = known.get(part.text);
    if (same === undefined) {
      known.set(part.text, parts.length);
      parts.push({ type, text: part.text });
    }
    pieces.push([type, type === 'path' ? extensionOf(part.text) : '', same ?? parts.length - 1]);
  }
  pieces.push(text.slice(at));
  if (parts.length > MOST_PARTS) return undefined;
  return { shape: JSON.stringify(pieces), parts };
}

interface FoundPart extends VariablePart {
  /** Where the text begins in the match: behind a quote. */
  readonly offset: number;
}

function partOf({ groups = {}, 0: whole }: RegExpMatchArray): FoundPart | undefined {
  if (groups.quoted !== undefined) return { type: 'quoted', text: whole.slice(1, -1), offset: 1 };
  if (groups.number !== undefined) return { type: 'number', text: whole, offset: 0 };
  // A full stop or a comma behind a name ends the sentence.
  const text = whole.replace(/[.,;:!?)]{1,5}$/, '');
  if (text === '') return undefined;
  return { type: groups.url === undefined ? 'path' : 'url', text, offset: 0 };
}

/** Files of another kind are read in another way, so the ending is a part of the shape. */
export const extensionOf = (path: string): string => /\.([\p{L}\p{N}]{1,8})$/u.exec(path)?.[1]?.toLowerCase() ?? '';
