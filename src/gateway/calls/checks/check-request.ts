/**
 * What callers in JavaScript, and everyone who builds a request from data, can get wrong without being told. Asked of each call once,
 * before it is routed: plain comparisons only, and words only for what is wrong.
 */
import {
  assertKnownFields,
  BOOLEAN,
  type KnownFields,
  oneOf,
  shown,
  TEXT,
  unknownField,
  wholeFrom,
} from '../../../core/checked-options.ts';
import { PolyphonyError } from '../../../core/errors.ts';
import type {
  ChatRequest,
  Message,
  ModelChoice,
  ModelRequest,
  OutputFormat,
  Part,
  RequestLimits,
  Requirements,
  Role,
  ToolDefinition,
} from '../../../core/model/model.ts';
import { nearest } from '../../../language/suggest.ts';
import { assertRule } from './check-rule.ts';
import {
  assertPart,
  assertValue,
  LIMIT_VALUES,
  MODEL_VALUES,
  PART_VALUES,
  REQUIRED_VALUES,
  RULES,
  type ValueRules,
} from './request-values.ts';

const MODEL: KnownFields<ModelChoice> = {
  id: true,
  tier: true,
  strict: true,
  can: true,
  strengths: true,
  route: true,
  task: true,
};
const LIMITS: KnownFields<RequestLimits> = {
  usd: true,
  ms: true,
  attemptMs: true,
  p95Ms: true,
  quality: true,
  accuracy: true,
  unknownLatency: true,
  retries: true,
  milliseconds: true,
  p95Milliseconds: true,
};
const REQUIRES: KnownFields<Requirements> = { contextTokens: true, languages: true, regions: true, retention: true };
const OUTPUT: KnownFields<OutputFormat> = { type: oneOf('json'), schema: true, name: TEXT, strict: BOOLEAN };
const REASONING: KnownFields<NonNullable<ChatRequest['reasoning']>> = {
  effort: oneOf('none', 'minimal', 'low', 'medium', 'high'),
  budgetTokens: wholeFrom(0),
};
const HEDGE: KnownFields<{ readonly afterMs?: number }> = { afterMs: true };
const TOOL: KnownFields<ToolDefinition> = { name: true, description: TEXT, inputSchema: true, strict: BOOLEAN };
const MESSAGE: KnownFields<Message> = { role: true, content: true, name: TEXT };
const ROLES: Readonly<Record<Role, true>> = { system: true, user: true, assistant: true, tool: true };
/**
 * @throws invalid-request for an operation, a field, a role or a part that does not exist (with the nearest name), and for a chat
 * request that asks nothing
 */
export function assertRequest(request: ModelRequest): void {
  if (!isObject(request)) throw invalid(`A request cannot be ${shown(request)}: give an object.`);
  if (!Object.hasOwn(RULES, request.operation)) throw noOperation(request.operation);
  const { fields, what, short } = RULES[request.operation];
  for (const name in request) {
    const value: unknown = request[name as keyof ModelRequest];
    if (short.includes(name) && value !== undefined) throw shortForm(name);
    if (!Object.hasOwn(fields, name) && value !== undefined)
      throw unknownField(what, name, [...Object.keys(fields), ...short], nearest);
    assertValue(name, value, fields[name]);
  }
  assertModel(request.model);
  assertObject('limits', request.limits, LIMITS, LIMIT_VALUES);
  assertObject('requires', request.requires, REQUIRES, REQUIRED_VALUES);
  if (request.escalate !== undefined) assertRule(request.escalate);
  if (request.operation === 'chat') assertChat(request);
}

/** What is short for messages is taken where answers are asked for. */
const shortForm = (name: string): PolyphonyError =>
  invalid(`"${name}" is taken by generate and stream only: give messages, such as [{ role: "user", content: "…" }].`);

function assertModel(model: unknown): void {
  if (model === undefined || typeof model === 'string') return;
  if (!isObject(model))
    throw invalid(`The field "model" cannot be ${shown(model)}: give a name, or an object such as { tier: 'fast' }.`);
  assertFields('The field "model"', model, MODEL);
  for (const name in model) assertValue(`model.${name}`, model[name as never], MODEL_VALUES[name]);
}

/** From JavaScript, what is no object, or has a misspelt word or a number as a text, would be no limit. */
function assertObject<T extends object>(what: string, given: unknown, known: KnownFields<T>, values: ValueRules): void {
  if (given === undefined) return;
  if (!isObject(given)) throw invalid(`${what} is ${shown(given)}: give an object of fields.`);
  assertFields(what, given, known);
  for (const name in given) assertValue(`${what}.${name}`, given[name as never], values[name]);
}

function assertChat(request: ChatRequest): void {
  const { messages, tools, toolChoice, output, reasoning, hedge } = request;
  assertFields('output', output, OUTPUT);
  assertFields('reasoning', reasoning, REASONING);
  if (tools !== undefined) assertTools(tools);
  if (toolChoice !== undefined) assertToolChoice(toolChoice, request);
  if (hedge !== undefined) assertHedge(hedge);
  if (!Array.isArray(messages) || messages.length === 0) throw nothingAsked(messages);
  for (let index = 0; index < messages.length; index += 1) assertMessage(messages[index], index);
}

