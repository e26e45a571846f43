/** The figures of a planner over all requests: as a table, as JSON, and as an entry of a file of models. */
import { formatUsd } from 'polyphony';
import type { Evaluated } from './evaluate.ts';

export interface EvaluationReport {
  /** `provider/model` of most answers; null where no model answered. */
  readonly model: string | null;
  /** Requests that were asked, and those of them at which a planner answered. */
  readonly requests: number;
  readonly measured: number;
  /** Of the requests that can be done: plans that can run, and those that could at once. */
  readonly valid: number;
  readonly validAtOnce: number;
  /** Answers a request, mean. */
  readonly rounds: number;
  readonly nodeF1: number;
  readonly edgeF1: number;
  readonly control: number;
  /** Critical path over work of the valid plans, and of the gold plans of the same requests. */
  readonly parallelism: number | null;
  readonly goldParallelism: number | null;
  /** Of the requests that want it. */
  readonly asksFirst: number | null;
  /** Of the requests that cannot be done. */
  readonly declines: number | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: number | null;
  readonly ms: number;
  /** 0 to 1: the mean over the requests of (node F1 + edge F1) / 2. */
  readonly score: number;
  readonly tasks: readonly Evaluated[];
}

export function reportOf(tasks: readonly Evaluated[]): EvaluationReport {
  const measured = tasks.filter(({ outcome }) => !outcome.startsWith('not-measured'));
  const doable = measured.filter(({ declines }) => declines === null);
  const valid = doable.filter(({ isValid }) => isValid);
  return {
    model: mostFrequent(measured.flatMap(({ models }) => models)),
    requests: tasks.length,
    measured: measured.length,
    valid: mean(doable.map(({ isValid }) => Number(isValid))) ?? 0,
    validAtOnce: mean(doable.map(({ isValid, rounds }) => Number(isValid && rounds <= 1))) ?? 0,
    rounds: mean(measured.map(({ rounds }) => rounds)) ?? 0,
    nodeF1: mean(doable.map(({ nodes }) => nodes.f1)) ?? 0,
    edgeF1: mean(doable.map(({ edges }) => edges.f1)) ?? 0,
    control: mean(doable.flatMap(({ control }) => control ?? [])) ?? 0,
    parallelism: mean(valid.flatMap(({ parallelism }) => parallelism ?? [])),
    goldParallelism: mean(valid.flatMap(({ goldParallelism }) => goldParallelism ?? [])),
    asksFirst: mean(measured.flatMap(({ asksFirst }) => (asksFirst === null ? [] : Number(asksFirst)))),
    declines: mean(measured.flatMap(({ declines }) => (declines === null ? [] : Number(declines)))),
    inputTokens: sum(tasks.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(tasks.map(({ outputTokens }) => outputTokens)),
    costNanoUsd: tasks.some(({ costNanoUsd }) => costNanoUsd === null)
      ? null
      : sum(tasks.map((one) => one.costNanoUsd ?? 0)),
    ms: sum(tasks.map(({ ms }) => ms)),
    score: mean(measured.map(({ score }) => score)) ?? 0,
    tasks,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : sum(values) / values.length);

function mostFrequent(names: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, one], [b, other]) => other - one || (a < b ? -1 : 1))[0]?.[0] ?? null;
}

const figure = (value: number | null): string => (value === null ? '–' : value.toFixed(2));

export const TASK_HEAD = `${'request'.padEnd(24)}${'outcome'.padEnd(16)}rounds  nodes  edges control  path/work (gold)  tokens       cost`;

export function taskLine(one: Evaluated): string {
  const cells = [
    one.id.padEnd(24),
    one.outcome.padEnd(16),
    String(one.rounds).padStart(6),
    figure(one.nodes.f1).padStart(7),
    figure(one.edges.f1).padStart(7),
    figure(one.control).padStart(8),
    `${figure(one.parallelism)} (${figure(one.goldParallelism)})`.padStart(18),
    String(one.inputTokens + one.outputTokens).padStart(8),
    (one.costNanoUsd === null ? 'unknown' : formatUsd(one.costNanoUsd)).padStart(11),
  ];
  return cells.join('').trimEnd();
}

export function reportText(report: EvaluationReport): string {
  const rows: readonly (readonly [string, string])[] = [
    ['model', report.model ?? 'none answered'],
    ['requests', `${report.measured} measured of ${report.requests}`],
    ['valid plans', `${figure(report.valid)}, at once ${figure(report.validAtOnce)}`],
    ['rounds', figure(report.rounds)],
    ['node F1', figure(report.nodeF1)],
    ['edge F1', figure(report.edgeF1)],
    ['conditions and loops', figure(report.control)],
    ['critical path ÷ work', `${figure(report.parallelism)} (gold ${figure(report.goldParallelism)})`],
    ['asks first', figure(report.asksFirst)],
    ['declines', figure(report.declines)],
    ['tokens', `${report.inputTokens} in, ${report.outputTokens} out`],
    ['cost', report.costNanoUsd === null ? 'unknown' : formatUsd(report.costNanoUsd)],
    ['time', `${(report.ms / 1000).toFixed(1)} s`],
    ['score', figure(report.score)],
  ];
  return rows.map(([name, value]) => `${name.padEnd(24)}${value}`).join('\n');
}
