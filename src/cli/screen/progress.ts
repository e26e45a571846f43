/** The progress of a run, derived only from its events, which come from this process or from a journal. */
import { canonicalJson } from '../../core/json/canonical-json.ts';
import { addMoney, formatUsd, NANO_PER_USD, type NanoUsd } from '../../core/money/money.ts';
import type { Plan, PlanNode } from '../../core/plan/plan.ts';
import type { NodeState, RunEvent } from '../../core/run/engine.ts';
import { scrubText } from '../../core/scrub.ts';
import { oneLine } from '../../drawing/plain-text.ts';
import { shownJson } from '../../language/shown.ts';
import { renderValue } from '../../language/template.ts';

export interface Row {
  readonly node: PlanNode;
  state: NodeState;
  /** Epoch milliseconds. */
  startedAt: number | undefined;
  /** Duration of a node that has ended. */
  milliseconds: number | undefined;
  /** The model that answered; until then the one that the plan asks for. */
  model: string;
  costNanoUsd: NanoUsd | null;
  /** Items of `each` that have finished, and how many there are. */
  items: number;
  itemsTotal: number | undefined;
  round: number | undefined;
  /** Rung of the ladder that answered; above 0 the node was escalated. */
  rung: number;
  /** The last words of its answer, its question, or the reason of its failure. */
  note: string;
  /** The item that `note` quotes: mixed text of several items would make no sense. */
  noteItem: number | undefined;
}

export interface RunView {
  /** The run that is shown; undefined before its first event. */
  runId: string | undefined;
  readonly rows: Map<string, Row>;
  /** The plan is still being written: more rows may come. */
  isPlanning: boolean;
  /** Answers of the planner so far, and their tokens, prompts included. */
  plannerRounds: number;
  plannerTokens: number;
  input: unknown;
  readonly outputs: Map<string, unknown>;
  /** Epoch milliseconds. */
  startedAt: number | undefined;
  /** Time of the last event that ended or suspended the run, in epoch milliseconds. */
  endedAt: number | undefined;
  spentNanoUsd: NanoUsd | null;
  capNanoUsd: NanoUsd | undefined;
}

export const newProgress = (): RunView => ({
  runId: undefined,
  rows: new Map(),
  isPlanning: false,
  plannerRounds: 0,
  plannerTokens: 0,
  input: undefined,
  outputs: new Map(),
  startedAt: undefined,
  endedAt: undefined,
  spentNanoUsd: 0,
  capNanoUsd: undefined,
});

const LONGEST_NOTE = 300;
const LONGEST_ARGUMENTS = 100;

/** Empty where data decides it: the model that answers is known only then. */
function askedModel({ model }: PlanNode): string {
  const name = model?.id ?? model?.tier ?? '';
  return name.includes('{{') ? '' : name;
}

function newRow(node: PlanNode): Row {
  return {
    node,
    state: 'waiting',
    startedAt: undefined,
    milliseconds: undefined,
    model: askedModel(node),
    costNanoUsd: 0,
    items: 0,
    itemsTotal: undefined,
    round: undefined,
    rung: 0,
    note: '',
    noteItem: undefined,
  };
}

type Revised = Pick<Extract<RunEvent, { readonly type: 'plan-revised' }>, 'again' | 'kept'>;

/** Removes nodes that a revision dropped, keeps unchanged ones, and resets those in `again`, which run again. */
function takePlan(progress: RunView, plan: Plan, { again = [], kept = {} }: Revised = {}): void {
  const before = new Map(progress.rows);
  progress.rows.clear();
  for (const node of plan.nodes) {
    const from = Object.hasOwn(kept, node.id) ? kept[node.id] : undefined;
    const row = before.get(from ?? node.id);
    if (row !== undefined && from !== undefined) {
      progress.rows.set(node.id, { ...row, node });
      progress.outputs.set(node.id, progress.outputs.get(from));
      continue;
    }
    const stays = row !== undefined && !again.includes(node.id) && canonicalJson(row.node) === canonicalJson(node);
    progress.rows.set(node.id, stays ? row : newRow(node));
  }
}

