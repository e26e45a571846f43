/** Checks what a `wait` step waits for, as far as the plan says it. */
import { readMoment } from '../../core/plan/moment.ts';
import { type NodeAnalysis, type PlanAnalysis, readSchema } from '../analysis/plan-analysis.ts';
import { isRecord } from '../document/document.ts';
import { shown } from '../document/report.ts';

const KINDS = ['seconds', 'until', 'event'] as const;
const OF_EVENTS = ['match', 'schema'] as const;

export function checkWaiting(nodeAnalysis: NodeAnalysis, analysis: PlanAnalysis): void {
  const { node, step, pointer } = nodeAnalysis;
  if (node.use !== 'wait' || step === undefined || analysis.isBroken(nodeAnalysis, 'in')) return;
  const inputs = node.in ?? {};
  const place = `${pointer}/in`;
  const { report } = analysis;
  const given = KINDS.filter((kind) => inputs[kind] !== undefined && inputs[kind] !== null);
  // A value that is missing when the node starts is not given, so several references may leave one.
  const isClear = given.every((kind) => !isReference(inputs[kind]));
  if (given.length === 0 || (given.length > 1 && isClear)) {
    const what = given.length === 0 ? 'says nothing that it waits for' : `waits for ${given.join(' and ')}`;
    const message = `Node "${node.id}" ${what}: give exactly one of "seconds", "until" and "event".`;
    report.add('waiting.unclear', place, message, { expected: KINDS, got: given });
  }
  const { until, event, schema } = inputs;
  if (typeof until === 'string' && !isReference(until) && readMoment(until) === undefined) {
    const message = `Node "${node.id}" waits until ${shown(until)}, which is no time: write one such as 2026-03-31T09:00:00Z, with its time zone.`;
    report.add('waiting.time', `${place}/until`, message, { got: until.slice(0, 200) });
  }
  if (event === undefined || event === null) {
    for (const field of OF_EVENTS) {
      if (inputs[field] === undefined) continue;
      const message = `"${field}" of node "${node.id}" is about the payload of an event, but it waits for none: set "event", or remove it.`;
      report.add('waiting.unclear', `${place}/${field}`, message);
    }
  }
  if (isRecord(schema)) readSchema(schema, `${place}/schema`, report);
}

const isReference = (value: unknown): boolean => typeof value === 'string' && value.includes('{{');
