/** Text of models, files and plans made fit to be shown: nothing in it can steer a terminal, and its width is known. */

/**
 * Controls (C0 with ESC, DEL, C1) could drive a terminal, bidirectional embeddings, overrides and isolates could make a
 * line read as what it is not (CVE-2021-42574). Tabs and line ends stay, and so do the plain marks of right-to-left text.
 */
const UNSAFE = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu;

export const printable = (text: string): string => text.replace(UNSAFE, '');

/** On one line. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/gu, ' ')).trim();

/** JSON that means the same and is safe to print: what `JSON.stringify` leaves as it is becomes an escape. */
export const safeJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(
    /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** East Asian Wide and Fullwidth of Unicode Annex 11, in blocks, and the emoji that are drawn as pictures. */
const WIDE =
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u;

/** Columns of one code point in a terminal. */
function widthOfSign(sign: string): number {
  if (sign.length === 1 && sign >= ' ' && sign <= '~') return 1;
  if (ZERO_WIDTH.test(sign)) return 0;
  return WIDE.test(sign) ? 2 : 1;
}

/** Columns that printable text takes in a terminal; a joined emoji may be counted too wide, never too narrow. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const sign of text) width += widthOfSign(sign);
  return width;
}

/** Cut to so many columns, with `…` where something was cut. */
export function cutToWidth(text: string, columns: number): string {
  // A code point takes two columns at most: what is short enough is not measured.
  if (text.length * 2 <= columns || displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const sign of text) {
    width += widthOfSign(sign);
    if (width > columns - 1) break;
    kept += sign;
  }
  return columns < 1 ? '' : `${kept}…`;
}

export const padToWidth = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
