/** A plan as an SVG picture, readable on light and on dark pages, without a script or a font of its own. */
import type { NodeState } from '../core/engine.ts';
import type { Drawing, DrawnNode, States } from './layout.ts';

const BOX = { width: 230, line: 17, padding: 12, gapX: 90, gapY: 26 };
const MARGIN = { left: 24, top: 56, bottom: 24 };
const LONGEST_NOTE = 34;

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

interface Placed {
  readonly node: DrawnNode;
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** What XML does not allow at all, escaped or not: most control characters, lone surrogates, two noncharacters. */
const isForbidden = (sign: string): boolean => {
  const code = sign.codePointAt(0) ?? 0;
  return (
    (code < 0x20 && code !== 9 && code !== 10 && code !== 13) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    (code >= 0xfffe && code <= 0xffff)
  );
};

const escapeText = (text: string): string =>
  [...text]
    .filter((sign) => !isForbidden(sign))
    .join('')
    .replace(/[&<>"']/g, (sign) => `&#${sign.codePointAt(0)};`);

const shorten = (text: string): string => (text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 1)}…` : text);

const heightOf = (node: DrawnNode): number => BOX.padding * 2 + BOX.line * (2 + node.notes.length) - 4;

function place(drawing: Drawing): {
  readonly placed: Map<string, Placed>;
  readonly width: number;
  readonly height: number;
} {
  const placed = new Map<string, Placed>();
  const heights = drawing.columns.map((column) =>
    column.reduce((sum, node) => sum + heightOf(node) + BOX.gapY, -BOX.gapY),
  );
  const tallest = Math.max(...heights);
  drawing.columns.forEach((column, index) => {
    let y = MARGIN.top + (tallest - (heights[index] ?? 0)) / 2;
    for (const node of column) {
      placed.set(node.id, { node, x: MARGIN.left + index * (BOX.width + BOX.gapX), y, height: heightOf(node) });
      y += heightOf(node) + BOX.gapY;
    }
  });
  const width = MARGIN.left * 2 + drawing.columns.length * (BOX.width + BOX.gapX) - BOX.gapX;
  return { placed, width, height: MARGIN.top + tallest + MARGIN.bottom };
}

function edge(from: Placed, to: Placed, control: boolean): string {
  const x1 = from.x + BOX.width;
  const y1 = from.y + from.height / 2;
  const y2 = to.y + to.height / 2;
  const bend = Math.max(40, (to.x - x1) / 2);
  const dash = control ? ' stroke-dasharray="5 4"' : '';
  return `<path d="M${x1} ${y1} C${x1 + bend} ${y1} ${to.x - bend} ${y2} ${to.x - 3} ${y2}" fill="none" stroke="#7d8794" stroke-width="1.4" marker-end="url(#arrow)"${dash}/>`;
}

function box({ node, x, y, height }: Placed, state: NodeState | undefined): string {
  const [fill, stroke] = COLOURS[state ?? 'plain'];
  const dash = state === 'skipped' ? ' stroke-dasharray="5 4"' : '';
  const texts = [node.use, ...node.notes].map(
    (text, index) =>
      `<text x="${x + 14}" y="${y + BOX.padding + BOX.line * (index + 2) - 4}" fill="#4a5361" font-size="12">${escapeText(shorten(text))}</text>`,
  );
  const weight = node.inOutput ? 2.4 : 1.4;
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${height}" rx="8" fill="${fill}" stroke="${stroke}" stroke-width="${weight}"${dash}/>`,
    `<text x="${x + 14}" y="${y + BOX.padding + BOX.line - 4}" fill="#1c2430" font-size="14" font-weight="600">${escapeText(node.id)}</text>`,
    ...texts,
  ].join('\n');
}

/** @param states colours each node by how it stands; without them the plan alone is drawn */
export function drawSvg(drawing: Drawing, states?: States): string {
  const { placed, width, height } = place(drawing);
  const edges = [...placed.values()].flatMap((to) =>
    [...to.node.data, ...to.node.control].flatMap((id) => {
      const from = placed.get(id);
      return from === undefined ? [] : [edge(from, to, to.node.control.includes(id))];
    }),
  );
  const boxes = [...placed.values()].map((one) => box(one, states?.get(one.node.id)));
  const title = escapeText(drawing.title.length > 110 ? `${drawing.title.slice(0, 109)}…` : drawing.title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" role="img">`,
    `<title>${title}</title>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8Z" fill="#7d8794"/></marker></defs>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN.left}" y="32" fill="#1c2430" font-size="16" font-weight="600">${title}</text>`,
    ...edges,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}
