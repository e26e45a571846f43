/** `tool:<name>`: checks the input, runs the tool, checks the output. A model's tool calls take the same path. */

import type { Clock } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import { JSON_DEPTH, jsonSize } from '../core/json/json-size.ts';
import type { Tool } from '../core/plugin.ts';
import type { NodeRunner } from '../core/run/engine.ts';
import { isZod } from '../kit/json/json-schema.ts';
import { jsonForm } from '../kit/json/own/json-form.ts';
import { zodOrJson } from '../kit/json/own/own-schema.ts';
import { issueList } from './output-check.ts';

export interface ToolCall {
  readonly input: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  readonly clock: Clock;
}

/**
 * Returns what the tool returned, as JSON: as it is where the tool declares an output schema, otherwise as `{ result }`.
 *
 * @throws invalid-request for its input, invalid-output for its output, tool-failed for its own errors, naming the tool
 */
export async function callTool(tool: Tool, call: ToolCall): Promise<unknown> {
  const checked = await zodOrJson(tool.input).read(call.input);
  if (!checked.ok) {
    const message = `The input of tool ${tool.name} does not fit: ${issueList(checked.issues)}. Correct it.`;
    throw new PolyphonyError('invalid-request', message, { details: { tool: tool.name, issues: checked.issues } });
  }
  if (call.signal.aborted) throw abortError(call.signal);
  return runTool(tool, { ...call, input: checked.value as ToolCall['input'] });
}

async function runTool(tool: Tool, { input, signal, idempotencyKey, clock }: ToolCall): Promise<unknown> {
  try {
    return await kept(tool, await tool.run(input, { signal, idempotencyKey, clock }));
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (error instanceof PolyphonyError && error.code !== 'plugin-failed' && error.code !== 'tool-failed') throw error;
    const { message, retryable, retryAfterMs, details } = asPolyphonyError(error);
    throw new PolyphonyError('tool-failed', `Tool ${tool.name} failed: ${message}`, {
      cause: error,
      retryable,
      ...defined({ retryAfterMs }),
      details: { ...details, tool: tool.name },
    });
  }
}

/** The result as its schema gives it and a journal holds it, so that the run sees the same value after a resume. */
async function kept(tool: Tool, result: unknown): Promise<unknown> {
  if (tool.output === undefined) return { result: asJson(tool.name, jsonForm(result) ?? null) };
  // Nothing is null, as a tool without a schema returns it.
  const output = await zodOrJson(tool.output).keep(isZod(tool.output) ? result : (result ?? null));
  const value = asJson(tool.name, (output.ok ? output.value : jsonForm(result)) ?? null);
  if (output.ok) return value;
  const message = `Tool ${tool.name} returned a value that does not match its output schema: ${issueList(output.issues)}. Fix the tool.`;
  throw new PolyphonyError('invalid-output', message, { details: { tool: tool.name, issues: output.issues } });
}

/** @throws invalid-output naming what JSON does not have */
function asJson(name: string, value: unknown): unknown {
  const { fault } = jsonSize(value);
  if (fault === undefined) return value;
  const what =
    fault.type === 'kind'
      ? `${fault.kind}, which JSON does not have`
      : `a value that is nested more than ${JSON_DEPTH} levels deep`;
  throw new PolyphonyError('invalid-output', `Tool ${name} returned ${what}. Fix the tool.`, {
    details: { tool: name },
  });
}

export function toolRunner(tools: ReadonlyMap<string, Tool>, clock: Clock): NodeRunner {
  return async (call) => {
    const name = call.node.use.slice('tool:'.length);
    const tool = tools.get(name);
    if (tool === undefined) {
      const known = [...tools.keys()].join(', ');
      const remedy = known === '' ? 'register it' : `use one of ${known}`;
      throw new PolyphonyError('invalid-plan', `There is no tool ${JSON.stringify(name)}: ${remedy}.`);
    }
    const { inputs: input, signal, idempotencyKey } = call;
    return { value: await callTool(tool, { input, signal, idempotencyKey, clock }), costNanoUsd: 0 };
  };
}
