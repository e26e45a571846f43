/** Runs the tools that a model calls, and says what became of each call. */
import type { Clock } from '../../core/clock.ts';
import { abortError, type ErrorCode, errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { Scope, ToolCallPart, ToolResultPart } from '../../core/model/model.ts';
import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import type { Logger, Tool } from '../../core/plugin.ts';
import {
  type CallSlot,
  type LoopAnswer,
  type LoopRound,
  type NodeCall,
  type NodeOutput,
  type Paid,
  SuspendRun,
  type ToolCallRecord,
} from '../../core/run/engine.ts';
import { zodOrJson } from '../../kit/json/own/own-schema.ts';
import { chargeOf } from '../../runs/state/charge.ts';
import { callTool, toolInput } from '../tool.ts';
import { type Decision, decisionOn, refusalText } from '../tool-approval.ts';
import { spreadable } from '../user-code.ts';
import type { LoopRules } from './loop-rules.ts';
import { toolResultContent } from './tool-result.ts';
import type { CallableWorkflow } from './workflow-tool.ts';

/** What a model may call: a tool, a workflow, or another agent of its node. */
export type Callable = Tool | CallableWorkflow | Handoff;

/** Hands the conversation to another agent. */
export interface Handoff extends Pick<Tool, 'name' | 'description' | 'input'> {
  readonly handsTo: string;
}

export interface Toolbox {
  readonly call: NodeCall;
  readonly tools: readonly Callable[];
  readonly rules: LoopRules;
  readonly clock: Clock;
  readonly logger?: Logger | undefined;
  /** What the rounds before used, by the name of the tool. */
  readonly used: ReadonlyMap<string, ToolUse>;
  /** Takes what a call cost that is in no record, because it was stopped. */
  readonly paid: (paid: Paid) => void;
  /** Of a call beside the first. @default that of the node */
  readonly slot?: CallSlot;
}

/** What the calls of one tool were in the rounds so far. */
export interface ToolUse {
  readonly calls: number;
  /** Null: unknown. */
  readonly costNanoUsd: NanoUsd | null;
}

const DEFAULT_CONCURRENCY = 8;

/**
 * What became of an answer's calls, in their order. The first that runs has the slot of the node, and each beside it one of its own,
 * so that a run does no more at once than it may. Those that are recorded do not run.
 *
 * @throws cancelled; limit-exceeded when the run has no room for what became of one; SuspendRun for the first call that a person has
 *   to decide about; each once all that ran have ended
 */
export async function useTools(
  toolbox: Toolbox,
  answer: LoopAnswer,
  ended: LoopRound['calls'] | undefined,
): Promise<readonly ToolCallRecord[]> {
  const calls = answer.content.filter((part) => part.type === 'tool-call');
  const records: ToolCallRecord[] = [];
  const questions: SuspendRun[] = [];
  const failures: unknown[] = [];
  const left = calls.entries();
  const useNext = async (own: Toolbox): Promise<boolean> => {
    const next = failures.length > 0 ? undefined : left.next();
    if (next === undefined || next.done === true) return false;
    const [index, part] = next.value;
    try {
      const done = ended?.get(index) ?? (await useTool(own, answer, { part, index, calls }));
      if (done instanceof SuspendRun) questions[index] = done;
      else records[index] = done;
    } catch (error) {
      failures.push(error);
    }
    return true;
  };
  await besideEachOther(toolbox, calls.length, useNext);
  if (failures.length > 0) throw failures[0];
  const question = questions.find((asked) => asked !== undefined);
  if (question !== undefined) throw question;
  return records;
}

/** Calls `useNext` until it says that nothing is left, in as many places as there are slots. Resolves when all have ended. */
async function besideEachOther(
  toolbox: Toolbox,
  count: number,
  useNext: (own: Toolbox) => Promise<boolean>,
): Promise<void> {
  const { call } = toolbox;
  const { concurrency = DEFAULT_CONCURRENCY } = call;
  const waiting = new Set<CallSlot>();
  let isOver = false;
  const help = async (): Promise<void> => {
    for (;;) {
      const slot = call.anotherSlot?.();
      if (slot === undefined) {
        if (await useNext(toolbox)) continue;
        return;
      }
      waiting.add(slot);
      const isTaken = !isOver && (await slot.taken);
      waiting.delete(slot);
      try {
        if (!isTaken || !(await useNext({ ...toolbox, slot }))) return;
      } finally {
        slot.leave();
      }
    }
  };
  const helpers = Array.from({ length: Math.min(concurrency, count) - 1 }, help);
  while (await useNext(toolbox));
  isOver = true;
  for (const slot of waiting) slot.leave();
  await Promise.all(helpers);
}

/** A call, and its place among those of its answer. */
interface Called {
  readonly part: ToolCallPart;
  readonly index: number;
  readonly calls: readonly ToolCallPart[];
}

type Outcome = Pick<ToolCallRecord, 'arguments' | 'approval' | 'result' | 'error'> & Paid;

/** A tool that fails returns its error to the model, which may try something else. */
async function useTool(toolbox: Toolbox, answer: LoopAnswer, called: Called): Promise<ToolCallRecord | SuspendRun> {
  const { round, idempotencyKey: nodeKey = toolbox.call.idempotencyKey } = answer;
  const { part, index } = called;
  const { loop } = toolbox.call;
  const outcome = await outcomeOf(toolbox, called, `${nodeKey}/tool/${round - 1}.${index}`);
  if (outcome instanceof SuspendRun) return outcome;
  const record = { round, index, callId: part.id, name: part.name, ...outcome };
  return loop === undefined ? record : loop.called(record);
}

async function outcomeOf(toolbox: Toolbox, called: Called, key: string): Promise<Outcome | SuspendRun> {
  const { call, rules } = toolbox;
  const { part } = called;
  let given: Pick<Outcome, 'arguments' | 'approval'> = { arguments: part.arguments };
  try {
    const tool = calledTool(toolbox, called);
    if (rules.approve.has(part.name)) {
      const decision = await decided(call, tool, part, key);
      if (decision.approval === 'refused') return refused(part, decision.reason);
      given = decision;
    }
    const { value, costNanoUsd, usage } = await runTool(toolbox, tool, given, key);
    return { result: value, costNanoUsd, ...(usage === undefined ? {} : { usage }), ...given };
  } catch (error) {
    if (error instanceof SuspendRun) return given.approval === undefined ? error : askedWithin(error, key, part, given);
    const paid = chargeOf(error);
    if (call.signal.aborted) {
      toolbox.paid(paid);
      throw abortError(call.signal);
    }
    return { ...given, ...paid, error: errorRecord(error) };
  }
}

async function runTool(
  toolbox: Toolbox,
  tool: Callable,
  { arguments: given }: Pick<Outcome, 'arguments'>,
  idempotencyKey: string,
): Promise<Pick<NodeOutput, 'value' | 'costNanoUsd' | 'usage'>> {
  const { call, clock, logger } = toolbox;
  const input = given as Readonly<Record<string, unknown>>;
  if ('runNested' in tool)
    return tool.runNested(nestedCall(toolbox, tool.name), idempotencyKey, await toolInput(tool, input));
  if ('handsTo' in tool) return { value: `The conversation is handed to ${tool.handsTo}.`, costNanoUsd: 0 };
  const place = { call, logger, isForModel: true };
  const output = await callTool(tool, { input, signal: call.signal, idempotencyKey, clock, place });
  return { value: tool.output === undefined ? resultIn(output) : output, costNanoUsd: 0 };
}

/** What a workflow spends is charged to its own limit too, which the gateway holds; what waits for it gives its own slot back. */
function nestedCall({ call, rules, used, slot }: Toolbox, name: string): NodeCall {
  const capNanoUsd = rules.limits.get(name)?.nanoUsd;
  if (capNanoUsd === undefined && slot === undefined) return call;
  const own = { ...spreadable(call) };
  if (slot !== undefined) Object.assign(own, { giveSlotBack: () => slot.leave(), takeSlot: undefined });
  if (capNanoUsd === undefined) return own;
  const spentNanoUsd = used.get(name)?.costNanoUsd ?? 0;
  const scope: Scope = { kind: 'node', id: `${call.idempotencyKey}/tool/${name}`, capNanoUsd, spentNanoUsd };
  return { ...own, scopes: [...call.scopes, scope] };
}

const resultIn = (output: unknown): unknown => (output as { readonly result: unknown }).result;

// ---------------------------------------------------------------------------------------------------- before it runs

/** @throws invalid-request for a call that cannot run; limit-exceeded for one too many */
function calledTool({ tools, rules, used }: Toolbox, { part, index, calls }: Called): Callable {
  const { name, raw } = part;
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) throw unknownTool(name, tools);
  if (raw !== undefined) throw brokenArguments(name);
  const limit = rules.limits.get(name);
  if (limit === undefined) return tool;
  const before = used.get(name);
  const earlier = calls.slice(0, index).filter((other) => other.name === name).length;
  if (limit.calls !== undefined && (before?.calls ?? 0) + earlier >= limit.calls)
    throw usedUp(`${name} was called ${limit.calls} times, which is the limit`);
  // What an unknown cost leaves of a limit is nothing.
  const spent = before === undefined ? 0 : (before.costNanoUsd ?? Number.POSITIVE_INFINITY);
  if (limit.nanoUsd !== undefined && spent > 0 && spent >= limit.nanoUsd) throw usedUp(`${name} has spent what it may`);
  return tool;
}

