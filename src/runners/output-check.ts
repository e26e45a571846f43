/** Checks the output of a step against the `out` that its node declares. */

import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import type { NodeRunner } from '../core/run/engine.ts';
import { type JsonIssue, toJsonSchema, validateJson } from '../kit/json/json-schema.ts';
import { withCharge } from '../runs/state/charge.ts';

const schemas = new WeakMap<object, JsonSchema>();

/** The JSON Schema of `out`, created once. */
export function outputSchema({ out }: PlanNode): JsonSchema | undefined {
  if (out === undefined) return undefined;
  const known = schemas.get(out);
  if (known !== undefined) return known;
  const schema = toJsonSchema(out);
  schemas.set(out, schema);
  return schema;
}

export const issueList = (issues: readonly JsonIssue[]): string =>
  issues.map(({ path, message }) => `${path === '' ? '/' : path} ${message}`).join('; ');

/** A runner whose output is checked. Throws invalid-output; the cost of the output is charged even then. */
export function withOutputCheck(runner: NodeRunner): NodeRunner {
  return async function checkOutput(call) {
    const output = await runner(call);
    const schema = outputSchema(call.node);
    if (schema === undefined) return output;
    const checked = validateJson(schema, output.value);
    if (checked.ok) return output;
    const message = `The output of node ${call.node.id} does not match its "out": ${issueList(checked.issues)}. Correct the step or "out".`;
    const error = new PolyphonyError('invalid-output', message, { details: { issues: checked.issues } });
    const { costNanoUsd, usage } = output;
    throw withCharge(error, usage === undefined ? { costNanoUsd } : { costNanoUsd, usage });
  };
}
