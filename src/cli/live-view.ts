/**
 * The run while it runs: one line a node with its state, model, time and cost, redrawn in place. Only for terminals; on
 * anything else the command is quiet until the result.
 */
import type { NodeState, RunEvent } from '../core/engine.ts';
import { formatUsd, usdToNano } from '../core/money.ts';
import type { Plan } from '../core/plan.ts';
import { type Paint, printable, type Terminal } from './terminal.ts';

interface Row {
  readonly id: string;
  readonly use: string;
  state: NodeState;
  startedAt: number | undefined;
  milliseconds: number | undefined;
  model: string;
  cost: string;
  items: number;
  /** The last words that it said, or why it failed. */
  note: string;
}

const MARKS: Readonly<Record<NodeState, (paint: Paint, frame: string) => string>> = {
  waiting: (paint) => paint.dim('·'),
  ready: (paint) => paint.dim('○'),
  running: (paint, frame) => paint.yellow(frame),
  suspended: (paint) => paint.magenta('?'),
  done: (paint) => paint.green('✓'),
  skipped: (paint) => paint.dim('–'),
  failed: (paint) => paint.red('✗'),
  cancelled: (paint) => paint.red('×'),
};
const FRAMES = ['◐', '◓', '◑', '◒'];

export interface LiveView {
  onEvent(event: RunEvent): void;
  /** Draws the last state and leaves it on the screen. */
  stop(): void;
}

const seconds = (milliseconds: number): string =>
  milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;

const newRow = (id: string, use: string): Row => ({
  id,
  use,
  state: 'waiting',
  startedAt: undefined,
  milliseconds: undefined,
  model: '',
  cost: '',
  items: 0,
  note: '',
});

const lastWords = (text: string): string => printable(text).replace(/\s+/g, ' ').slice(-200);

/** Cut to a width, measured in code points: near enough for a line of progress. */
function cut(text: string, width: number): string {
  const signs = [...text];
  return signs.length <= width ? text : `${signs.slice(0, Math.max(0, width - 1)).join('')}…`;
}

type NodeEvent = Extract<RunEvent, { readonly nodeId: string; readonly at: number }>;

/** What one event changes in its row. */
function apply(row: Row, event: NodeEvent): void {
  switch (event.type) {
    case 'node-started':
      row.state = 'running';
      row.startedAt ??= event.at;
      return;
    case 'node-delta':
      row.note = lastWords(row.note + event.text);
      return;
    case 'item-finished':
      row.items += 1;
      row.note = `${row.items} done`;
      return;
    case 'node-escalated':
      row.note = printable(event.escalation.reason);
      return;
    case 'node-finished': {
      const { meta } = event.result;
      row.state = 'done';
      row.milliseconds = meta.ms;
      row.model = meta.provider === undefined ? '' : (meta.model ?? '');
      row.cost = meta.costUsd === null ? 'unknown cost' : meta.costUsd === 0 ? '' : formatUsd(usdToNano(meta.costUsd));
      return;
    }
    case 'node-skipped':
      row.state = 'skipped';
      row.note = event.reason;
      return;
    case 'node-failed':
      row.state = 'failed';
      row.note = printable(event.error.message);
      return;
    case 'node-cancelled':
      row.state = 'cancelled';
      row.note = event.reason;
      return;
    case 'node-suspended':
      row.state = 'suspended';
      row.note = printable(event.question.question);
      return;
    default:
      return;
  }
}

export function createLiveView(
  terminal: Terminal,
  time: { now(): number; every(milliseconds: number, tick: () => void): () => void },
): LiveView {
  const rows = new Map<string, Row>();
  let drawn = 0;
  let frame = 0;
  const take = (plan: Plan): void => {
    for (const node of plan.nodes) if (!rows.has(node.id)) rows.set(node.id, newRow(node.id, node.use));
  };
  const draw = (): void => {
    frame += 1;
    const lines = linesOf([...rows.values()], terminal, time.now(), FRAMES[frame % FRAMES.length] ?? '');
    const up = drawn > 0 ? `\u001b[${drawn}A` : '';
    terminal.say(`${up}\u001b[0J${lines.join('\n')}`);
    drawn = lines.length;
  };
  const stopTicking = time.every(120, draw);
  return {
    onEvent(event) {
      if (event.type === 'run-started' || event.type === 'plan-revised') take(event.plan);
      else if ('nodeId' in event && event.nodeId !== undefined && event.type !== 'run-failed') {
        const row = rows.get(event.nodeId);
        if (row !== undefined) apply(row, event);
      }
    },
    stop() {
      stopTicking();
      draw();
    },
  };
}

/** Running and failed nodes first when the screen is too small for all. */
function linesOf(all: readonly Row[], terminal: Terminal, now: number, frame: string): string[] {
  const room = Math.max(3, terminal.rows() - 4);
  const urgency = (row: Row): number =>
    row.state === 'running' || row.state === 'failed' || row.state === 'suspended' ? 0 : 1;
  const shown = all.length <= room ? all : [...all].sort((a, b) => urgency(a) - urgency(b)).slice(0, room - 1);
  const idWidth = Math.min(40, Math.max(...all.map((row) => row.id.length)));
  const useWidth = Math.min(24, Math.max(...all.map((row) => row.use.length)));
  const lines = shown.map((row) => {
    const spent =
      row.milliseconds ?? (row.state === 'running' && row.startedAt !== undefined ? now - row.startedAt : undefined);
    const facts = [row.model, spent === undefined ? '' : seconds(spent), row.cost]
      .filter((fact) => fact !== '')
      .join('  ');
    const head = `${row.id.padEnd(idWidth)}  ${row.use.padEnd(useWidth)}`;
    const room = terminal.columns() - head.length - facts.length - 8;
    const note =
      row.note === '' || room < 10 || row.state === 'done' ? '' : `  ${terminal.paint.dim(cut(row.note, room))}`;
    return ` ${MARKS[row.state](terminal.paint, frame)} ${cut(head, terminal.columns() - 6)}  ${terminal.paint.cyan(facts)}${note}`;
  });
  return shown.length < all.length ? [...lines, `   … and ${all.length - shown.length} more nodes`] : lines;
}