const usedUp = (what: string): PolyphonyError =>
  new PolyphonyError('limit-exceeded', `${what}, so it was not run. Answer with what you know.`);

/** What cannot run is no question: the arguments are read first. */
async function decided(call: NodeCall, tool: Callable, part: ToolCallPart, key: string): Promise<Decision> {
  await toolInput(tool, part.arguments as Readonly<Record<string, unknown>>);
  return decisionOn(call, { key, part, input: zodOrJson(tool.input).input });
}

function refused({ name, arguments: given }: ToolCallPart, reason: string): Outcome {
  const error = errorRecord(new PolyphonyError('blocked', refusalText(name, reason)));
  return { arguments: given, approval: 'refused', error, costNanoUsd: 0 };
}

/** The call was approved, and is not asked about again once the question of its workflow is answered. */
const askedWithin = (
  { question }: SuspendRun,
  key: string,
  { arguments: called }: ToolCallPart,
  { arguments: given }: Pick<Outcome, 'arguments'>,
): SuspendRun => new SuspendRun({ ...question, approvedCall: { key, called, arguments: given } });

function unknownTool(name: string, tools: readonly Callable[]): PolyphonyError {
  const known = tools.map((tool) => tool.name).join(', ');
  return new PolyphonyError('invalid-request', `There is no tool ${name}. Use one of ${known}.`);
}

