/**
 * The live view of a run: one line per node with its state, model, time and cost, redrawn in place. Only for terminals;
 * elsewhere the command prints nothing until the result.
 */

import type { NodeState, RunEvent } from '../../core/run/engine.ts';
import { cutMiddle, cutToWidth, displayWidth, oneLine, padToWidth } from '../../drawing/plain-text.ts';
import { STATE_MARKS } from '../../drawing/tree.ts';
import { counted } from './counted.ts';
import { costText, durationText, newProgress, type Row, type RunView, takeEvent } from './progress.ts';
import type { Paint, Terminal } from './terminal.ts';

const COLOURS: Readonly<Record<NodeState, keyof Paint>> = {
  waiting: 'dim',
  ready: 'dim',
  running: 'yellow',
  suspended: 'magenta',
  done: 'green',
  skipped: 'dim',
  failed: 'red',
  cancelled: 'red',
};
const FRAMES = ['◐', '◓', '◑', '◒'];
const REDRAW_MS = 120;

export interface LiveView {
  onEvent(event: RunEvent): void;
  /** Draws the last state and leaves it on the screen. */
  stop(): void;
}

export interface Ticker {
  now(): number;
  every(milliseconds: number, tick: () => void): () => void;
}

export function createLiveView(terminal: Terminal, ticker: Ticker): LiveView {
  const progress = newProgress();
  let frame = 0;
  const draw = (room: number): void => {
    if (progress.rows.size === 0 && !progress.isPlanning) return;
    const options = { columns: terminal.columns(), rows: room, now: ticker.now(), frame, paint: terminal.paint };
    terminal.status(viewLines(progress, options));
  };
  const stopTicking = ticker.every(REDRAW_MS, () => {
    frame += 1;
    draw(Math.max(3, terminal.rows() - 2));
  });
  return {
    onEvent: (event) => takeEvent(progress, event),
    stop() {
      stopTicking();
      // The last state scrolls by with all its nodes: what did not fit while it ran can be read there.
      draw(Number.POSITIVE_INFINITY);
      terminal.keepStatus();
    },
  };
}

export interface ViewOptions {
  readonly columns: number;
  /** Lines at most. */
  readonly rows: number;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly frame: number;
  readonly paint: Paint;
}

/** A piece of a line: its text, and how it is painted. */
type Piece = readonly [text: string, paint: (text: string) => string];

/** The lines of the view; each fits into one row of the terminal and leaves the last column free. */
export function viewLines(progress: RunView, options: ViewOptions): string[] {
  const all = [...progress.rows.values()];
  const room = options.rows - 1;
  const shown = all.length <= room ? all : mostUrgent(all, room - 1);
  const widths = {
    id: Math.min(
      Math.max(0, ...all.map(({ node }) => displayWidth(node.id))),
      Math.max(8, Math.floor(options.columns / 3)),
    ),
    use: Math.min(Math.max(0, ...all.map(({ node }) => displayWidth(oneLine(node.use)))), 18),
  };
  const lines = shown.map((row) => lineOf(rowPieces(row, widths, options), options.columns - 1));
  const hidden = all.length - shown.length;
  if (hidden > 0) lines.push(lineOf([[`   … and ${hidden} more nodes`, options.paint.dim]], options.columns - 1));
  lines.push(lineOf(totalPieces(progress, options), options.columns - 1));
  return lines;
}

const URGENCY: Readonly<Record<NodeState, number>> = {
  failed: 0,
  suspended: 1,
  running: 2,
  ready: 3,
  waiting: 4,
  cancelled: 5,
  done: 6,
  skipped: 7,
};

/** The rows that matter most when not all fit, in the order of the plan. */
function mostUrgent(rows: readonly Row[], room: number): Row[] {
  const chosen = new Set([...rows].sort((a, b) => URGENCY[a.state] - URGENCY[b.state]).slice(0, Math.max(1, room)));
  return rows.filter((row) => chosen.has(row));
}

