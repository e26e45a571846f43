/** Checks the output of a step against the `out` that its node declares. */

import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema, Warning } from '../core/model/model.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import type { NodeRunner } from '../core/run/engine.ts';
import { coerceJson, type JsonIssue, toJsonSchema, validateJson } from '../kit/json/json-schema.ts';
import { humanSchema } from '../language/human-output.ts';
import { withCharge } from '../runs/state/charge.ts';

const schemas = new WeakMap<object, JsonSchema>();

/** The JSON Schema of `out`, created once. */
export function outputSchema({ use, out }: PlanNode): JsonSchema | undefined {
  if (out === undefined) return undefined;
  const known = schemas.get(out);
  if (known !== undefined) return known;
  const schema = use === 'human' ? humanSchema(toJsonSchema(out)) : toJsonSchema(out);
  schemas.set(out, schema);
  return schema;
}

export const issueList = (issues: readonly JsonIssue[]): string =>
  issues.map(({ path, message }) => `${path === '' ? '/' : path} ${message}`).join('; ');

export type CheckedValue =
  /** `warning`: the value was read as what it means. */
  | { readonly ok: true; readonly value: unknown; readonly warning?: Warning }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

/** The value as the schema has it: itself, or read as what it means. */
export function checkedValue(schema: JsonSchema, value: unknown): CheckedValue {
  const checked = validateJson(schema, value);
  if (checked.ok) return checked;
  const { value: coerced, changes } = coerceJson(schema, value);
  if (changes.length === 0 || !validateJson(schema, coerced).ok) return checked;
  const message = `The answer fits "out" only after small changes: ${changes.join('; ')}.`;
  return { ok: true, value: coerced, warning: { code: 'output-coerced', message } };
}

/** A runner whose output is checked. Throws invalid-output; the cost of the output is charged even then. */
export function withOutputCheck(runner: NodeRunner): NodeRunner {
  return async function checkOutput(call) {
    const output = await runner(call);
    const schema = outputSchema(call.node);
    if (schema === undefined) return output;
    const checked = checkedValue(schema, output.value);
    if (checked.ok) {
      const { value, warning } = checked;
      return warning === undefined ? output : { ...output, value, warnings: [...(output.warnings ?? []), warning] };
    }
    const message = `The output of node ${call.node.id} does not match its "out": ${issueList(checked.issues)}. Correct the step or "out".`;
    const error = new PolyphonyError('invalid-output', message, { details: { issues: checked.issues } });
    const { costNanoUsd, usage } = output;
    throw withCharge(error, usage === undefined ? { costNanoUsd } : { costNanoUsd, usage });
  };
}
