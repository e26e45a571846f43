/** Results as text for people and as the one JSON document for programs. */
import type { RunResult } from '../core/engine.ts';
import { formatUsd, nanoToUsd } from '../core/money.ts';
import type { PlanIssue } from '../core/validation.ts';
import { type Paint, printable } from './terminal.ts';

/** What `--json` prints of a run. */
export function runDocument(result: RunResult): object {
  const { runId, status, output, error, usage, costNanoUsd, ms, nodes, waiting } = result;
  return {
    runId,
    status,
    output: output ?? null,
    costUsd: costNanoUsd === null ? null : nanoToUsd(costNanoUsd),
    usage,
    ms: Math.round(ms),
    ...(error === undefined ? {} : { error }),
    ...(waiting === undefined ? {} : { waiting }),
    nodes,
  };
}

const indent = (text: string): string => text.replace(/^/gm, '  ');

/** An answer as one would write it down: text as it is, lists and objects with their names, deep ones as JSON. */
export function answerText(output: unknown, paint: Paint, depth = 0): string {
  if (typeof output === 'string') return printable(output);
  if (output === null || typeof output !== 'object') return String(output ?? '–');
  if (depth >= 3) return printable(JSON.stringify(output));
  if (Array.isArray(output)) {
    if (output.every((item) => typeof item !== 'object'))
      return printable(output.map((item) => `- ${item}`).join('\n'));
    return output.map((item) => `- ${indent(answerText(item, paint, depth + 1)).trimStart()}`).join('\n');
  }
  const lines = Object.entries(output).map(([name, value]) => {
    const text = answerText(value, paint, depth + 1);
    const beside = !text.includes('\n') && text.length <= 80 && (typeof value !== 'object' || value === null);
    return `${paint.bold(printable(name))}${beside ? ` ${text}` : `\n${indent(text)}`}`;
  });
  return lines.join('\n');
}

/** One line: how it ended, how long it took, what it cost. */
export function summaryLine(result: RunResult, paint: Paint): string {
  const spent = result.ms < 1000 ? `${Math.round(result.ms)} ms` : `${(result.ms / 1000).toFixed(1)} s`;
  const word = {
    done: paint.green,
    failed: paint.red,
    cancelled: paint.red,
    suspended: paint.magenta,
    running: paint.yellow,
  }[result.status](result.status);
  const tokens = result.usage.input + result.usage.output;
  const facts = [
    spent,
    `${result.nodes.length} nodes`,
    `${tokens} tokens`,
    formatUsd(result.costNanoUsd),
    `run ${result.runId}`,
  ];
  return `${word} ${paint.dim(facts.join(' · '))}`;
}

export function issueLines(issues: readonly PlanIssue[], paint: Paint): string {
  return issues
    .map((issue) => {
      const mark = issue.severity === 'error' ? paint.red('error') : paint.yellow('warning');
      const suggestion =
        issue.suggest === undefined || issue.suggest.length === 0
          ? ''
          : ` Did you mean ${issue.suggest.slice(0, 3).join(', ')}?`;
      return `${mark} ${paint.bold(issue.code)} at ${issue.path || '/'}: ${printable(issue.message)}${suggestion}`;
    })
    .join('\n');
}

/** Columns as wide as their widest cell; the first row is the head. */
export function tableText(rows: readonly (readonly string[])[], paint: Paint): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return rows.map((row, index) => (index === 0 ? paint.dim(line(row)) : line(row))).join('\n');
}
