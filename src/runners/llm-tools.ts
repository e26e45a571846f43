/** Runs the tools that a model calls, and says what became of each call. */
import type { Clock } from '../core/clock.ts';
import { abortError, errorRecord, PolyphonyError } from '../core/errors.ts';
import type { ToolCallPart, ToolResultPart } from '../core/model/model.ts';
import type { Logger, Tool } from '../core/plugin.ts';
import type { LoopAnswer, LoopRound, NodeCall, ToolCallRecord } from '../core/run/engine.ts';
import { callTool } from './tool.ts';
import { toolResultContent } from './tool-result.ts';

export interface Toolbox {
  readonly call: NodeCall;
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

const DEFAULT_CONCURRENCY = 8;

/**
 * The results of an answer's calls, in their order, of which at most as many run at once as the run allows. Those that are
 * recorded do not run.
 *
 * @throws cancelled
 */
export async function useTools(
  toolbox: Toolbox,
  answer: LoopAnswer,
  ended: LoopRound['calls'] | undefined,
): Promise<readonly ToolResultPart[]> {
  const calls = answer.content.filter((part) => part.type === 'tool-call');
  const results: ToolResultPart[] = [];
  const remaining = calls.entries();
  const useNext = async (): Promise<void> => {
    for (const [index, part] of remaining)
      results[index] = resultPart(ended?.get(index) ?? (await useTool(toolbox, answer, part, index)));
  };
  const { concurrency = DEFAULT_CONCURRENCY } = toolbox.call;
  await Promise.all(Array.from({ length: Math.min(concurrency, calls.length) }, useNext));
  return results;
}

/** A tool that fails returns its error to the model, which may try something else. */
async function useTool(
  toolbox: Toolbox,
  { round, idempotencyKey: nodeKey = toolbox.call.idempotencyKey }: LoopAnswer,
  part: ToolCallPart,
  index: number,
): Promise<ToolCallRecord> {
  const { loop } = toolbox.call;
  const outcome = await outcomeOf(toolbox, part, `${nodeKey}/tool/${round - 1}.${index}`);
  const { id: callId, name, arguments: given } = part;
  const record = { round, index, callId, name, arguments: given, ...outcome, costNanoUsd: 0 };
  return loop === undefined ? record : loop.called(record);
}

async function outcomeOf(
  { call, tools, clock, logger }: Toolbox,
  { name, arguments: given, raw }: ToolCallPart,
  idempotencyKey: string,
): Promise<Pick<ToolCallRecord, 'result' | 'error'>> {
  const { signal } = call;
  try {
    const tool = tools.find((known) => known.name === name);
    if (tool === undefined) throw unknownTool(name, tools);
    if (raw !== undefined) throw brokenArguments(name);
    const input = given as Readonly<Record<string, unknown>>;
    const place = { call, logger, isForModel: true };
    const output = await callTool(tool, { input, signal, idempotencyKey, clock, place });
    return { result: tool.output === undefined ? resultIn(output) : output };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    return { error: errorRecord(error) };
  }
}

const resultIn = (output: unknown): unknown => (output as { readonly result: unknown }).result;

function unknownTool(name: string, tools: readonly Tool[]): PolyphonyError {
  const known = tools.map((tool) => tool.name).join(', ');
  return new PolyphonyError('invalid-request', `There is no tool ${name}. Use one of ${known}.`);
}

function brokenArguments(name: string): PolyphonyError {
  const message = `The arguments of ${name} are no valid JSON, so it was not run. Call it again with whole arguments.`;
  return new PolyphonyError('invalid-request', message);
}

function resultPart({ callId: id, name, result, error }: ToolCallRecord): ToolResultPart {
  if (error !== undefined) return { type: 'tool-result', id, name, content: error.message, isError: true };
  return { type: 'tool-result', id, name, content: toolResultContent(result) };
}
