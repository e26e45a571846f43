/** Adds to a response what its request asked for: the text, the checked object, the checked calls of tools. */

import { defined } from '../../core/defined.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { GenerateResponse, GenerateTool, InvalidToolCall, TextResponse } from '../../core/model/generate.ts';
import type { ModelResponse, ToolCallPart, Warning } from '../../core/model/model.ts';
import { textOf } from '../../core/model/response.ts';
import { extractJson } from '../../kit/json/json-schema.ts';
import { nameOf } from '../calls/target.ts';
import type { Form } from './form.ts';
import { checked, shownIssues } from './schemas.ts';

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };
type Answer = Mutable<TextResponse> & {
  toolCalls?: readonly CheckedCall[];
  invalidToolCalls?: readonly InvalidToolCall[];
  object?: unknown;
};

/** `response` is new and belongs to this call, so the fields are added in place. */
export function withText(response: ModelResponse): TextResponse {
  const answer = response as Mutable<TextResponse>;
  answer.text = textOf(response);
  return answer;
}

/** @throws invalid-output when the request has a schema, the model called no tool, and the answer does not fit */
export async function answerOf(form: Form, response: ModelResponse): Promise<GenerateResponse> {
  const answer: Answer = withText(response);
  if (form.tools !== undefined) await addToolCalls(answer, form.tools);
  if (form.schema !== undefined) answer.object = await objectIn(form.schema, answer);
  return answer;
}

interface CheckedCall {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
}

async function addToolCalls(answer: Answer, tools: readonly GenerateTool[]): Promise<void> {
  const valid: CheckedCall[] = [];
  const invalid: InvalidToolCall[] = [];
  for (const part of answer.content) {
    if (part.type !== 'tool-call') continue;
    const { id, name } = part;
    const result = await checkedArguments(part, tools);
    if (result.ok) valid.push({ type: 'tool-call', id, name, arguments: result.value });
    else invalid.push({ id, name, arguments: part.arguments, issues: result.issues });
  }
  answer.toolCalls = valid;
  answer.invalidToolCalls = invalid;
  if (invalid.length > 0) answer.warnings = [...answer.warnings, ...invalid.map(warningOf)];
}

function checkedArguments(part: ToolCallPart, tools: readonly GenerateTool[]): ReturnType<typeof checked> {
  const tool = tools.find(({ name }) => name === part.name);
  const wrong = (message: string) => Promise.resolve({ ok: false, issues: [{ path: '', message }] } as const);
  if (tool === undefined) return wrong(`is a call of ${part.name}, and the request has no such tool`);
  if (part.raw !== undefined) return wrong('is no JSON');
  return checked(tool.inputSchema, part.arguments);
}

const warningOf = ({ name, issues }: InvalidToolCall): Warning => ({
  code: 'tool-arguments',
  message: `A call of the tool ${name} is not among "toolCalls", because it does not fit: ${shownIssues(issues)}. It is among "invalidToolCalls": send the model its issues.`,
});

/** Only these are the ends of a whole answer. */
const isWhole = ({ finishReason }: ModelResponse): boolean =>
  finishReason === 'stop' || finishReason === 'other' || finishReason === 'tool-calls';

/** The object of a complete answer; undefined if the model called tools instead. */
export async function objectIn(schema: object, response: TextResponse): Promise<unknown> {
  if (response.content.some((part) => part.type === 'tool-call')) return undefined;
  const found = isWhole(response) ? extractJson(response.text) : wholeJson(response.text);
  if (found === undefined) throw noObject(response, withoutJson(response), [{ path: '', message: 'holds no JSON' }]);
  const result = await checked(schema, found.value);
  if (result.ok) return result.value;
  const why = `does not match "output": ${shownIssues(result.issues)}. Simplify the schema, or choose a stronger model`;
  throw noObject(response, why, result.issues);
}

/** A cut answer may begin with a value that looks whole, so nothing is searched in it and nothing is repaired. */
function wholeJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function withoutJson({ finishReason, refusal }: ModelResponse): string {
  if (refusal !== undefined) return `is a refusal, not an object: ${refusal.slice(0, 200)}`;
  if (finishReason === 'length') return 'was cut before its JSON was complete: raise "maxOutputTokens"';
  if (finishReason === 'content-filter') return "was stopped by the provider's filter before its JSON was complete";
  return 'holds no JSON: choose a model that can answer with a schema';
}

function noObject(response: ModelResponse, why: string, issues: readonly unknown[]): PolyphonyError {
  const { target, finishReason, costNanoUsd, escalation } = response;
  const details = { issues, finishReason, costNanoUsd, target, ...defined({ escalation }) };
  return new PolyphonyError('invalid-output', `The answer of ${nameOf(target)} ${why}.`, { details });
}
