/** Checks the output of a step against the `out` that its node declares. */

import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema, Warning } from '../core/model/model.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { NodeCall, NodeOutput, NodeRunner } from '../core/run/engine.ts';
import { coerceJson, type JsonIssue, toJsonSchema, validateJson } from '../kit/json/json-schema.ts';
import type { OwnSchema, WrittenSchema } from '../kit/json/own/own-schema.ts';
import { humanSchema } from '../language/human-output.ts';
import { withCharge } from '../runs/state/charge.ts';
import { askedSchema, keepAnswer } from '../runs/stored/own-answer.ts';

/** The schema of a workflow's own for the `out` of its node. Undefined: what the plan says is all. */
export type OwnOutputs = (plan: Plan, nodeId: string, out: object) => WrittenSchema | undefined;

export interface OutputSchema {
  /** Of the values that are asked for. */
  readonly json: JsonSchema;
  /** Runs the schema of a workflow's own, once for each value. @default the value is only checked */
  readonly keep?: WrittenSchema['schema']['keep'];
}

const schemas = new WeakMap<object, OutputSchema>();

/** What the node declares as `out`; undefined where it declares nothing. */
export function outputSchema({ node, plan }: NodeCall, ownOutputs?: OwnOutputs): OutputSchema | undefined {
  const { out } = node;
  if (out === undefined) return undefined;
  const own = plan === undefined ? undefined : ownOutputs?.(plan, node.id, out);
  if (own !== undefined) return ownSchemaOf(node, own.schema);
  const known = schemas.get(out);
  if (known !== undefined) return known;
  const json = toJsonSchema(out);
  const schema = { json: node.use === 'human' ? humanSchema(json) : json };
  schemas.set(out, schema);
  return schema;
}

/** The output of a person's answer is wider than what is declared: it says whether that approves. */
const ownSchemaOf = ({ use }: NodeCall['node'], schema: OwnSchema): OutputSchema =>
  use === 'human' ? { json: askedSchema(schema), keep: keepAnswer(schema) } : { json: schema.input, keep: schema.keep };

export const issueList = (issues: readonly JsonIssue[]): string =>
  issues.map(({ path, message }) => `${path === '' ? '/' : path} ${message}`).join('; ');

export type CheckedValue =
  /** `warning`: the value was read as what it means. */
  | { readonly ok: true; readonly value: unknown; readonly warning?: Warning }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

/** The value as the schema has it: itself, or read as what it means. Throws invalid-output when a schema's own code throws. */
export async function checkedValue({ json, keep }: OutputSchema, value: unknown): Promise<CheckedValue> {
  const checked = keep === undefined ? validateJson(json, value) : await keep(value);
  if (checked.ok) return checked;
  const { value: coerced, changes } = coerceJson(json, value);
  if (changes.length === 0) return checked;
  const again = keep === undefined ? validateJson(json, coerced) : await keep(coerced);
  if (!again.ok) return checked;
  const message = `The answer fits "out" only after small changes: ${changes.join('; ')}.`;
  return { ok: true, value: again.value, warning: { code: 'output-coerced', message } };
}

/** A runner whose output is checked. Throws invalid-output; the cost of the output is charged even then. */
export function withOutputCheck(runner: NodeRunner, ownOutputs?: OwnOutputs): NodeRunner {
  // Most nodes declare nothing, and a function that waits costs more than all else about a step that is free.
  return (call) => (call.node.out === undefined ? runner(call) : checkOutput(call));

  async function checkOutput(call: NodeCall): Promise<NodeOutput> {
    const output = await runner(call);
    const schema = outputSchema(call, ownOutputs);
    if (schema === undefined) return output;
    const { costNanoUsd, usage } = output;
    const charge = usage === undefined ? { costNanoUsd } : { costNanoUsd, usage };
    const checked = await checkedValue(schema, output.value).catch((error: unknown) => {
      throw withCharge(error, charge);
    });
    if (checked.ok) {
      const { value, warning } = checked;
      if (warning === undefined) return value === output.value ? output : { ...output, value };
      return { ...output, value, warnings: [...(output.warnings ?? []), warning] };
    }
    const message = `The output of node ${call.node.id} does not match its "out": ${issueList(checked.issues)}. Correct the step or "out".`;
    throw withCharge(new PolyphonyError('invalid-output', message, { details: { issues: checked.issues } }), charge);
  }
}