export function takeEvent(progress: RunView, event: RunEvent): void {
  progress.runId ??= event.runId;
  // A nested run has nodes of its own, which may have the same names.
  if (event.runId !== progress.runId) return;
  if (event.type === 'run-started') {
    takePlan(progress, event.plan);
    progress.isPlanning = event.request !== undefined;
    progress.input = event.input;
    progress.startedAt = event.at;
    progress.capNanoUsd = event.capNanoUsd;
    progress.spentNanoUsd = event.paid === undefined ? 0 : event.paid.costNanoUsd;
  } else if (event.type === 'plan-delta') {
    for (const node of event.nodes) progress.rows.set(node.id, newRow(node));
  } else if (event.type === 'plan-answered') {
    progress.spentNanoUsd = addMoney(progress.spentNanoUsd, event.costNanoUsd);
    progress.plannerRounds = Math.max(progress.plannerRounds, event.round);
    progress.plannerTokens += (event.usage?.input ?? 0) + (event.usage?.output ?? 0);
  } else if (event.type === 'plan-revised') {
    takePlan(progress, event.plan, event);
    progress.isPlanning = false;
    progress.capNanoUsd = event.capNanoUsd ?? progress.capNanoUsd;
  } else if (event.type === 'run-resumed') {
    resume(progress, event.at);
    progress.spentNanoUsd = addMoney(progress.spentNanoUsd, event.booked?.costNanoUsd ?? (event.booked ? null : 0));
  } else if (event.type === 'run-finished' || event.type === 'run-failed' || event.type === 'run-cancelled') {
    progress.endedAt = event.at;
  } else if (event.type === 'run-suspended') progress.endedAt = event.at;
  else if (event.type === 'node-undone') {
    const row = progress.rows.get(event.nodeId);
    const note = event.error === undefined ? `undone by ${event.use}` : `not undone: ${event.error.message}`;
    if (row !== undefined) row.note = oneLine(note).slice(0, LONGEST_NOTE);
    progress.spentNanoUsd = addMoney(progress.spentNanoUsd, event.costNanoUsd);
  } else if ('nodeId' in event) {
    const row = progress.rows.get(event.nodeId);
    if (row !== undefined) takeNodeEvent(progress, row, event);
  }
}

/** Nodes that had not ended run again, and the time of the view restarts. */
function resume(progress: RunView, at: number): void {
  progress.startedAt = at;
  progress.endedAt = undefined;
  for (const row of progress.rows.values()) {
    if (row.state === 'done' || row.state === 'skipped' || row.state === 'suspended') continue;
    Object.assign(row, {
      state: 'waiting',
      startedAt: undefined,
      milliseconds: undefined,
      note: '',
      noteItem: undefined,
    });
  }
}

type NodeEvent = Exclude<
  Extract<RunEvent, { readonly nodeId: string }>,
  { readonly type: 'run-failed' | 'node-undone' }
>;

function takeNodeEvent(progress: RunView, row: Row, event: NodeEvent): void {
  switch (event.type) {
    case 'node-ready':
      row.state = 'ready';
      return;
    case 'node-started':
      row.state = 'running';
      row.startedAt ??= event.at;
      row.itemsTotal ??= itemsOf(progress, row.node);
      return;
    case 'node-delta':
      if (row.noteItem !== undefined && row.noteItem !== event.item) return;
      row.noteItem = event.item;
      row.note = lastWords(event.restart === true ? event.text : row.note + event.text);
      return;
    case 'node-retried':
      row.note = oneLine(`attempt ${event.attempt} failed: ${event.error.message}`);
      return;
    case 'model-answered':
      return;
    case 'tool-call':
      row.note = oneLine(toolNote(event));
      return;
    case 'node-escalated':
      row.rung = Math.max(row.rung, event.escalation.rung);
      row.note = oneLine(event.escalation.reason);
      return;
    case 'item-finished':
      row.items += 1;
      if (row.noteItem === undefined || row.noteItem === event.item) {
        row.note = '';
        row.noteItem = undefined;
      }
      charge(progress, row, addMoney(row.costNanoUsd, event.result.costNanoUsd));
      return;
    case 'round-finished':
      row.round = event.round;
      return;
    case 'node-suspended':
      row.state = 'suspended';
      row.note = oneLine(event.question.question);
      return;
    case 'answer':
      row.state = 'ready';
      row.note = '';
      return;
    default:
      endNode(progress, row, event);
  }
}