function brokenArguments(name: string): PolyphonyError {
  const message = `The arguments of ${name} are no valid JSON, so it was not run. Call it again with whole arguments.`;
  return new PolyphonyError('invalid-request', message);
}

// ---------------------------------------------------------------------------------------------------- after it ran

/** What the model reads of a call, behind what a person changed of it. What a tool said that is not trusted is marked as such. */
export function resultPart(record: ToolCallRecord, tools: readonly Callable[]): ToolResultPart {
  const { callId: id, name, arguments: given, approval, result, error } = record;
  const isError = error !== undefined;
  const read = isError ? error.message : toolResultContent(result);
  const content =
    approval === 'changed' ? behind(`A person changed the arguments to ${JSON.stringify(given)}.`, read) : read;
  return {
    type: 'tool-result',
    id,
    name,
    content,
    ...(isError ? { isError } : {}),
    ...(isOfOthers(record, tools) ? { untrusted: true } : {}),
  };
}

/** Why a call did not run, and who goes on after a handoff, are words of ours. */
function isOfOthers({ name, error }: ToolCallRecord, tools: readonly Callable[]): boolean {
  if (error !== undefined && !TOLD_BY_TOOLS.has(error.code)) return false;
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined || 'handsTo' in tool) return false;
  return 'runNested' in tool || tool.trusted !== true;
}

/** Errors whose messages hold what a tool or its server said. */
const TOLD_BY_TOOLS: ReadonlySet<string> = new Set<ErrorCode>(['tool-failed', 'invalid-output']);

const behind = (note: string, content: ToolResultPart['content']): ToolResultPart['content'] =>
  typeof content === 'string' ? `${note}\n${content}` : [{ type: 'text', text: note }, ...content];

/** Adds the calls of a round. Those that a limit or a person stopped count too, because the model made them. */
export function addUse(
  used: ReadonlyMap<string, ToolUse>,
  records: readonly ToolCallRecord[],
): ReadonlyMap<string, ToolUse> {
  const sum = new Map(used);
  for (const { name, costNanoUsd } of records) {
    const before = sum.get(name);
    sum.set(name, { calls: (before?.calls ?? 0) + 1, costNanoUsd: addMoney(before?.costNanoUsd ?? 0, costNanoUsd) });
  }
  return sum;
}
