/** Runs the tools that a model calls, and says what became of each call. */
import type { Clock } from '../core/clock.ts';
import { abortError, errorRecord } from '../core/errors.ts';
import type { ToolCallPart, ToolResultPart } from '../core/model/model.ts';
import type { Logger, Tool } from '../core/plugin.ts';
import type { NodeCall } from '../core/run/engine.ts';
import { callTool } from './tool.ts';

export interface Toolbox {
  readonly call: NodeCall;
  readonly tools: readonly Tool[];
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
}

const DEFAULT_CONCURRENCY = 8;

/** The results in the order of the calls, of which at most as many run at once as the run allows. */
export async function useTools(
  toolbox: Toolbox,
  calls: readonly ToolCallPart[],
  round: number,
): Promise<readonly ToolResultPart[]> {
  const results: ToolResultPart[] = [];
  const remaining = calls.entries();
  const useNext = async (): Promise<void> => {
    for (const [index, part] of remaining) results[index] = await useTool(toolbox, part, `${round}.${index}`);
  };
  const { concurrency = DEFAULT_CONCURRENCY } = toolbox.call;
  await Promise.all(Array.from({ length: Math.min(concurrency, calls.length) }, useNext));
  return results;
}

/** A tool that fails returns its error to the model, which may try something else. */
async function useTool(
  { call, tools, clock, logger }: Toolbox,
  part: ToolCallPart,
  place: string,
): Promise<ToolResultPart> {
  const { id, name } = part;
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) {
    const content = `There is no tool ${name}. Use one of ${tools.map((known) => known.name).join(', ')}.`;
    return { type: 'tool-result', id, name, content, isError: true };
  }
  if (part.raw !== undefined) {
    const content = `The arguments of ${name} are no valid JSON, so it was not run. Call it again with whole arguments.`;
    return { type: 'tool-result', id, name, content, isError: true };
  }
  const { signal } = call;
  const idempotencyKey = `${call.idempotencyKey}/tool/${place}`;
  try {
    const input = part.arguments as Readonly<Record<string, unknown>>;
    const output = await callTool(tool, {
      input,
      signal,
      idempotencyKey,
      clock,
      place: { call, logger, isForModel: true },
    });
    return {
      type: 'tool-result',
      id,
      name,
      content: JSON.stringify(tool.output === undefined ? resultIn(output) : output),
    };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    return { type: 'tool-result', id, name, content: errorRecord(error).message, isError: true };
  }
}

const resultIn = (output: unknown): unknown => (output as { readonly result: unknown }).result;
