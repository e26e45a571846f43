/** What is known of a chat answer while it is read, and how it ends. */
import { PolyphonyError } from '../../core/errors.ts';
import type {
  ChatRequest,
  Citation,
  FinishReason,
  JsonSchema,
  JsonValue,
  ModelEvent,
  TokenLogprob,
  Usage,
} from '../../core/model.ts';
import type { WireContext } from '../../core/provider.ts';
import { type AnswerState, answerState, finishAnswer } from '../decode-answer.ts';
import { dropOptionalNulls } from '../json-validation.ts';
import { type ToolCallAssembler, toolCallAssembler } from '../tool-calls.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { type ReasoningReader, reasoningReader } from './reasoning.ts';

export interface ChatState extends AnswerState {
  reason: FinishReason | undefined;
  usage: Usage | undefined;
  model: string | undefined;
  id: string | undefined;
  refusal: string;
  citations: Citation[];
  /** Text or a tool call came. */
  spoke: boolean;
  /** A whole message came: the end of its JSON is its end, whatever it says of a reason. */
  whole: boolean;
  readonly logprobs: TokenLogprob[];
  readonly reasoningBesideOutput: boolean;
  /** The schemas of tools that were sent in the strict subset, whose optional arguments come as nulls. */
  readonly strictTools: ReadonlyMap<string, JsonSchema>;
  readonly calls: ToolCallAssembler;
  readonly reasoning: ReasoningReader;
}

export function chatState(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext): ChatState {
  const state: ChatState = {
    ...answerState(request),
    reason: undefined,
    usage: undefined,
    model: undefined,
    id: undefined,
    refusal: '',
    citations: [],
    spoke: false,
    whole: false,
    logprobs: [],
    reasoningBesideOutput: quirks.reasoningBesideOutput === true,
    strictTools: strictToolsOf(request, quirks),
    calls: toolCallAssembler(() => `call_${state.id ?? 'unnamed'}`),
    reasoning: reasoningReader(context.target.provider),
  };
  return state;
}

/** Adds the last events; a second time nothing. */
export function finish(state: ChatState): void {
  if (state.complete) return;
  const { events, calls, usage, model, id, refusal, logprobs, citations } = state;
  const block = state.reasoning.close();
  if (block !== undefined) events.push(block);
  for (const event of calls.finish()) events.push(withoutNulls(event, state.strictTools));
  // Several servers say `stop` (or nothing) beside tool calls.
  const called = calls.count > 0 && (state.reason === 'stop' || state.reason === undefined);
  const reason = called ? 'tool-calls' : (state.reason ?? 'other');
  finishAnswer(state, { reason, usage, model, id, refusal, logprobs, citations });
}

function strictToolsOf(request: ChatRequest, quirks: ChatCompletionsQuirks): ReadonlyMap<string, JsonSchema> {
  const strict = quirks.strictSchemas === true ? (request.tools ?? []).filter((tool) => tool.strict === true) : [];
  return new Map(strict.map((tool) => [tool.name, tool.inputSchema]));
}

function withoutNulls(event: ModelEvent, strictTools: ReadonlyMap<string, JsonSchema>): ModelEvent {
  const schema = event.type === 'tool-call' ? strictTools.get(event.call.name) : undefined;
  if (event.type !== 'tool-call' || schema === undefined) return event;
  return {
    type: 'tool-call',
    call: { ...event.call, arguments: dropOptionalNulls(schema, event.call.arguments) as JsonValue },
  };
}

/** The error with the usage told so far among its details, so that it can be charged. */
export function withUsage(error: PolyphonyError, usage: Usage | undefined): PolyphonyError {
  if (usage === undefined) return error;
  const { code, message, retryable, status } = error;
  return new PolyphonyError(code, message, {
    retryable,
    details: { ...error.details, usage },
    ...(status === undefined ? {} : { status }),
  });
}
