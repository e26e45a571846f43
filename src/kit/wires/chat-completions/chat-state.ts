/** The state of a chat answer while it is read, and its end. */
import { PolyphonyError } from '../../../core/errors.ts';
import { newList } from '../../../core/lists.ts';
import type {
  ChatRequest,
  Citation,
  FinishReason,
  JsonSchema,
  JsonValue,
  ModelEvent,
  TokenLogprob,
  Usage,
} from '../../../core/model/model.ts';
import type { WireContext } from '../../../core/model/provider.ts';
import { type AnswerState, answerState, finishAnswer } from '../../http/decode-answer.ts';
import type { JsonRecord } from '../../json/json-shape.ts';
import { dropOptionalNulls } from '../../json/optional-nulls.ts';
import { type CostStatement, settledCost, statedCost } from '../stated-cost.ts';
import { type ToolCallAssembler, toolCallAssembler } from '../tool-calls.ts';
import { type AudioDraft, audioDraft, audioEvent } from './media.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { type ReasoningReader, reasoningReader } from './reasoning.ts';

/** A class: see docs/decisions/objects-of-a-call.md. */
export class ChatState implements AnswerState {
  events: ModelEvent[];
  failure: AnswerState['failure'];
  complete: boolean;
  malformed: number;
  readonly raw: unknown[] | undefined;
  reason: FinishReason | undefined = undefined;
  usage: Usage | undefined = undefined;
  /** The usage as it was sent, which may state a cost. */
  rawUsage: JsonRecord | undefined = undefined;
  model: string | undefined = undefined;
  fingerprint: string | undefined = undefined;
  id: string | undefined = undefined;
  serviceTier: string | undefined = undefined;
  refusal = '';
  readonly stops: readonly string[] | undefined;
  stopSequence: string | undefined = undefined;
  citations: Citation[] = newList();
  /** Text or a tool call has arrived. */
  hasOutput = false;
  /** A complete message has arrived, so the answer is complete even without a finish reason. */
  whole = false;
  readonly logprobs: TokenLogprob[] = newList();
  readonly family: string;
  /** The sound of the answer so far. */
  readonly audio: AudioDraft;
  readonly reasoningBesideOutput: boolean;
  readonly errorNames: ChatCompletionsQuirks['errorNames'];
  /** The schemas of tools that were sent in the strict subset, whose optional arguments arrive as nulls. */
  readonly strictTools: ReadonlyMap<string, JsonSchema>;
  /** Created with the first piece of a call. */
  calls: ToolCallAssembler | undefined = undefined;
  readonly reasoning: ReasoningReader;
  readonly costs: CostStatement;
  readonly report: WireContext['report'];

  constructor(request: ChatRequest, quirks: ChatCompletionsQuirks, context: WireContext) {
    const { events, failure, complete, malformed, raw } = answerState(request);
    this.events = events;
    this.failure = failure;
    this.complete = complete;
    this.malformed = malformed;
    this.raw = raw;
    this.stops = request.stop;
    this.family = context.target.provider;
    this.audio = audioDraft(request, context);
    this.reasoningBesideOutput = quirks.reasoningBesideOutput === true;
    this.errorNames = quirks.errorNames;
    this.strictTools = strictToolsOf(request, quirks);
    this.reasoning = reasoningReader(context.target.provider);
    this.costs = quirks;
    this.report = context.report;
  }
}

/** The assembler of the answer's calls. */
export function callsOf(state: ChatState): ToolCallAssembler {
  state.calls ??= toolCallAssembler(() => `call_${state.id ?? 'unnamed'}`);
  return state.calls;
}

/** Adds the last events; does nothing the second time. */
export function finishChat(state: ChatState): void {
  if (state.complete) return;
  const { events, calls, usage, model, fingerprint, id, serviceTier, refusal, logprobs, citations, stopSequence } =
    state;
  const block = state.reasoning.close();
  if (block !== undefined) events.push(block);
  const sound = audioEvent(state.audio);
  if (sound !== undefined) events.push(sound);
  if (calls !== undefined) for (const event of calls.finish()) events.push(withoutNulls(event, state.strictTools));
  // Several servers send `stop` or no reason with tool calls.
  const called = calls !== undefined && (state.reason === 'stop' || state.reason === undefined);
  const reason = called ? 'tool-calls' : (state.reason ?? 'other');
  const costNanoUsd = statedCost(state.rawUsage);
  if (costNanoUsd !== undefined) state.report({ costNanoUsd });
  const statedCostNanoUsd = settledCost(state.rawUsage, state.costs);
  finishAnswer(state, {
    reason,
    usage,
    model,
    fingerprint,
    id,
    serviceTier,
    refusal,
    logprobs,
    citations,
    stopSequence,
    statedCostNanoUsd,
  });
}

const NO_SCHEMAS: ReadonlyMap<string, JsonSchema> = new Map();

function strictToolsOf(request: ChatRequest, quirks: ChatCompletionsQuirks): ReadonlyMap<string, JsonSchema> {
  if (quirks.strictSchemas !== true || request.tools === undefined) return NO_SCHEMAS;
  const strict = request.tools.filter((tool) => tool.strict === true);
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

/** The error with the usage reported so far in its details, so that it can be charged. */
export function withUsage(error: PolyphonyError, usage: Usage | undefined): PolyphonyError {
  if (usage === undefined) return error;
  const { code, message, retryable, status } = error;
  return new PolyphonyError(code, message, {
    retryable,
    details: { ...error.details, usage },
    ...(status === undefined ? {} : { status }),
  });
}
