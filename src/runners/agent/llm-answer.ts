/** The output of an `llm` node: text, what its `out` declares, or the arguments of the call that ended its loop. */
import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { jsonSize } from '../../core/json/json-size.ts';
import type { ModelResponse } from '../../core/model/model.ts';
import { textOf } from '../../core/model/response.ts';
import type { AnswerFacts, LoopAnswer, NodeCall, NodeOutput, ToolCallRecord } from '../../core/run/engine.ts';
import { dropOptionalNulls, extractJson, type JsonIssue } from '../../kit/json/json-schema.ts';
import { factsOf, modelName } from '../answer-ending.ts';
import { outputOf } from '../gateway-call.ts';
import { cutAt, roomOf } from '../more-room.ts';
import { type CheckedValue, checkedValue, issueList, type OutputSchema } from '../output-check.ts';
import { askWhole, cutOf } from './ask-model.ts';
import { type Conversation, say, warn } from './conversation.ts';

/** The output of a node whose model has answered. */
export function finish(conversation: Conversation, response: ModelResponse, value: unknown): NodeOutput {
  if (response.finishReason === 'length') warn(conversation, 'output-cut', cutWarning(conversation, response));
  const { costNanoUsd, usage, warnings } = conversation;
  const answer = { ...factsOf(response), ...transcriptOf(conversation, response) };
  return { answer, ...outputOf(value, response), costNanoUsd, usage, warnings };
}

function cutWarning(conversation: Conversation, response: ModelResponse): string {
  const cut = cutOf(conversation, response);
  return `The answer ${cutAt(cut, roomOf(cut))}. It may lack its end.`;
}

/**
 * The answer in the form of `out`, after at most one repair.
 *
 * @throws invalid-output
 */
export async function typedAnswer(
  conversation: Conversation,
  schema: OutputSchema,
  first: ModelResponse,
): Promise<NodeOutput> {
  const answer = await read(schema, first);
  if (first.cached !== true) conversation.options.gateway.rate?.(first.target, 'structured', answer.ok ? 1 : 0);
  if (answer.ok) return accept(conversation, first, answer);
  say(conversation, [{ role: 'assistant', content: textOf(first) || '(no text)' }]);
  return repaired(conversation, schema, answer.issues, modelName(first));
}

/** Asks once more for what fits `out`, and says what is wrong with what there is. */
async function repaired(
  conversation: Conversation,
  schema: OutputSchema,
  issues: readonly JsonIssue[],
  model: string,
): Promise<NodeOutput> {
  if (conversation.repaired) throw mismatch(conversation.call, issues, model);
  conversation.repaired = true;
  const content = `This does not fit the schema: ${issueList(issues)}. Answer again with the corrected JSON and nothing else.`;
  say(conversation, [{ role: 'user', content }]);
  conversation.call.emit('', { restart: true });
  const second = await askWhole(conversation, conversation.agent.tools.length > 0 ? { toolChoice: 'none' } : {});
  const answer = await read(schema, second);
  if (!answer.ok) throw mismatch(conversation.call, answer.issues, modelName(second));
  const message = `The first answer did not match "out", so the model corrected it: ${issueList(issues)}`;
  warn(conversation, 'output-repaired', message);
  return accept(conversation, second, answer);
}

/** The call of a tool that ended the loop, and the answer that made it. */
export interface EndingCall {
  readonly answer: LoopAnswer;
  readonly record: ToolCallRecord;
}

/**
 * The output of a node whose loop was ended by the call of a tool: its arguments, in the form of `out` where there is one.
 *
 * @throws invalid-output
 */
export async function stoppedAnswer(
  conversation: Conversation,
  schema: OutputSchema | undefined,
  { answer, record }: EndingCall,
): Promise<NodeOutput> {
  const { arguments: given } = record;
  if (schema === undefined) return stopped(conversation, answer, { text: JSON.stringify(given) });
  const checked = await checkedValue(schema, dropOptionalNulls(schema.json, given));
  if (!checked.ok) return repaired(conversation, schema, checked.issues, `${answer.provider}/${answer.model}`);
  if (checked.warning !== undefined) conversation.warnings = [...conversation.warnings, checked.warning];
  return stopped(conversation, answer, checked.value);
}

function stopped(conversation: Conversation, answer: LoopAnswer, value: unknown): NodeOutput {
  const { costNanoUsd, usage, warnings } = conversation;
  const { model, provider } = answer;
  const facts = { ...factsOf(answer), ...transcriptOf(conversation) };
  return { value, ...defined({ model, provider }), answer: facts, costNanoUsd, usage, warnings };
}

const MOST_MESSAGES = 256;
const MOST_BYTES = 1_048_576;

/** The last of what was said, for a node that asks for it. It begins with no result whose call is cut off. */
function transcriptOf({ rules, messages }: Conversation, last?: ModelResponse): Pick<AnswerFacts, 'transcript'> {
  if (!rules.keepsTranscript) return {};
  const all = last === undefined ? messages : [...messages, { role: 'assistant', content: last.content } as const];
  let from = all.length;
  let bytes = 0;
  for (let index = from - 1; index >= 0 && all.length - index <= MOST_MESSAGES; index -= 1) {
    bytes += jsonSize(all[index]).bytes + 1;
    if (bytes > MOST_BYTES) break;
    from = index;
  }
  while (all[from]?.role === 'tool') from += 1;
  return { transcript: all.slice(from) };
}

function accept(conversation: Conversation, response: ModelResponse, answer: GoodAnswer): NodeOutput {
  if (answer.mended) {
    const message = `The JSON of ${modelName(response)} was not valid and was mended; its value may not be what the model meant.`;
    warn(conversation, 'json-repaired', message);
  }
  if (answer.warning !== undefined) conversation.warnings = [...conversation.warnings, answer.warning];
  return finish(conversation, response, answer.value);
}

type GoodAnswer = Extract<CheckedValue, { readonly ok: true }> & {
  /** The text was no valid JSON, and the value is what it probably means. */
  readonly mended: boolean;
};

type Answer = GoodAnswer | Extract<CheckedValue, { readonly ok: false }>;

async function read(schema: OutputSchema, response: ModelResponse): Promise<Answer> {
  const extracted = extractJson(textOf(response));
  if (extracted === undefined) return { ok: false, issues: [{ path: '', message: 'holds no JSON' }] };
  const { repaired: mended } = extracted;
  // Whether a model that does not say why it stopped has ended is not known, so nothing is added to what it wrote.
  if (mended && response.finishReason === 'other')
    return { ok: false, issues: [{ path: '', message: 'is no whole JSON' }] };
  const checked = await checkedValue(schema, dropOptionalNulls(schema.json, extracted.value));
  return checked.ok ? { ...checked, mended } : checked;
}

function mismatch(call: NodeCall, issues: readonly JsonIssue[], model: string): PolyphonyError {
  const message = `The answer of ${model} does not match "out" of node ${call.node.id}, even after one repair: ${issueList(issues)}. Simplify "out", or choose a stronger model.`;
  return new PolyphonyError('invalid-output', message, { details: { issues } });
}
