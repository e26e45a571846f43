/** The report of a simulation for people. */
import { formatUsd } from '../../core/money/money.ts';
import type { SimulatedNode, Simulation, Spread } from '../../core/run/simulation.ts';
import { oneLine } from '../../drawing/plain-text.ts';
import { costText, durationText } from './progress.ts';
import { tableText } from './result-text.ts';
import type { Paint } from './terminal.ts';

const MOST_NODES = 12;

export function simulationText(simulation: Simulation, paint: Paint): string {
  const { ms, nanoUsd, criticalPath, runs, seed, concurrency } = simulation;
  const head = ['', 'mean', 'p5', 'p50', 'p90', 'p95', 'p99', 'most'];
  const spreads = [
    head,
    rowOf('time', ms, durationText),
    ...(nanoUsd === null ? [] : [rowOf('cost', nanoUsd, costText)]),
  ];
  const path = criticalPath.nodes.map(oneLine).join(' → ');
  return [
    paint.dim(`${runs} runs, ${concurrency} steps at the same time, seed ${seed}; nothing was called`),
    tableText(spreads, paint),
    ...chances(simulation),
    `${paint.bold('critical path')}  ${path} ${paint.dim(`(exactly this in ${percent(criticalPath.share)} of the runs)`)}`,
    tableText([NODE_HEAD, ...nodeRows(simulation)], paint),
    ...simulation.assumptions.map((line) => paint.dim(`- ${oneLine(line)}`)),
  ].join('\n');
}

const NODE_HEAD = ['node', 'ran', 'time', 'cost', 'critical', 'half its time saves', 'over its limit'];

function rowOf(name: string, spread: Spread, text: (value: number) => string): readonly string[] {
  const { mean, p5, p50, p90, p95, p99, most } = spread;
  return [name, ...[mean, p5, p50, p90, p95, p99, most].map(text)];
}

function chances({ overBudget, overDeadline, unpriced }: Simulation): string[] {
  const lines: string[] = [];
  if (unpriced.length > 0) lines.push(`cost unknown: no price of ${unpriced.map(oneLine).join(', ')}`);
  if (overBudget !== null)
    lines.push(`over the budget of ${formatUsd(overBudget.nanoUsd)}: ${percent(overBudget.share)} of the runs`);
  if (overDeadline !== null)
    lines.push(`over the deadline of ${durationText(overDeadline.ms)}: ${percent(overDeadline.share)} of the runs`);
  return lines;
}

/** The nodes that are worth speeding up first. */
function nodeRows({ nodes }: Simulation): (readonly string[])[] {
  const sorted = nodes.toSorted(
    (a, b) => (b.savedMs ?? -1) - (a.savedMs ?? -1) || b.critical - a.critical || b.meanMs * b.ran - a.meanMs * a.ran,
  );
  const rows = sorted.slice(0, MOST_NODES).map(nodeRow);
  const hidden = nodes.length - MOST_NODES;
  return hidden <= 0 ? rows : [...rows, [`… ${hidden} more, with --json`, '', '', '', '', '', '']];
}

const nodeRow = ({ id, ran, meanMs, meanNanoUsd, critical, savedMs, overLimit }: SimulatedNode): readonly string[] => [
  oneLine(id),
  percent(ran),
  durationText(meanMs),
  costText(meanNanoUsd),
  percent(critical),
  savedMs === null ? '' : durationText(savedMs),
  overLimit === null ? '' : percent(overLimit),
];

function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}
