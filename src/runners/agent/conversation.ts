/** The messages of one node to a model, the totals of its calls, and the rounds that are recorded of them. */
import type { Clock } from '../../core/clock.ts';
import type { AnswerLimitsConfig } from '../../core/config.ts';
import { defined } from '../../core/defined.ts';
import type { Gateway } from '../../core/gateway.ts';
import type { Message, ModelResponse, Usage, Warning } from '../../core/model/model.ts';
import { addMoney, type NanoUsd } from '../../core/money/money.ts';
import { addUsage, NO_USAGE, type Paid } from '../../core/money/usage.ts';
import type { Logger, Tool } from '../../core/plugin.ts';
import type { LoopAnswer, LoopRound, NodeCall, ToolCallRecord } from '../../core/run/engine.ts';
import type { ThreadStore } from '../../core/stores/threads.ts';
import type { OwnOutputs } from '../output-check.ts';
import { type Agent, agentsOf, nextAgent } from './agents.ts';
import type { ChatDraft } from './llm-request.ts';
import { addUse, type Callable, type ToolUse } from './llm-tools.ts';
import { type LoopRules, loopRules } from './loop-rules.ts';
import type { FindWorkflow } from './workflow-tool.ts';

export interface LlmOptions {
  readonly gateway: Gateway;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly clock: Clock;
  /** Gets the errors of tools. @default none */
  readonly logger?: Logger;
  /** Workflows that models may call as tools. @default none */
  readonly workflow?: FindWorkflow;
  /** Rounds in which a model may call tools before it has to answer, where its node does not say. @default 8 */
  readonly toolRounds?: number;
  /** The most rounds that a node may ask for. @default 20 */
  readonly mostToolRounds?: number;
  /** The bounds of answers, as the config sets them now. @default 4096 tokens, 2048 repeated characters */
  readonly answers?: () => AnswerLimitsConfig | undefined;
  /** What nodes with a thread remember. @default none: such a node fails as `unsupported` */
  readonly threads?: ThreadStore | undefined;
  /** What the workflows' own schemas say of the outputs of their nodes. @default what the plans say */
  readonly ownOutputs?: OwnOutputs;
}

export interface Conversation {
  readonly call: NodeCall;
  readonly options: LlmOptions;
  readonly request: ChatDraft;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly rules: LoopRules;
  /** Who is asked next. */
  agent: Agent;
  /** Without system prompts, which are those of the agents. */
  messages: readonly Message[];
  /** What the calls of tools used so far. */
  used: ReadonlyMap<string, ToolUse>;
  asked: number;
  /** Of what this process asked. */
  costNanoUsd: NanoUsd | null;
  usage: Usage;
  /** Tokens of the rounds that were recorded before. */
  earlier: Usage;
  warnings: readonly Warning[];
  /** What no record tells yet. */
  unrecorded: Unrecorded;
  /** The one repair was used: the answer was asked for again with more room, or with what is wrong with it. */
  repaired: boolean;
}

interface Unrecorded {
  readonly costNanoUsd: NanoUsd | null;
  readonly usage: Usage;
  /** Calls of models. */
  readonly asked: number;
  /** Warnings that records tell. */
  readonly warned: number;
}

const NOTHING: Unrecorded = { costNanoUsd: 0, usage: NO_USAGE, asked: 0, warned: 0 };

export function conversationOf(call: NodeCall, options: LlmOptions, request: ChatDraft): Conversation {
  const agents = agentsOf(call, options);
  const [agent] = agents.values();
  if (agent === undefined) throw new TypeError('a node is an agent itself');
  const tools = [...agents.values()].flatMap((one) => one.tools);
  const names = new Set(tools.map(({ name }) => name));
  return {
    call,
    options,
    request,
    agents,
    rules: withOwnApproval(loopRules(call, names, options), tools),
    agent,
    messages: request.messages,
    used: new Map(),
    asked: 0,
    costNanoUsd: 0,
    usage: NO_USAGE,
    earlier: NO_USAGE,
    warnings: [],
    unrecorded: NOTHING,
    repaired: false,
  };
}