function assertHedge(hedge: NonNullable<ChatRequest['hedge']>): void {
  if (typeof hedge === 'boolean') return;
  assertFields('hedge', hedge, HEDGE);
  const afterMs: unknown = isObject(hedge) ? (hedge.afterMs ?? 1) : undefined;
  if (typeof afterMs === 'number' && afterMs > 0) return;
  if (!isObject(hedge)) throw invalid(`hedge is ${shown(hedge)}, but it must be true, false or { afterMs }.`);
  throw invalid(`hedge.afterMs is ${shown(afterMs)}, but it must be a number of milliseconds above 0.`);
}

/** A string is short for some of them, and what is absent is right. */
function assertFields<T extends object>(what: string, given: unknown, known: KnownFields<T>): void {
  if (isObject(given)) assertKnownFields(what, given as T, known, nearest);
}

function assertTools(tools: readonly ToolDefinition[]): void {
  if (!Array.isArray(tools)) throw invalid('The field "tools" must be a list, such as [{ name, inputSchema }].');
  for (const tool of tools as readonly ToolDefinition[]) {
    if (!isObject(tool)) throw invalid(`A tool cannot be ${shown(tool)}: give { name, description, inputSchema }.`);
    assertKnownFields('A tool', tool, TOOL, nearest);
    if (typeof tool.name !== 'string' || tool.name === '')
      throw invalid(`The name of a tool cannot be ${shown(tool.name)}: give a text, such as "weather".`);
    if (!isObject(tool.inputSchema))
      throw invalid(`The tool "${tool.name}" has no "inputSchema": give a zod schema or a JSON Schema.`);
  }
}

/** What is required has to be there. Tools of a provider may have names, and come from options, that only it knows. */
function assertToolChoice(choice: NonNullable<ChatRequest['toolChoice']>, request: ChatRequest): void {
  const { tools = [], providerTools, providerOptions } = request;
  if (choice === 'auto' || choice === 'none' || providerTools !== undefined || providerOptions !== undefined) return;
  if (tools.length === 0)
    throw invalid('toolChoice requires a tool, but the request has no tools: give it "tools", or leave it out.');
  if (choice === 'required' || tools.some(({ name }) => name === choice.name)) return;
  const names = tools.map(({ name }) => name);
  const [near] = nearest(choice.name, names);
  const meant = near === undefined ? '' : `did you mean "${near}"? `;
  throw invalid(
    `toolChoice names ${shown(choice.name)}, which is not among the tools: ${meant}use one of ${names.slice(0, 20).join(', ')}.`,
  );
}

function assertMessage(message: Message | undefined, index: number): void {
  if (!isObject(message)) throw invalid(`Message ${index} cannot be ${shown(message)}: give { role, content }.`);
  for (const name in message) {
    if (!Object.hasOwn(MESSAGE, name) && message[name as keyof Message] !== undefined)
      throw unknownField(`Message ${index}`, name, Object.keys(MESSAGE), nearest);
  }
  const { role, content } = message;
  if (typeof role !== 'string' || !Object.hasOwn(ROLES, role)) throw noRole(role, index);
  if (typeof content !== 'string') assertParts(content, index);
  if (role === 'user' && content.length === 0)
    throw invalid(`Message ${index} of the user is empty: give it a text, or leave it out.`);
}

function assertParts(parts: readonly Part[], index: number): void {
  if (!Array.isArray(parts))
    throw invalid(`The content of message ${index} cannot be ${shown(parts)}: give a text or a list of parts.`);
  for (const [at, part] of (parts as readonly Part[]).entries()) {
    if (isObject(part) && Object.hasOwn(PART_VALUES, part.type)) {
      assertPart(`Part ${at} of message ${index}`, part);
      continue;
    }
    const type: unknown = isObject(part) ? part.type : part;
    throw invalid(
      `Message ${index} has a part of the type ${shown(type)}: ${suggested(type, PART_VALUES)}use one of ${Object.keys(PART_VALUES).join(', ')}.`,
    );
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (message: string): PolyphonyError => new PolyphonyError('invalid-request', message);

const noOperation = (operation: unknown): PolyphonyError =>
  invalid(
    `There is no operation ${shown(operation)}: ${suggested(operation, RULES)}use one of ${Object.keys(RULES).join(', ')}.`,
  );

const noRole = (role: unknown, index: number): PolyphonyError =>
  invalid(
    `Message ${index} has the role ${shown(role)}: ${suggested(role, ROLES)}use one of ${Object.keys(ROLES).join(', ')}.`,
  );

const nothingAsked = (messages: unknown): PolyphonyError =>
  invalid(
    messages === undefined || Array.isArray(messages)
      ? 'A chat request has no messages, so nothing is asked: give it "prompt", or "messages" with at least one message.'
      : `The field "messages" cannot be ${shown(messages)}: give a list of { role, content }, or "prompt" for a single text.`,
  );

/** Roles and operations that other libraries have, or the nearest name. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  developer: 'system',
  model: 'assistant',
  human: 'user',
  ai: 'assistant',
  function: 'tool',
};

function suggested(name: unknown, known: object): string {
  if (typeof name !== 'string') return '';
  const other = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : undefined;
  const near = other !== undefined && Object.hasOwn(known, other) ? other : nearest(name, Object.keys(known))[0];
  return near === undefined ? '' : `did you mean "${near}"? `;
}
