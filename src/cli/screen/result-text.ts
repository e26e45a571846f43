/** Results as text for people and as one JSON document for programs. */

import { defined } from '../../core/defined.ts';
import { formatUsd, nanoToUsd } from '../../core/money/money.ts';
import type { PlanIssue } from '../../core/plan/validation.ts';
import type { RunResult } from '../../core/run/engine.ts';
import { displayWidth, oneLine, padToWidth, printable, safeJson } from '../../drawing/plain-text.ts';
import { counted } from './counted.ts';
import { durationText } from './progress.ts';
import type { Paint } from './terminal.ts';

/** The document of a run that `--json` prints. */
export function runDocument(result: RunResult): object {
  const { runId, status, output, error, usage, costNanoUsd, ms, repaired, nodes, waiting } = result;
  return {
    runId,
    status,
    output: output ?? null,
    costUsd: costNanoUsd === null ? null : nanoToUsd(costNanoUsd),
    usage,
    ms: Math.round(ms),
    ...defined({ error, repaired, waiting }),
    nodes,
  };
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, '  ');

/** An answer for people: text as it is, lists as bullet points, objects with their field names, deep values as JSON. */
export function answerText(output: unknown, paint: Paint, depth = 0): string {
  if (typeof output === 'string') return printable(output);
  if (output === null || typeof output !== 'object') return String(output ?? '–');
  if (depth >= 3) return safeJson(output);
  if (Array.isArray(output)) return listText(output, paint, depth);
  const lines = Object.entries(output).map(([name, value]) => {
    const text = answerText(value, paint, depth + 1);
    const beside = !text.includes('\n') && text.length <= 80 && (typeof value !== 'object' || value === null);
    return `${paint.bold(oneLine(name))}${beside ? ` ${text}` : `\n${indent(text)}`}`;
  });
  return lines.length === 0 ? '–' : lines.join('\n');
}

function listText(list: readonly unknown[], paint: Paint, depth: number): string {
  if (list.length === 0) return paint.dim('(nothing)');
  return list.map((item) => `- ${indent(answerText(item, paint, depth + 1)).trimStart()}`).join('\n');
}

/** One line with the status, the duration and the cost of a run. */
export function summaryLine(result: RunResult, paint: Paint): string {
  const word = {
    done: paint.green,
    failed: paint.red,
    cancelled: paint.red,
    suspended: paint.magenta,
    running: paint.yellow,
    interrupted: paint.yellow,
  }[result.status](result.status);
  const facts = [
    durationText(result.ms),
    counted(result.nodes.length, 'node'),
    counted(result.usage.input + result.usage.output, 'token'),
    result.costNanoUsd === null ? 'unknown cost' : formatUsd(result.costNanoUsd),
    `run ${result.runId}`,
  ];
  return `${word} ${paint.dim(facts.join(' · '))}`;
}

/** Says which node was the first to find nothing, so that an empty answer is not taken for a fault. */
export function emptyNote({ status, nodes }: RunResult): string | undefined {
  if (status !== 'done') return undefined;
  const first = nodes.find(({ state, output }) => state === 'done' && isEmptyList(output));
  return first === undefined ? undefined : `nothing matched: node ${first.id} gave an empty list`;
}

/** An empty list, or an object with such lists and nothing else but flags. */
function isEmptyList(output: unknown): boolean {
  if (Array.isArray(output)) return output.length === 0;
  if (typeof output !== 'object' || output === null) return false;
  const values = Object.values(output).filter((value) => typeof value !== 'boolean');
  return values.length > 0 && values.every((value) => Array.isArray(value) && value.length === 0);
}

export function issueLines(issues: readonly PlanIssue[], paint: Paint): string {
  return issues
    .map(({ code, path, message, severity, suggest = [] }) => {
      const mark = severity === 'error' ? paint.red('error') : paint.yellow('warning');
      // Some messages already contain the suggestion.
      const names = suggest.slice(0, 3).map(oneLine);
      const proposal =
        names.length === 0 || names.every((name) => message.includes(name)) ? '' : ` Did you mean ${names.join(', ')}?`;
      return `${mark} ${paint.bold(code)} at ${oneLine(path) || '/'}: ${printable(message)}${proposal}`;
    })
    .join('\n');
}

/** Columns as wide as their widest cell; the first row is the head. */
export function tableText(rows: readonly (readonly string[])[], paint: Paint): string {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => displayWidth(row[column] ?? ''))));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => padToWidth(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return clean.map((row, index) => (index === 0 ? paint.dim(line(row)) : line(row))).join('\n');
}