/** A tool may want approval wherever it is used. */
function withOwnApproval(rules: LoopRules, tools: readonly Callable[]): LoopRules {
  const asking = tools.filter((tool) => 'approval' in tool && tool.approval === 'ask');
  if (asking.length === 0) return rules;
  return { ...rules, approve: new Set([...rules.approve, ...asking.map(({ name }) => name)]) };
}

export function say(conversation: Conversation, messages: readonly Message[]): void {
  conversation.messages = [...conversation.messages, ...messages];
}

export function warn(conversation: Conversation, code: string, message: string): void {
  conversation.warnings = [...conversation.warnings, { code, message }];
}

/** Adds what was paid to the totals. */
export function pay(conversation: Conversation, { costNanoUsd, usage }: Paid): void {
  conversation.costNanoUsd = addMoney(conversation.costNanoUsd, costNanoUsd);
  conversation.usage = addUsage(conversation.usage, usage);
}

/** Adds a call of a model to the totals. */
export function count(conversation: Conversation, paid: Paid): void {
  const { unrecorded } = conversation;
  const { costNanoUsd, usage } = paid;
  pay(conversation, paid);
  conversation.unrecorded = {
    ...unrecorded,
    costNanoUsd: addMoney(unrecorded.costNanoUsd, costNanoUsd),
    usage: addUsage(unrecorded.usage, usage),
    asked: unrecorded.asked + 1,
  };
}

/** Tokens of the node so far, over all processes. */
export const usedBy = ({ usage, earlier }: Conversation): Usage => addUsage(earlier, usage);

/**
 * Records an answer after which the node goes on.
 *
 * @param round of the loop, from 0
 * @throws limit-exceeded when the run has no room for it
 */
export async function recordAnswer(
  conversation: Conversation,
  response: ModelResponse,
  round: number,
): Promise<LoopAnswer> {
  const { content, finishReason, citations, target } = response;
  const { call, asked, unrecorded, warnings, rules } = conversation;
  const { costNanoUsd, usage, warned, asked: calls } = unrecorded;
  const fresh = warnings.slice(warned);
  const answer: LoopAnswer = {
    round: round + 1,
    content,
    finishReason,
    asked,
    idempotencyKey: call.idempotencyKey,
    costNanoUsd,
    ...defined({ citations, usage: usage === NO_USAGE ? undefined : usage }),
    ...(fresh.length === 0 ? {} : { warnings: fresh }),
    ...(calls === 0 ? {} : { calls }),
    ...(rules.stopWhen === undefined ? {} : { model: response.model ?? target.model, provider: target.provider }),
  };
  conversation.unrecorded = { ...NOTHING, warned: warnings.length };
  await call.loop?.answered(answer);
  return answer;
}

/**
 * Goes on after a recorded answer, as if it had come now. It is paid and shown already.
 *
 * @throws limit-exceeded when the run has no room for the round
 */
export function takeUpAnswer(conversation: Conversation, known: LoopRound): LoopAnswer {
  conversation.call.loop?.takenUp(known);
  const { answer } = known;
  const { asked, usage, warnings = [] } = answer;
  conversation.asked = asked;
  conversation.earlier = addUsage(conversation.earlier, usage);
  conversation.warnings = [...conversation.warnings, ...warnings];
  conversation.unrecorded = { ...NOTHING, warned: conversation.warnings.length };
  if (warnings.some(({ code }) => code === 'output-repaired')) conversation.repaired = true;
  return answer;
}

/** The results of a round: of those that were recorded before, the cost is a part of the node already. */
export function takeCalls(
  conversation: Conversation,
  records: readonly ToolCallRecord[],
  ended: LoopRound['calls'] | undefined,
): void {
  for (const record of records) {
    if (ended?.has(record.index) === true) conversation.earlier = addUsage(conversation.earlier, record.usage);
    else pay(conversation, record);
  }
  conversation.used = addUse(conversation.used, records);
  conversation.agent = nextAgent(conversation.agents, conversation.agent, records);
}
