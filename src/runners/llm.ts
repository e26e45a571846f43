/** `llm`: asks a language model, lets it use tools, and checks its answer against the node's `out`. */
import type { PolyphonyError } from '../core/errors.ts';
import type { ModelResponse } from '../core/model/model.ts';
import { textOf } from '../core/model/response.ts';
import { addMoney } from '../core/money/money.ts';
import { addUsage } from '../core/money/usage.ts';
import type { LoopAnswer, LoopRound, NodeOutput, NodeRunner, Paid, ToolCallRecord } from '../core/run/engine.ts';
import { chargeOf, withCharge } from '../runs/state/charge.ts';
import { askWhole, cutOf } from './agent/ask-model.ts';
import {
  type Conversation,
  conversationOf,
  type LlmOptions,
  pay,
  recordAnswer,
  say,
  takeCalls,
  takeUpAnswer,
  warn,
} from './agent/conversation.ts';
import { type EndingCall, finish, stoppedAnswer, typedAnswer } from './agent/llm-answer.ts';
import { chatRequest } from './agent/llm-request.ts';
import { resultPart, useTools } from './agent/llm-tools.ts';
import { recall, remember } from './agent/thread.ts';
import { joined } from './answer-ending.ts';
import { outputCut } from './more-room.ts';
import { type OutputSchema, outputSchema } from './output-check.ts';

export type { LlmOptions } from './agent/conversation.ts';

export function llmRunner(options: LlmOptions): NodeRunner {
  return async function askModel(call) {
    const schema = outputSchema(call, options.ownOutputs);
    const request = chatRequest(call, schema?.json, options.answers?.());
    const conversation = conversationOf(call, options, request);
    try {
      if (call.node.thread !== undefined) await recall(conversation, call.node.thread);
      const output = await answered(conversation, schema);
      if (call.thread !== undefined) await remember(conversation, call.thread, output.value);
      return output;
    } catch (error) {
      const { costNanoUsd, usage } = chargeOf(error);
      const cost = addMoney(conversation.costNanoUsd, costNanoUsd);
      throw withCharge(error, { costNanoUsd: cost, usage: addUsage(conversation.usage, usage) });
    }
  };
}

async function answered(conversation: Conversation, schema: OutputSchema | undefined): Promise<NodeOutput> {
  const ending = await converse(conversation);
  if ('record' in ending) return stoppedAnswer(conversation, schema, ending);
  if (schema === undefined) return finish(conversation, ending, { text: textOf(ending) });
  return typedAnswer(conversation, schema, ending);
}

/** Asks until the model answers without calling a tool, or calls the one that ends the loop. What it said before it paused is a part of its answer. */
async function converse(conversation: Conversation): Promise<ModelResponse | EndingCall> {
  const { call, rules } = conversation;
  const { rounds } = rules;
  const recorded = call.loop?.rounds ?? [];
  let paused: readonly LoopAnswer[] = [];
  for (let round = 0; ; round += 1) {
    const known = recorded[round];
    let answer: LoopAnswer;
    if (known !== undefined) answer = takeUpAnswer(conversation, known);
    else {
      const response = await askRound(conversation, round, rounds);
      if (!goesOn(conversation, response, round >= rounds)) return joined(paused, response);
      answer = await recordAnswer(conversation, response, round);
    }
    paused = answer.finishReason === 'pause' ? [...paused, answer] : [];
    const record = await sayRound(conversation, answer, known?.calls);
    if (record !== undefined) return { answer, record };
    if (paused.length === 0 && round === rounds - 1) warn(conversation, 'tool-rounds', roundsWarning(rounds));
  }
}

/** @throws output-cut when the model pauses in its last round, and what `askWhole` throws */
async function askRound(conversation: Conversation, round: number, rounds: number): Promise<ModelResponse> {
  const last = round >= rounds;
  const hasTools = conversation.agent.tools.length > 0;
  const response = await askWhole(conversation, hasTools && last ? { toolChoice: 'none' } : {});
  if (last && response.finishReason === 'pause') throw pausedTooOften(conversation, response, rounds);
  return response;
}

/** Whether the model has more to say: it paused, or calls tools and may do so. */
function goesOn({ agent: { tools } }: Conversation, { content, finishReason }: ModelResponse, last: boolean): boolean {
  if (finishReason === 'pause') return true;
  return tools.length > 0 && !last && content.some(({ type }) => type === 'tool-call');
}

/**
 * Adds the answer to the messages, with the results of its calls.
 *
 * @returns the call that ends the loop, if there is one
 */
async function sayRound(
  conversation: Conversation,
  answer: LoopAnswer,
  ended: LoopRound['calls'] | undefined,
): Promise<ToolCallRecord | undefined> {
  const { call, options, agent, rules, used } = conversation;
  const { content, finishReason } = answer;
  if (finishReason === 'pause') {
    if (content.length > 0) say(conversation, [{ role: 'assistant', content }]);
    return undefined;
  }
  const { clock, logger } = options;
  const paid = (cost: Paid): void => pay(conversation, cost);
  const records = await useTools({ call, tools: agent.tools, rules, used, clock, logger, paid }, answer, ended);
  takeCalls(conversation, records, ended);
  say(conversation, [
    { role: 'assistant', content },
    { role: 'tool', content: records.map((record) => resultPart(record, agent.tools)) },
  ]);
  return records.find(({ name, error }) => name === rules.stopWhen && error === undefined);
}

const roundsWarning = (rounds: number): string =>
  `The model called tools in ${rounds} rounds, which is the limit, so it had to answer without calling more.`;

function pausedTooOften(conversation: Conversation, response: ModelResponse, rounds: number): PolyphonyError {
  const bound = `the ${rounds} rounds in which a model may pause or call tools`;
  return outputCut(cutOf(conversation, response), { tokens: response.usage.output, bound });
}
