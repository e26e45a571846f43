/** `tool:<name>`: checks the input, runs the tool, checks the output. A model's tool calls take the same path. */

import type { Clock } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { abortError, asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import { JSON_DEPTH, jsonSize } from '../core/json/json-size.ts';
import type { Tool } from '../core/plugin.ts';
import type { NodeRunner } from '../core/run/engine.ts';
import { dropOptionalNulls, validateJson } from '../kit/json/json-schema.ts';
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
export async function callTool(tool: Tool, { input, signal, idempotencyKey, clock }: ToolCall): Promise<unknown> {
  const given = dropOptionalNulls(tool.input, input) as ToolCall['input'];
  const checked = validateJson(tool.input, given, { trusted: true });
  if (!checked.ok) {
    const message = `The input of tool ${tool.name} does not fit: ${issueList(checked.issues)}. Correct it.`;
    throw new PolyphonyError('invalid-request', message, { details: { tool: tool.name, issues: checked.issues } });
  }
  if (signal.aborted) throw abortError(signal);
  const result = await runTool(tool, { input: given, signal, idempotencyKey, clock });
  if (tool.output === undefined) return { result };
  const output = validateJson(tool.output, result, { trusted: true });
  if (output.ok) return result;
  const message = `Tool ${tool.name} returned a value that does not match its output schema: ${issueList(output.issues)}. Fix the tool.`;
  throw new PolyphonyError('invalid-output', message, { details: { tool: tool.name, issues: output.issues } });
}

async function runTool(tool: Tool, { input, signal, idempotencyKey, clock }: ToolCall): Promise<unknown> {
  try {
    return toJson(tool.name, await tool.run(input, { signal, idempotencyKey, clock }));
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

/** The value as a journal holds it, so that the run sees the same value after a resume. */
function toJson(name: string, value: unknown): unknown {
  const text = textOf(name, value);
  return text === undefined ? null : JSON.parse(text);
}

function textOf(name: string, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    const fault = faultOf(value, error);
    if (fault === undefined) throw error;
    const message = `Tool ${name} returned ${fault}. Fix the tool.`;
    throw new PolyphonyError('invalid-output', message, { cause: error, details: { tool: name } });
  }
}

/** Why a value could not be written as JSON; undefined where something of its own threw. */
function faultOf(value: unknown, error: unknown): string | undefined {
  const { fault } = jsonSize(value);
  if (fault?.type === 'kind') return `${fault.kind}, which JSON does not have`;
  if (fault?.type === 'depth') return `a value that is nested more than ${JSON_DEPTH} levels deep`;
  return error instanceof RangeError ? 'a value whose JSON is longer than any text can be' : undefined;
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
