/** A plan as an SVG picture, readable on light and dark pages, without a script or an embedded font. */
import type { NodeState } from '../core/run/engine.ts';
import type { Drawing, DrawnNode, States } from './layout.ts';
import { cutMiddle, cutToWidth, displayWidth, oneLine, wrapText } from './plain-text.ts';
import { placementOf, type Route, type Slot } from './routes.ts';

const BOX = { narrowest: 190, wide: 270, widest: 370, line: 17, padding: 12, inset: 14, gapX: 80, gapY: 22 };
const MARGIN = { side: 24, top: 56, bottom: 24 };
const TITLE = { line: 22, lines: 4 };
/** The most lines of one note. */
const NOTE_LINES = 3;
const SMALLEST_WIDTH = 480;
/** Pixels per column of text: a generous mean, because the reader's font is unknown. */
const PIXELS = { title: 10.6, id: 8.6, note: 6.9 };

const COLOURS: Readonly<Record<NodeState | 'plain', readonly [fill: string, stroke: string]>> = {
  plain: ['#eef3fb', '#41639b'],
  waiting: ['#f4f4f4', '#8a8a8a'],
  ready: ['#f4f4f4', '#8a8a8a'],
  running: ['#fff3d6', '#b7791f'],
  suspended: ['#f3e6fb', '#7b3fa0'],
  done: ['#dff3e4', '#2f7d46'],
  skipped: ['#f4f4f4', '#b3b3b3'],
  failed: ['#fbe1e1', '#a83232'],
  cancelled: ['#f4f4f4', '#a83232'],
};

/** Characters that XML forbids even when escaped: most control characters, lone surrogates, two noncharacters. */
const isForbidden = (sign: string): boolean => {
  const code = sign.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0xd800 && code <= 0xdfff) || (code >= 0xfffe && code <= 0xffff);
};

const escapeText = (text: string): string =>
  [...oneLine(text)]
    .filter((sign) => !isForbidden(sign))
    .join('')
    .replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);

/** Cuts a text to what fits into `pixels`, and escapes it. */
const fitted = (text: string, pixels: number, perColumn: number): string =>
  escapeText(cutToWidth(oneLine(text), Math.floor(pixels / perColumn)));

const useOf = (node: DrawnNode, state: NodeState | undefined): string =>
  state === undefined ? node.use : `${node.use} · ${state}`;

/** The notes in lines that fit into `pixels`; a note that needs more lines than there may be is cut in the last. */
function noteLines(notes: readonly string[], pixels: number): string[] {
  const columns = Math.floor(pixels / PIXELS.note);
  return notes.flatMap((note) => {
    const lines = wrapText(oneLine(note), columns).split('\n');
    const shown = lines.slice(0, NOTE_LINES);
    if (lines.length > NOTE_LINES) shown[NOTE_LINES - 1] = lines.slice(NOTE_LINES - 1).join(' ');
    return shown.map((line) => cutToWidth(line, columns));
  });
}

const heightOf = (node: DrawnNode, boxWidth: number): number =>
  BOX.padding * 2 + BOX.line * (2 + noteLines(node.notes, boxWidth - 2 * BOX.inset).length) - 4;

/** Wide enough for the longest name, and for most of the longest note, which may have several lines. */
function boxWidthOf(nodes: readonly DrawnNode[]): number {
  let needed: number = BOX.narrowest;
  for (const { id, use, notes } of nodes) {
    needed = Math.max(
      needed,
      displayWidth(id) * PIXELS.id + 2 * BOX.inset,
      displayWidth(use) * PIXELS.note + 2 * BOX.inset,
    );
    for (const note of notes)
      needed = Math.max(needed, Math.min(BOX.wide, displayWidth(note) * PIXELS.note + 2 * BOX.inset));
  }
  return Math.min(BOX.widest, Math.ceil(needed));
}

/** Coordinates with at most one decimal: more is not visible, and the file stays small. */
const at = (value: number): string => String(Math.round(value * 10) / 10);

interface Grid {
  readonly boxWidth: number;
  left(slot: Slot): number;
  middle(slot: Slot): number;
}

/** An edge from box to box, straight through its slots in the columns between. */
function edge({ stops, control }: Route, { boxWidth, left, middle }: Grid): string {
  const [start, ...rest] = stops;
  if (start === undefined) return '';
  let x = left(start) + boxWidth;
  let y = middle(start);
  let path = `M${at(x)} ${at(y)}`;
  for (const stop of rest) {
    const end = left(stop) - (stop.node === undefined ? 0 : 3);
    const bend = (end - x) / 2;
    path += ` C${at(x + bend)} ${at(y)} ${at(end - bend)} ${at(middle(stop))} ${at(end)} ${at(middle(stop))}`;
    x = left(stop) + boxWidth;
    y = middle(stop);
    if (stop.node === undefined) path += ` H${at(x)}`;
  }
  const dash = control ? ' stroke-dasharray="5 4"' : '';
  return `<path d="${path}" fill="none" stroke="#7d8794" stroke-width="1.4" marker-end="url(#arrow)"${dash}/>`;
}