/** What is shown is cut and without secrets: the model wrote the arguments. */
function toolNote({ name, arguments: given, error }: Extract<RunEvent, { type: 'tool-call' }>): string {
  const call = `${name} ${shownJson(given, LONGEST_ARGUMENTS)}`;
  return scrubText(error === undefined ? call : `${call} failed: ${error.message}`);
}

type EndEvent = Extract<
  NodeEvent,
  { readonly type: 'node-finished' | 'node-skipped' | 'node-failed' | 'node-cancelled' }
>;

function endNode(progress: RunView, row: Row, event: EndEvent): void {
  row.milliseconds = row.startedAt === undefined ? undefined : event.at - row.startedAt;
  switch (event.type) {
    case 'node-finished': {
      const { meta, output, costNanoUsd } = event.result;
      row.state = 'done';
      row.milliseconds = meta.ms;
      row.model = meta.model ?? (row.node.each === undefined ? '' : row.model);
      row.rung = meta.rung ?? row.rung;
      row.note = '';
      progress.outputs.set(row.node.id, output);
      charge(progress, row, costNanoUsd);
      return;
    }
    case 'node-skipped':
      row.state = 'skipped';
      row.note = oneLine(event.reason);
      return;
    case 'node-failed':
      row.state = 'failed';
      row.note = oneLine(event.error.message);
      if (event.result !== undefined) progress.outputs.set(row.node.id, event.result.output);
      charge(progress, row, event.costNanoUsd);
      return;
    case 'node-cancelled':
      row.state = 'cancelled';
      row.note = oneLine(event.reason);
      charge(progress, row, event.costNanoUsd);
  }
}

/** Replaces what the node has cost so far. An unknown cost makes the sum unknown. */
function charge(progress: RunView, row: Row, costNanoUsd: NanoUsd | null): void {
  const others = progress.spentNanoUsd === null ? null : progress.spentNanoUsd - (row.costNanoUsd ?? 0);
  row.costNanoUsd = costNanoUsd;
  progress.spentNanoUsd = addMoney(others, costNanoUsd);
}

/** The number of items of the node's `each`; undefined when it is unknown. */
function itemsOf({ input, outputs }: RunView, { each }: PlanNode): number | undefined {
  if (each === undefined) return undefined;
  try {
    const list = renderValue(each, (head) => (head === 'input' ? input : (outputs.get(head) ?? null)));
    return Array.isArray(list) ? list.length : undefined;
  } catch {
    // A display must not fail: without the total it shows only the finished items.
    return undefined;
  }
}

const lastWords = (text: string): string => oneLine(text.slice(-LONGEST_NOTE)) + (/\s$/.test(text) ? ' ' : '');

/** `12 ms`, `3.4 s`, `2 min 05 s`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** Money for the display: three significant digits, and cents from one dollar upwards. */
export function costText(nano: NanoUsd | null): string {
  if (nano === null) return '$?';
  if (nano === 0) return '$0';
  const unit = nano >= NANO_PER_USD ? NANO_PER_USD / 100 : 10 ** Math.max(0, Math.floor(Math.log10(nano)) - 2);
  return formatUsd(Math.round(nano / unit) * unit);
}