function rowPieces(row: Row, widths: { readonly id: number; readonly use: number }, options: ViewOptions): Piece[] {
  const { paint, now, frame } = options;
  const plain = (text: string): string => text;
  const mark = row.state === 'running' ? (FRAMES[frame % FRAMES.length] ?? '') : STATE_MARKS[row.state];
  const spent = row.milliseconds ?? (isRunning(row) && row.startedAt !== undefined ? now - row.startedAt : undefined);
  const pieces: Piece[] = [
    [` ${mark} `, paint[COLOURS[row.state]]],
    [padToWidth(cutMiddle(row.node.id, widths.id), widths.id), row.state === 'running' ? paint.bold : plain],
  ];
  // On a narrow terminal time and cost matter more than the kind of the node.
  if (options.columns >= 60)
    pieces.push([`  ${padToWidth(cutToWidth(oneLine(row.node.use), widths.use), widths.use)}`, paint.dim]);
  pieces.push([`  ${(spent === undefined ? '' : durationText(spent)).padStart(8)}`, paint.cyan]);
  if (row.node.each !== undefined && row.state !== 'waiting' && row.state !== 'skipped') {
    pieces.push([`  ${row.items}${row.itemsTotal === undefined ? '' : ` of ${row.itemsTotal}`}`, plain]);
  }
  if (row.round !== undefined) pieces.push([`  round ${row.round}`, plain]);
  if (row.rung > 0) pieces.push([`  ↑${row.rung}`, paint.magenta]);
  const cost =
    row.state === 'waiting' || row.state === 'ready' || row.costNanoUsd === 0 ? '' : costText(row.costNanoUsd);
  if (cost !== '') pieces.push([`  ${cost}`, paint.cyan]);
  if (row.model !== '' && row.state !== 'skipped') pieces.push([`  ${oneLine(row.model)}`, plain]);
  if (row.note !== '') pieces.push([`  ${isRunning(row) ? tail(row.note, options.columns) : row.note}`, paint.dim]);
  return pieces;
}

const isRunning = (row: Row): boolean => row.state === 'running';

/** The end of a text that is still growing, limited to a third of the width. */
function tail(note: string, columns: number): string {
  const room = Math.max(12, Math.floor(columns / 3));
  let kept = '';
  for (const sign of [...note.trimEnd()].reverse()) {
    if (displayWidth(kept) + displayWidth(sign) > room) return `…${kept}`;
    kept = sign + kept;
  }
  return kept;
}

function totalPieces(progress: RunView, { now, paint }: ViewOptions): Piece[] {
  const rows = [...progress.rows.values()];
  const over = rows.filter(({ state }) => ['done', 'skipped', 'failed', 'cancelled'].includes(state)).length;
  const { startedAt, endedAt = now, spentNanoUsd, capNanoUsd, isPlanning } = progress;
  const facts = [
    isPlanning && progress.endedAt === undefined
      ? `planning${plannerText(progress)}, ${over} of ${rows.length} nodes so far`
      : `${over} of ${rows.length} nodes`,
    durationText(startedAt === undefined ? 0 : endedAt - startedAt),
    `${costText(spentNanoUsd)}${capNanoUsd === undefined ? '' : ` of ${costText(capNanoUsd)}`}`,
  ];
  return [[`   ${facts.join(' · ')}`, paint.dim]];
}

/** Only after an answer that was no plan yet: until then nothing was counted. */
const plannerText = ({ plannerRounds, plannerTokens }: RunView): string =>
  plannerRounds === 0
    ? ''
    : ` (${counted(plannerRounds, 'round')}${plannerTokens === 0 ? '' : `, ${plannerTokens} tokens`})`;

/** Joins the pieces as far as they fit; the line does not end in blanks. */
function lineOf(pieces: readonly Piece[], columns: number): string {
  const last = pieces.findLastIndex(([text]) => text.trim() !== '');
  let room = columns;
  let line = '';
  for (const [index, [piece, paint]] of pieces.slice(0, last + 1).entries()) {
    const text = index === last ? piece.trimEnd() : piece;
    const shown = cutToWidth(text, room);
    line += paint(shown);
    room -= displayWidth(shown);
    if (shown !== text) break;
  }
  return line;
}
