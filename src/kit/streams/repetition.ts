/**
 * Notices a text that only repeats itself, as weak models write it until their limit: its last characters are the same
 * passage over and over, without any change. A list that counts or a table of different figures is not a repetition.
 */
export interface Repetition {
  /** The number of characters that have to repeat. */
  readonly characters: number;
  /** Takes the next piece; true once the last characters are one passage, at least four times. */
  add(piece: string): boolean;
}

/** The passage repeats at least so often within the window. */
const TIMES = 4;

/** Linear: the window is read once for each quarter of it that arrives. */
export function repetitionOf(characters: number): Repetition {
  const step = Math.max(1, Math.floor(characters / 4));
  const borders = new Uint32Array(characters);
  let window = '';
  let unread = 0;
  return {
    characters,
    add(piece) {
      window += piece;
      unread += piece.length;
      if (unread < step || window.length < characters) return false;
      unread = 0;
      window = window.slice(-characters);
      return periodOf(window, borders) * TIMES <= characters;
    },
  };
}

/** The smallest period of the text: its length, less its longest border. `borders` is reused between calls. */
function periodOf(text: string, borders: Uint32Array): number {
  borders[0] = 0;
  let length = 0;
  for (let at = 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    while (length > 0 && unit !== text.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (unit === text.charCodeAt(length)) length += 1;
    borders[at] = length;
  }
  return text.length - length;
}
