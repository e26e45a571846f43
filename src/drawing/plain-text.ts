/** Makes text of models, files and plans safe to show: it cannot control a terminal, and its width is known. */

/**
 * Control characters (C0 with ESC, DEL, C1) could control a terminal. Bidirectional embeddings, overrides and isolates
 * could change how a line reads (CVE-2021-42574). Tabs, line ends and the plain marks of right-to-left text are kept.
 */
const UNSAFE = /[^\P{Cc}\n\t]|[\u202A-\u202E\u2066-\u2069]/gu;

export const printable = (text: string): string => text.replace(UNSAFE, '');

/** Printable text on one line. */
export const oneLine = (text: string): string => printable(text.replace(/\s+/gu, ' ')).trim();

/** Equivalent JSON that is safe to print: escapes the unsafe characters that `JSON.stringify` does not escape. */
export const safeJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(
    /[\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** East Asian Wide and Fullwidth characters of Unicode Annex 11, by block, and emoji that are shown as pictures. */
const WIDE =
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\u4DBF\u4E00-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u;

/** Columns of one code point in a terminal. */
function widthOfSign(sign: string): number {
  if (sign.length === 1 && sign >= ' ' && sign <= '~') return 1;
  if (ZERO_WIDTH.test(sign)) return 0;
  return WIDE.test(sign) ? 2 : 1;
}

/** Columns of printable text in a terminal; the width of a joined emoji may be too large, never too small. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const sign of text) width += widthOfSign(sign);
  return width;
}

/** Cuts a text to at most `columns` columns, with `…` where something was cut. */
export function cutToWidth(text: string, columns: number): string {
  // A code point takes at most two columns, so a short text needs no measuring.
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

/** Cuts a text to at most `columns` columns in its middle, because names often differ at their end. */
export function cutMiddle(text: string, columns: number): string {
  if (text.length * 2 <= columns || displayWidth(text) <= columns) return text;
  if (columns < 3) return cutToWidth(text, columns);
  const signs = [...text];
  const tail = Math.floor((columns - 1) / 2);
  let end = signs.length;
  for (let width = 0; end > 0; end -= 1) {
    width += widthOfSign(signs[end - 1] ?? '');
    if (width > tail) break;
  }
  const head = cutToWidth(text, columns - displayWidth(signs.slice(end).join('')));
  return `${head}${signs.slice(end).join('')}`;
}

const INDENT = /^(?:\s*(?:[-*] )?)/u;

/**
 * Breaks the lines of a text at blanks, so that each fits into `columns` columns. What follows a broken line is indented as
 * the line is. A word that does not fit stays whole: an address or a path that is broken cannot be copied.
 *
 * @param widthOf columns of a piece of the text. @default those of all its characters
 */
export function wrapText(text: string, columns: number, widthOf: (text: string) => number = displayWidth): string {
  return text
    .split('\n')
    .flatMap((line) => (widthOf(line) <= columns ? [line] : wrapLine(line, columns, widthOf)))
    .join('\n');
}

function wrapLine(line: string, columns: number, widthOf: (text: string) => number): string[] {
  const indent = INDENT.exec(line)?.[0] ?? '';
  const hanging = ' '.repeat(indent.length);
  const lines: string[] = [];
  let current = indent;
  let width = indent.length;
  let isEmpty = true;
  for (const word of line.slice(indent.length).split(' ')) {
    const wide = widthOf(word);
    if (!isEmpty && width + 1 + wide > columns) {
      lines.push(current);
      current = `${hanging}${word}`;
      width = hanging.length + wide;
    } else {
      current += isEmpty ? word : ` ${word}`;
      width += wide + (isEmpty ? 0 : 1);
    }
    isEmpty = false;
  }
  return [...lines, current];
}
