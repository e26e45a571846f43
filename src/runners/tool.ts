/** `tool:<name>`: checks the input, runs the tool, checks the output. A model's tool calls take the same path. */

import type { Clock } from '../core/clock.ts';
import { abortError, PolyphonyError } from '../core/errors.ts';
import { copyJson } from '../core/json/copy-json.ts';
import type { JsonValue } from '../core/model/model.ts';
import type { Logger, Tool, ToolContext } from '../core/plugin.ts';
import type { NodeCall, NodeRunner } from '../core/run/engine.ts';
import { plainJson } from '../core/run/plain-json.ts';
import { dropOptionalNulls, isZod } from '../kit/json/json-schema.ts';
import { zodOrJson } from '../kit/json/own/own-schema.ts';
import { issueList } from './output-check.ts';
import { decisionOn, refusalText } from './tool-approval.ts';
import { failureOf, inNode, placeDetails, type UserCodePlace } from './user-code.ts';

export interface ToolCall {
  readonly input: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly idempotencyKey: string;
  readonly clock: Clock;
  /** The node that uses the tool, for messages and logs. */
  readonly place: UserCodePlace;
}

/**
 * Returns what the tool returned, as JSON: as it is where the tool declares an output schema, otherwise as `{ result }`. The tool
 * gets a copy of its input.
 *
 * @throws invalid-request for its input, invalid-output for its output, tool-failed for its own errors, naming the tool
 */
export async function callTool(tool: Tool, call: ToolCall): Promise<unknown> {
  const input = await toolInput(tool, call.input);
  if (call.signal.aborted) throw abortError(call.signal);
  return runTool(tool, { ...call, input });
}

/**
 * The input as the schema of the tool gives it, which may be a copy.
 *
 * @throws invalid-request
 */
export async function toolInput(
  tool: Pick<Tool, 'name' | 'input'>,
  given: ToolCall['input'],
): Promise<ToolCall['input']> {
  const schema = zodOrJson(tool.input);
  const checked = await schema.read(dropOptionalNulls(schema.input, copyJson(given)));
  if (!checked.ok) {
    const message = `The input of tool ${tool.name} does not fit: ${issueList(checked.issues)}. Correct it.`;
    throw new PolyphonyError('invalid-request', message, { details: { tool: tool.name, issues: checked.issues } });
  }
  return checked.value as ToolCall['input'];
}

async function runTool(tool: Tool, call: ToolCall): Promise<unknown> {
  const { input, signal, place } = call;
  try {
    return await kept(tool, await tool.run(input, contextOf(call)), place);
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw failureOf({ noun: `Tool ${tool.name}`, code: 'tool-failed', details: { tool: tool.name }, place }, error);
  }
}

/** Where the call comes from. It is frozen: a tool changes nothing for others. */
function contextOf({ signal, idempotencyKey, clock, place }: ToolCall): ToolContext {
  const { runId, node, item, session, tags, countWritten } = place.call;
  return Object.freeze({
    signal,
    idempotencyKey,
    clock,
    runId,
    nodeId: node.id,
    ...(item === undefined ? {} : { item }),
    ...(session === undefined ? {} : { session }),
    ...(tags === undefined ? {} : { tags: Object.freeze({ ...tags }) }),
    ...(countWritten === undefined ? {} : { countWritten }),
  });
}

/** The result as its schema gives it and a journal holds it, so that the run sees the same value after a resume. */
async function kept(tool: Tool, result: unknown, place: UserCodePlace): Promise<unknown> {
  const name = () => ({
    noun: `What tool ${tool.name} returned${inNode(place)}`,
    code: 'invalid-output' as const,
    details: { ...placeDetails(place), tool: tool.name },
  });
  if (tool.output === undefined) return { result: plainJson(result, name) };
  // A schema of zod may convert what JSON does not have; any other sees what JSON holds.
  const output = await zodOrJson(tool.output).keep(isZod(tool.output) ? result : plainJson(result, name));
  if (output.ok) return plainJson(output.value, name);
  const message = `Tool ${tool.name} returned a value that does not match its output schema: ${issueList(output.issues)}. Fix the tool.`;
  throw new PolyphonyError('invalid-output', message, { details: { tool: tool.name, issues: output.issues } });
}

export function toolRunner(tools: ReadonlyMap<string, Tool>, clock: Clock, logger?: Logger): NodeRunner {
  return async (call) => {
    const name = call.node.use.slice('tool:'.length);
    const tool = tools.get(name);
    if (tool === undefined) {
      const known = [...tools.keys()].join(', ');
      const remedy = known === '' ? 'register it' : `use one of ${known}`;
      throw new PolyphonyError('invalid-plan', `There is no tool ${JSON.stringify(name)}: ${remedy}.`);
    }
    const { signal, idempotencyKey } = call;
    const input = tool.approval === 'ask' ? await approvedInput(tool, call) : call.inputs;
    const place = { call, logger };
    return { value: await callTool(tool, { input, signal, idempotencyKey, clock, place }), costNanoUsd: 0 };
  };
}

/**
 * What a person approved of the call.
 *
 * @throws SuspendRun when nobody has decided; blocked when it was refused; invalid-request for a call that cannot run
 */
async function approvedInput(tool: Tool, call: NodeCall): Promise<NodeCall['inputs']> {
  await toolInput(tool, call.inputs);
  const { runId, node, item, round, inputs } = call;
  // Not the key of the attempt: what was approved holds for another one.
  const key = `${runId}/${node.id}/${item ?? ''}/${round ?? ''}/approval`;
  const part = { name: tool.name, arguments: copyJson(inputs) as JsonValue };
  const decision = decisionOn(call, { key, part, input: zodOrJson(tool.input).input, by: 'plan' });
  if (decision.approval !== 'refused') return decision.arguments as NodeCall['inputs'];
  throw new PolyphonyError('blocked', refusalText(tool.name, decision.reason), { details: { tool: tool.name } });
}
