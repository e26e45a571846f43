/** The content of a text without its markup: paragraphs, list items, headings, code and table rows, in order. */

export interface Block {
  readonly kind: 'paragraph' | 'item' | 'heading' | 'code' | 'row';
  /** Plain text: links, emphasis and inline code are unwrapped. */
  readonly text: string;
  /** The nearest heading above, or ''. */
  readonly heading: string;
}

/** Characters read per text; the rest is ignored. */
export const TEXT_LIMIT = 2_000_000;
const FENCE = /^\s{0,3}(```+|~~~+)/;
const HEADING = /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const UNDERLINE = /^\s{0,3}(?:={3,}|-{3,})\s*$/;
const ITEM = /^\s*(?:[-*+•]|\d{1,3}[.)]|\(?[a-z\d]\))\s+(?=\S)/;
const ROW = /^\s*\|.*\|\s*$/;
const RULER = /^\s*\|?[\s:|-]+\|?\s*$/;

interface Reader {
  readonly blocks: Block[];
  heading: string;
  fence: string;
  kind: Block['kind'];
  lines: string[];
}

/** The blocks of a Markdown or plain text. Linear; never throws. */
export function readBlocks(text: string): Block[] {
  const reader: Reader = { blocks: [], heading: '', fence: '', kind: 'paragraph', lines: [] };
  const source = stripComments(text.slice(0, TEXT_LIMIT));
  for (const line of source.split(/\r\n|[\n\r\u2028\u2029]/)) readLine(reader, line);
  flush(reader);
  return reader.blocks;
}

/** Removes front matter and HTML comments, which readers do not see. */
function stripComments(text: string): string {
  let rest = text;
  if (rest.startsWith('---\n')) {
    const end = rest.indexOf('\n---', 4);
    if (end > 0 && end < 4000) rest = rest.slice(end + 4);
  }
  if (!rest.includes('<!--')) return rest;
  return rest
    .split('<!--')
    .map((part, index) => {
      const end = index === 0 ? -1 : part.indexOf('-->');
      return end === -1 ? (index === 0 ? part : `<!--${part}`) : part.slice(end + 3);
    })
    .join('');
}

function readLine(reader: Reader, line: string): void {
  const fence = FENCE.exec(line)?.[1];
  if (reader.fence !== '') {
    if (fence?.startsWith(reader.fence)) endFence(reader);
    else reader.lines.push(line);
    return;
  }
  if (fence !== undefined) {
    flush(reader);
    reader.fence = fence;
    reader.kind = 'code';
    return;
  }
  const heading = HEADING.exec(line)?.[2];
  if (heading !== undefined) {
    startHeading(reader, heading);
  } else if (UNDERLINE.test(line) && reader.lines.length === 1 && reader.kind === 'paragraph') {
    const title = reader.lines.join(' ');
    reader.lines = [];
    startHeading(reader, title);
  } else if (ROW.test(line)) {
    flush(reader);
    if (!RULER.test(line)) push(reader, 'row', line.replace(/^\s*\||\|\s*$/g, '').replace(/\s*\|\s*/g, ' | '));
  } else if (line.trim() === '') {
    flush(reader);
  } else if (ITEM.test(line)) {
    flush(reader);
    reader.kind = 'item';
    reader.lines.push(line.replace(ITEM, ''));
  } else {
    reader.lines.push(line.replace(/^\s*>+\s?/, '').replace(/\\$/, ''));
  }
}

function endFence(reader: Reader): void {
  flush(reader);
  reader.fence = '';
}

function startHeading(reader: Reader, title: string): void {
  flush(reader);
  reader.heading = unwrap(title);
  if (reader.heading !== '') reader.blocks.push({ kind: 'heading', text: reader.heading, heading: reader.heading });
}

function flush(reader: Reader): void {
  const { kind, lines } = reader;
  reader.lines = [];
  reader.kind = 'paragraph';
  if (lines.length === 0) return;
  push(reader, kind, kind === 'code' ? lines.join('\n') : lines.join(' '));
}

function push(reader: Reader, kind: Block['kind'], text: string): void {
  const plain = kind === 'code' ? text.trim() : unwrap(text);
  if (/[\p{L}\p{N}]/u.test(plain)) reader.blocks.push({ kind, text: plain, heading: reader.heading });
}

/** Inline markup as the words that a reader sees; text in backticks is kept verbatim. */
export function unwrap(text: string): string {
  const parts = withoutLinks(text).split('`');
  const unpaired = parts.length % 2 === 0 ? parts.length - 1 : parts.length;
  return parts
    .map((part, index) => (index % 2 === 1 && index < unpaired ? part : withoutMarkup(part)))
    .join('')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Images are removed; links are replaced by their text, which may contain backticks. */
function withoutLinks(text: string): string {
  if (!text.includes('[')) return text;
  return text
    .replace(/!\[[^\]\n]{0,300}\]\([^)]{0,1000}\)/g, ' ')
    .replace(/!\[[^\]\n]{0,300}\]\[[^\]\n]{0,100}\]/g, ' ')
    .replace(/\[([^\]\n]{0,300})\]\([^)\s]{0,1000}(?:\s"[^"]{0,300}")?\)/g, '$1')
    .replace(/\[([^\]\n]{1,300})\]\[[^\]\n]{0,100}\]/g, '$1')
    .replace(/^\[[^\]\n]{1,100}\]:\s+\S+.*$/, ' ')
    .replace(/\[!(?:NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]/g, ' ');
}

function withoutMarkup(text: string): string {
  return text
    .replace(/<(https?:\/\/[^>\s]{1,2000})>/g, '$1')
    .replace(/<\/?[a-zA-Z][^<>]{0,1000}>/g, ' ')
    .replace(/(\*\*|__)(?=\S)([^*_]{1,1000}?)\1/g, '$2')
    .replace(/(^|[\s(])[*_](?=\S)([^*_\n]{1,500}?)[*_](?=$|[\s).,;:!?])/g, '$1$2')
    .replace(/&nbsp;/g, ' ')
    .replace(/&amp;/g, '&');
}