function box(slot: Slot, state: NodeState | undefined, { boxWidth, left, middle }: Grid): string {
  const { node } = slot;
  if (node === undefined) return '';
  const height = heightOf(node, boxWidth);
  const [fill, stroke] = COLOURS[state ?? 'plain'];
  const room = boxWidth - 2 * BOX.inset;
  const dash = state === 'skipped' ? ' stroke-dasharray="5 4"' : '';
  const use = useOf(node, state);
  const notes = [use, ...noteLines(node.notes, room)].map((text, index) => {
    const y = BOX.padding + BOX.line * (index + 2) - 4;
    return `<text x="${BOX.inset}" y="${y}" fill="#4a5361" font-size="12">${fitted(text, room, PIXELS.note)}</text>`;
  });
  const top = BOX.padding + BOX.line - 4;
  const weight = node.inOutput ? 2.4 : 1.4;
  // The inner svg element clips text that a wide font would draw beyond the box.
  return [
    `<g><title>${escapeText([node.id, use, ...node.notes].join('; '))}</title>`,
    `<rect x="${at(left(slot))}" y="${at(middle(slot) - height / 2)}" width="${boxWidth}" height="${height}" rx="8" fill="${fill}" stroke="${stroke}" stroke-width="${weight}"${dash}/>`,
    ...(node.isFolded ? [frame(slot, height, stroke, { boxWidth, left, middle })] : []),
    `<svg x="${at(left(slot))}" y="${at(middle(slot) - height / 2)}" width="${boxWidth - 6}" height="${height}">`,
    `<text x="${BOX.inset}" y="${top}" fill="#1c2430" font-size="14" font-weight="600">${escapeText(cutMiddle(node.id, Math.floor(room / PIXELS.id)))}</text>`,
    ...notes,
    '</svg></g>',
  ].join('\n');
}

/** A second border: there are nodes inside. */
const frame = (slot: Slot, height: number, stroke: string, { boxWidth, left, middle }: Grid): string =>
  `<rect fill="none" stroke="${stroke}" stroke-width="0.8" x="${at(left(slot) + 4)}" y="${at(middle(slot) - height / 2 + 4)}" width="${boxWidth - 8}" height="${height - 8}" rx="5"/>`;

/** The title in lines that fit into `pixels`; one that needs more lines than there may be is cut in the last. */
function titleLines(title: string, pixels: number): string[] {
  const columns = Math.floor(pixels / PIXELS.title);
  const lines = wrapText(oneLine(title), columns).split('\n');
  const shown = lines.slice(0, TITLE.lines).map((line) => cutToWidth(line, columns));
  if (lines.length > TITLE.lines) shown[TITLE.lines - 1] = cutToWidth(lines.slice(TITLE.lines - 1).join(' '), columns);
  return shown;
}

interface Panel {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly string[];
}

/** One drawing with its title, from the left upper corner. */
function panelOf(drawing: Drawing, states: States | undefined): Panel {
  const boxWidth = boxWidthOf(drawing.columns.flat());
  const placement = placementOf(drawing, { gap: BOX.gapY, heightOf: (node) => heightOf(node, boxWidth) });
  const needed = MARGIN.side * 2 + drawing.columns.length * (boxWidth + BOX.gapX) - BOX.gapX;
  const width = Math.max(SMALLEST_WIDTH, needed);
  const title = titleLines(drawing.title, width - 2 * MARGIN.side);
  const top = MARGIN.top + TITLE.line * (title.length - 1);
  const grid: Grid = {
    boxWidth,
    left: ({ column }) => MARGIN.side + column * (boxWidth + BOX.gapX),
    middle: ({ y }) => top + y,
  };
  const lines = [
    ...title.map(
      (line, index) =>
        `<text x="${MARGIN.side}" y="${32 + index * TITLE.line}" fill="#1c2430" font-size="16" font-weight="600">${escapeText(line)}</text>`,
    ),
    ...placement.routes.map((route) => edge(route, grid)),
    ...placement.columns
      .flat()
      .map((slot) => box(slot, slot.node === undefined ? undefined : states?.get(slot.node.id), grid)),
  ];
  return { width, height: Math.ceil(top + placement.height + MARGIN.bottom), lines };
}

/**
 * @param states colour each node by its state; without them only the plan is drawn
 * @param opened drawings of workflows, each below the one before. @default none
 */
export function drawSvg(drawing: Drawing, states?: States, opened: readonly Drawing[] = []): string {
  const first = panelOf(drawing, states);
  const others = opened.map((inner) => panelOf(inner, undefined));
  const width = Math.max(...[first, ...others].map((panel) => panel.width));
  let { height } = first;
  const below = others.map((panel) => {
    const moved = [`<g transform="translate(0 ${height})">`, ...panel.lines, '</g>'];
    height += panel.height;
    return moved;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" role="img">`,
    `<title>${escapeText(drawing.title)}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8Z" fill="#7d8794"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...first.lines,
    ...below.flat(),
    '</svg>',
    '',
  ]
    .filter((part, index, parts) => part !== '' || index === parts.length - 1)
    .join('\n');
}
